// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef LATHE_SUPPORT_TEMPORARYFOLDER_H
#define LATHE_SUPPORT_TEMPORARYFOLDER_H

#include "llvm/ADT/SmallString.h"
#include "llvm/ADT/Twine.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"
#include <string>
#include <system_error>

namespace lathe {

/// A folder of the system's temporary files that goes away with all that is in
/// it.
class TemporaryFolder {
public:
  TemporaryFolder() = default;
  TemporaryFolder(const TemporaryFolder &) = delete;
  TemporaryFolder &operator=(const TemporaryFolder &) = delete;
  ~TemporaryFolder() {
    if (!path.empty())
      llvm::sys::fs::remove_directories(path);
  }

  /// Makes the folder; its name begins with `prefix`. Called once.
  std::error_code create(const llvm::Twine &prefix) {
    return llvm::sys::fs::createUniqueDirectory(prefix, path);
  }

  llvm::StringRef getPath() const { return path; }

  std::string getFile(const llvm::Twine &name) const {
    llvm::SmallString<128> file(path);
    llvm::sys::path::append(file, name);
    return file.str().str();
  }

private:
  llvm::SmallString<128> path;
};

} // namespace lathe

#endif // LATHE_SUPPORT_TEMPORARYFOLDER_H
