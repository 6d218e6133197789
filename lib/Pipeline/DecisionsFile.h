// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What was decided about kernels, in a file of JSON:
//
//   {"version": 1, "kernels": {KEY: {
//      "decisions": "{tile = array<i64: 0, 64>}",   the value of
//      lathe.decisions "nodes": "Conv_12, Relu_13",                 for people
//      "model_us": 12.5, "tuned_us": 11.1,          for people
//      "seal": HASH}}}
//
// KEY is a hash of the kernel's text, its sizes, and the target. The seal is
// one of the entry, of the machine and of the compiler that measured it.

#ifndef LATHE_LIB_PIPELINE_DECISIONSFILE_H
#define LATHE_LIB_PIPELINE_DECISIONSFILE_H

#include "llvm/ADT/StringMap.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include <string>

namespace lathe {

struct DecidedKernel {
  std::string decisions, nodes, seal;
  double before = 0, after = 0; ///< Seconds.
};

class DecisionsFile {
public:
  explicit DecisionsFile(std::string path) : path(std::move(path)) {}

  /// Reads all entries; says what is wrong with the file.
  llvm::Error read();

  const DecidedKernel *find(llvm::StringRef key) const;
  void add(llvm::StringRef key, DecidedKernel kernel);

  /// Writes what was added together with what the file has by now. Others see
  /// the file as it was or as it is then, nothing between.
  llvm::Error write();

private:
  std::string path;
  llvm::StringMap<DecidedKernel> kernels;
  bool hasNew = false;
};

} // namespace lathe

#endif // LATHE_LIB_PIPELINE_DECISIONSFILE_H
