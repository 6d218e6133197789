// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Files of external data. Their names come from the model, which is hostile:
// what is opened is a regular file below the model's folder, reached without
// any link.

#ifndef LATHE_IMPORT_EXTERNALDATA_H
#define LATHE_IMPORT_EXTERNALDATA_H

#include "mlir/Support/LLVM.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/ADT/StringRef.h"
#include <memory>
#include <string>
#include <vector>

namespace lathe::importer {

/// A file mapped into memory, read-only, until the last owner lets go.
class MappedFile {
public:
  MappedFile(const char *data, size_t size) : data(data), size(size) {}
  MappedFile(const MappedFile &) = delete;
  MappedFile &operator=(const MappedFile &) = delete;
  ~MappedFile();

  llvm::ArrayRef<char> getBytes() const { return {data, size}; }

private:
  const char *data;
  size_t size;
};

/// Maps the files that a model names, each once.
class ExternalData {
public:
  explicit ExternalData(std::string baseDirectory)
      : baseDirectory(std::move(baseDirectory)) {}

  /// Maps the file `location`. On failure the result is null and `error` says
  /// what was expected and what was found.
  std::shared_ptr<MappedFile> open(llvm::StringRef location,
                                   std::string &error);

  /// The locations that were opened, sorted.
  std::vector<std::string> getLocations() const;

private:
  std::string baseDirectory;
  llvm::StringMap<std::shared_ptr<MappedFile>> files;
};

} // namespace lathe::importer

#endif // LATHE_IMPORT_EXTERNALDATA_H
