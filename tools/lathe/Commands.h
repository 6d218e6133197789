// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The sub-commands of the driver. Each lies in a file of its own, which
// declares its options; main.cpp parses and dispatches.

#ifndef LATHE_TOOLS_LATHE_COMMANDS_H
#define LATHE_TOOLS_LATHE_COMMANDS_H

#include "llvm/Support/CommandLine.h"

namespace lathe::driver {

/// What a command returns, and so the program.
enum ExitStatus { Success = 0, Failure = 1, WrongUsage = 2 };

// Functions, not variables: options in several files refer to a sub-command
// while they are being constructed.
llvm::cl::SubCommand &getCompileCommand();
llvm::cl::SubCommand &getRunCommand();
llvm::cl::SubCommand &getVerifyCommand();
llvm::cl::SubCommand &getBenchCommand();
llvm::cl::SubCommand &getInspectCommand();
llvm::cl::SubCommand &getReportCommand();

int runCompile();
int runRun();
int runVerify();
int runBench();
int runInspect();
int runReport();

} // namespace lathe::driver

#endif // LATHE_TOOLS_LATHE_COMMANDS_H
