// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The driver: parses the command line and calls the sub-command's function.

#include "Commands.h"
#include "CompileFlags.h"
#include "llvm/Support/InitLLVM.h"
#include "llvm/Support/raw_ostream.h"

using namespace lathe::driver;
using namespace llvm;

cl::SubCommand &lathe::driver::getRunCommand() {
  static cl::SubCommand command("run",
                                "Run a model once on given or random inputs");
  return command;
}

cl::SubCommand &lathe::driver::getVerifyCommand() {
  static cl::SubCommand command(
      "verify",
      "Compare a model's outputs with references, or fused with unfused");
  return command;
}

cl::SubCommand &lathe::driver::getBenchCommand() {
  static cl::SubCommand command(
      "bench", "Time a model, also against other ways to compile it");
  return command;
}

cl::SubCommand &lathe::driver::getReportCommand() {
  static cl::SubCommand command(
      "report", "Write a page on a model's kernels, memory and times");
  return command;
}

static cl::extrahelp
    moreHelp("\nMODEL is an .onnx file, or a .so made by 'lathe compile'.\n"
             "'lathe COMMAND --help' lists a command's options.\n"
             "Exit status: 0 success, 1 failure, 2 wrong usage.\n");

int main(int argc, char **argv) {
  InitLLVM init(argc, argv);
  struct Command {
    cl::SubCommand &options;
    int (*run)();
  };
  const Command commands[] = {
#ifdef LATHE_HAS_COMPILE
      {getCompileCommand(), runCompile},
#endif
      {getRunCommand(), runRun},         {getVerifyCommand(), runVerify},
      {getBenchCommand(), runBench},
#ifdef LATHE_HAS_INSPECT
      {getInspectCommand(), runInspect}, {getReportCommand(), runReport},
#endif
  };
  // The libraries that we link register options of their own at top level.
  for (auto &entry : cl::getRegisteredOptions(cl::SubCommand::getTopLevel()))
    if (entry.second->ArgStr != "help" && entry.second->ArgStr != "version")
      entry.second->setHiddenFlag(cl::ReallyHidden);
#ifdef LATHE_HAS_COMPILER
  addCompileFlags();
#endif
  cl::SetVersionPrinter(
      [](raw_ostream &os) { os << "lathe " LATHE_VERSION "\n"; });
  if (!cl::ParseCommandLineOptions(
          argc, argv, "Lathe: an ahead-of-time compiler for ONNX models\n",
          &errs()))
    return WrongUsage;
  for (const Command &command : commands)
    if (command.options)
      return command.run();
  errs() << "expected a command, got none; see 'lathe --help'\n";
  return WrongUsage;
}
