// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Hashes of what a result depends on: texts, this compiler, this machine.

#ifndef LATHE_LIB_PIPELINE_FINGERPRINT_H
#define LATHE_LIB_PIPELINE_FINGERPRINT_H

#include "llvm/ADT/StringRef.h"
#include "llvm/Support/BLAKE3.h"
#include "llvm/Support/MemoryBuffer.h"
#include <cstdint>
#include <memory>
#include <string>

namespace lathe {

/// A hash of fields: each with its length, so that none can be taken for parts
/// of its neighbours.
class FieldHash {
public:
  FieldHash &add(llvm::StringRef text);
  FieldHash &addNumber(uint64_t number);
  /// A large file that is replaced rather than changed.
  FieldHash &addStamp(llvm::StringRef path);
  /// The code of this compiler: the object that holds this function, and the
  /// libraries it stands on.
  FieldHash &addCompiler();
  /// What the host can run: what is computed at compile time depends on it.
  FieldHash &addHost();
  /// In hexadecimal digits.
  std::string finish();

private:
  llvm::BLAKE3 blake;
};

/// The content of a file, which then counts as used; null where it cannot be
/// read.
std::unique_ptr<llvm::MemoryBuffer> readFile(llvm::StringRef path);

} // namespace lathe

#endif // LATHE_LIB_PIPELINE_FINGERPRINT_H
