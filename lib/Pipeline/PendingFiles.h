// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef LATHE_LIB_PIPELINE_PENDINGFILES_H
#define LATHE_LIB_PIPELINE_PENDINGFILES_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/Twine.h"
#include "llvm/Support/Error.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Process.h"
#include "llvm/Support/raw_ostream.h"
#include <string>
#include <system_error>
#include <utility>

namespace lathe {

/// Files that appear together when all is well, and not at all otherwise.
class PendingFiles {
public:
  using Writer = llvm::function_ref<llvm::Error(llvm::raw_ostream &)>;

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

  /// Writes a file that is still to appear.
  llvm::Error write(const std::string &path, Writer write) {
    return writeFile(add(path), path, write);
  }

  /// Writes the file at `path` at once; an error calls it `name`.
  static llvm::Error writeFile(const std::string &path, const std::string &name,
                               Writer write) {
    std::error_code code;
    llvm::raw_fd_ostream os(path, code);
    if (!code) {
      llvm::Error error = write(os);
      os.close();
      code = os.error();
      os.clear_error();
      if (error)
        return error;
    }
    return code ? fail(name, code) : llvm::Error::success();
  }

  llvm::Error commit() {
    for (size_t i = 0; i < files.size(); ++i) {
      std::error_code code =
          llvm::sys::fs::rename(files[i].first, files[i].second);
      if (!code)
        continue;
      for (size_t done = 0; done < i; ++done)
        llvm::sys::fs::remove(files[done].second);
      return fail(files[i].second, code);
    }
    files.clear();
    return llvm::Error::success();
  }

private:
  static llvm::Error fail(const std::string &path, std::error_code code) {
    return llvm::createStringError(code, "cannot write '" + path +
                                             "': " + code.message());
  }

  llvm::SmallVector<std::pair<std::string, std::string>, 3> files;
};

} // namespace lathe

#endif // LATHE_LIB_PIPELINE_PENDINGFILES_H
