// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "lathe/Import/ExternalData.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/ScopeExit.h"
#include "llvm/ADT/SmallVector.h"
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

using namespace llvm;
using namespace lathe::importer;

MappedFile::~MappedFile() {
  if (size)
    munmap(const_cast<char *>(data), size);
}

/// Splits `location` into the names of folders and of the file; says in `error`
/// why it is refused.
static bool splitLocation(StringRef location, SmallVectorImpl<StringRef> &parts,
                          std::string &error) {
  std::string quoted = ("'" + location + "'").str();
  if (location.empty() || location.contains('\0')) {
    error = "expected the name of a file, got " +
            (location.empty() ? std::string("nothing")
                              : std::string("one with a null byte"));
    return false;
  }
  if (location.starts_with("/") || location.contains('\\')) {
    error = "expected a path relative to the model, got " + quoted;
    return false;
  }
  location.split(parts, '/');
  for (StringRef part : parts) {
    if (part == "..") {
      error =
          "expected a path that stays below the model's folder, got " + quoted;
      return false;
    }
  }
  erase_if(parts, [](StringRef part) { return part.empty() || part == "."; });
  if (parts.empty() || location.ends_with("/")) {
    error = "expected the name of a file, got " + quoted;
    return false;
  }
  return true;
}

std::shared_ptr<MappedFile> ExternalData::open(StringRef location,
                                               std::string &error) {
  if (baseDirectory.empty()) {
    error = "expected no external data in a model from memory, got '" +
            location.str() + "'";
    return nullptr;
  }
  SmallVector<StringRef> parts;
  if (!splitLocation(location, parts, error))
    return nullptr;
  std::shared_ptr<MappedFile> &known = files[location];
  if (known)
    return known;

  // Each component is opened relative to the one before and must not be a
  // link, so nothing can be exchanged between a check and its use.
  int dir = ::open(baseDirectory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  scope_exit closeDir([&] {
    if (dir >= 0)
      ::close(dir);
  });
  int file = -1;
  for (auto [i, part] : enumerate(parts)) {
    bool last = i + 1 == parts.size();
    int next = dir < 0 ? -1
                       : ::openat(dir, part.str().c_str(),
                                  O_RDONLY | O_NOFOLLOW | O_CLOEXEC |
                                      (last ? O_NONBLOCK : O_DIRECTORY));
    if (next < 0) {
      // A link that is opened as a folder gives ENOTDIR, as a file ELOOP.
      error = "expected a file reached without symbolic links, got '" +
              location.str() + "': " + std::strerror(errno);
      return nullptr;
    }
    if (last) {
      file = next;
    } else {
      ::close(dir);
      dir = next;
    }
  }
  scope_exit closeFile([&] { ::close(file); });
  struct stat info;
  if (fstat(file, &info) != 0 || !S_ISREG(info.st_mode)) {
    error = "expected a regular file, got '" + location.str() + "'";
    return nullptr;
  }
  if (info.st_nlink != 1) {
    error = "expected a file with one hard link, got '" + location.str() +
            "' with " + std::to_string(info.st_nlink);
    return nullptr;
  }
  size_t size = info.st_size;
  const char *data = nullptr;
  if (size) {
    void *map = mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file, 0);
    if (map == MAP_FAILED) {
      error = "expected a file that can be mapped, got '" + location.str() +
              "': " + std::strerror(errno);
      return nullptr;
    }
    data = static_cast<const char *>(map);
  }
  return known = std::make_shared<MappedFile>(data, size);
}

std::vector<std::string> ExternalData::getLocations() const {
  std::vector<std::string> locations;
  for (const auto &file : files)
    locations.push_back(file.first().str());
  sort(locations);
  return locations;
}
