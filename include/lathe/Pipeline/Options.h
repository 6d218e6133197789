// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The options of a compilation as text, for all that offer them: the driver
// makes its flags from this table, the C API and Python set them by name.

#ifndef LATHE_PIPELINE_OPTIONS_H
#define LATHE_PIPELINE_OPTIONS_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include <string>

namespace lathe {
struct CompileOptions;

/// What an option takes.
enum class OptionKind {
  Value, ///< One value; the last one counts.
  Flag,  ///< `true` or `false`; the empty text means `true`.
  List,  ///< A value each time it is given; all count.
};

/// What an option is about, and so which commands have it.
enum class OptionScope {
  Code,     ///< The generated code: wherever a model is compiled.
  Sizes,    ///< The sizes of the model's inputs.
  Artifact, ///< The files to write, and how the compiler works.
  Work,     ///< How the compiler works: wherever an artifact is made.
};

struct OptionInfo {
  llvm::StringLiteral name; ///< Without dashes, as in `memory-plan`.
  OptionKind kind;
  OptionScope scope;
  llvm::StringLiteral valueName;    ///< As help shows it; empty for a flag.
  llvm::StringLiteral defaultValue; ///< Empty where there is none.
  llvm::StringLiteral help;         ///< One phrase, without the default.
  /// Sets the field of `options`. Returns what form was expected where `value`
  /// has another; values that have the form are judged by `findWrongOption`.
  llvm::StringLiteral (*set)(CompileOptions &options, llvm::StringRef value);
};

/// All options, in the order of help.
llvm::ArrayRef<OptionInfo> getOptionTable();

/// The option of a name, or null.
const OptionInfo *findOption(llvm::StringRef name);

/// Sets an option from text. Returns what is wrong, as `expected … got …`, or
/// an empty string.
std::string setOption(CompileOptions &options, llvm::StringRef name,
                      llvm::StringRef value);

} // namespace lathe

#endif // LATHE_PIPELINE_OPTIONS_H
