// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Patterns of RegexFullMatch, in the syntax of RE2, as instructions for the
// runtime (lib/Runtime/Regex.c).

#ifndef LATHE_LIB_CONVERSION_ONNXTOLINALG_REGEX_H
#define LATHE_LIB_CONVERSION_ONNXTOLINALG_REGEX_H

#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringRef.h"
#include <cstdint>
#include <string>

namespace lathe {

struct RegexProgram {
  llvm::SmallVector<int64_t> code;   ///< Three numbers per instruction.
  llvm::SmallVector<int64_t> ranges; ///< Pairs of first and last character.
};

/// Compiles `pattern`. Returns what is wrong or not supported, or nothing.
std::string compileRegex(llvm::StringRef pattern, RegexProgram &program);

} // namespace lathe

#endif // LATHE_LIB_CONVERSION_ONNXTOLINALG_REGEX_H
