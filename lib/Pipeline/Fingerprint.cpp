// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Fingerprint.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/Config/llvm-config.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"
#include "llvm/TargetParser/Host.h"
#include <link.h>

using namespace llvm;
using namespace lathe;

std::unique_ptr<MemoryBuffer> lathe::readFile(StringRef path) {
  auto file = sys::fs::openNativeFileForRead(path, sys::fs::OF_UpdateAtime);
  if (!file) {
    consumeError(file.takeError());
    return nullptr;
  }
  auto buffer = MemoryBuffer::getOpenFile(*file, path, /*FileSize=*/-1,
                                          /*RequiresNullTerminator=*/false);
  sys::fs::closeFile(*file);
  return buffer ? std::move(*buffer) : nullptr;
}

FieldHash &FieldHash::add(StringRef text) {
  uint64_t size = text.size();
  blake.update(ArrayRef(reinterpret_cast<const uint8_t *>(&size), 8));
  blake.update(text);
  return *this;
}

FieldHash &FieldHash::addNumber(uint64_t number) { return add(utostr(number)); }

FieldHash &FieldHash::addStamp(StringRef path) {
  sys::fs::file_status status;
  add(path);
  if (!sys::fs::status(path, status))
    addNumber(status.getSize())
        .addNumber(status.getLastModificationTime().time_since_epoch().count());
  return *this;
}

FieldHash &FieldHash::addCompiler() {
  add(LLVM_VERSION_STRING);
  static const char anchor = 0;
  auto visit = [](dl_phdr_info *info, size_t, void *data) {
    FieldHash &hash = *static_cast<FieldHash *>(data);
    auto self = reinterpret_cast<uintptr_t>(&anchor);
    bool isOurs = false;
    for (auto &part : ArrayRef(info->dlpi_phdr, info->dlpi_phnum)) {
      uintptr_t begin = info->dlpi_addr + part.p_vaddr;
      isOurs |= part.p_type == PT_LOAD && self >= begin &&
                self < begin + part.p_memsz;
    }
    StringRef path = info->dlpi_name;
    StringRef name = sys::path::filename(path);
    if (isOurs) {
      std::unique_ptr<MemoryBuffer> content =
          readFile(path.empty() ? "/proc/self/exe" : path);
      hash.add(content ? content->getBuffer() : StringRef("no file"));
    } else if (name.starts_with("libLLVM") || name.starts_with("libMLIR") ||
               name.starts_with("libprotobuf")) {
      hash.addStamp(path);
    }
    return 0;
  };
  dl_iterate_phdr(visit, this);
  return *this;
}

FieldHash &FieldHash::addHost() {
  StringMap<bool> features = sys::getHostCPUFeatures();
  std::vector<StringRef> names;
  for (const auto &feature : features)
    if (feature.second)
      names.push_back(feature.first());
  llvm::sort(names);
  return add(sys::getProcessTriple()).add(join(names, ","));
}

std::string FieldHash::finish() {
  return toHex(blake.final(), /*LowerCase=*/true);
}
