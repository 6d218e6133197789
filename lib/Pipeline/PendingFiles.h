// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef LATHE_LIB_PIPELINE_PENDINGFILES_H
#define LATHE_LIB_PIPELINE_PENDINGFILES_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/Twine.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Process.h"
#include <string>
#include <system_error>
#include <utility>

namespace lathe {

/// Files that appear together when all is well, and not at all otherwise.
class PendingFiles {
public:
  PendingFiles() = default;
  PendingFiles(const PendingFiles &) = delete;
  PendingFiles &operator=(const PendingFiles &) = delete;
  ~PendingFiles() {
    for (const auto &[part, path] : files)
      llvm::sys::fs::remove(part);
  }

  /// A temporary file beside `path` that becomes it.
  std::string add(llvm::StringRef path) {
    files.push_back(
        {(path + ".part" + llvm::Twine(llvm::sys::Process::getProcessId()))
             .str(),
         path.str()});
    return files.back().first;
  }

  /// The temporary files, and what they become.
  llvm::ArrayRef<std::pair<std::string, std::string>> getFiles() const {
    return files;
  }

  /// Returns the path that could not be written, or an empty one.
  std::string commit(std::error_code &code) {
    for (size_t i = 0; i < files.size(); ++i) {
      code = llvm::sys::fs::rename(files[i].first, files[i].second);
      if (!code)
        continue;
      std::string failed = files[i].second;
      for (size_t done = 0; done < i; ++done)
        llvm::sys::fs::remove(files[done].second);
      return failed;
    }
    files.clear();
    return "";
  }

private:
  llvm::SmallVector<std::pair<std::string, std::string>, 3> files;
};

} // namespace lathe

#endif // LATHE_LIB_PIPELINE_PENDINGFILES_H
