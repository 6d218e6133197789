// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The compiler's options as flags of the commands that compile. The options
// themselves are the table of lathe/Pipeline/Options.h.

#ifndef LATHE_TOOLS_LATHE_COMPILEFLAGS_H
#define LATHE_TOOLS_LATHE_COMPILEFLAGS_H

#include "llvm/Support/CommandLine.h"
#include <string>
#include <utility>
#include <vector>

namespace lathe {
struct CompileOptions;
} // namespace lathe

namespace lathe::driver {

/// Options by name, as text.
using OptionTexts = std::vector<std::pair<std::string, std::string>>;

/// The category of what says how to compile, for help.
llvm::cl::OptionCategory &getCompileCategory();

/// Registers the flags. To be called once, before the command line is parsed.
void addCompileFlags();

/// What the command line says. Linking a model resets flags, so every command
/// asks before it compiles.
OptionTexts getCompileFlags();

/// Sets options, later ones over earlier ones. Returns what is wrong, or an
/// empty string.
std::string setOptions(CompileOptions &options, const OptionTexts &texts);

} // namespace lathe::driver

#endif // LATHE_TOOLS_LATHE_COMPILEFLAGS_H
