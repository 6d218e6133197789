// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Reads .npz files: zip archives of .npy files, stored or deflated, also in the
// form for large files (zip64) that NumPy writes. The format is PKWARE's
// APPNOTE; only its central directory is believed.

#include "NumpyFiles.h"
#include "llvm/Support/Endian.h"
#include "llvm/Support/MemoryBuffer.h"
#include <limits>
#include <zlib.h>

using namespace lathe::driver;
using namespace llvm;
using support::endian::read16le;
using support::endian::read32le;
using support::endian::read64le;

namespace {
struct Entry {
  StringRef name;
  uint16_t method = 0;
  uint64_t packedSize = 0, size = 0, offset = 0;
};
} // namespace

/// Contents of one entry; `storage` holds them where they were deflated.
static Expected<StringRef> unpack(StringRef zip, const Entry &entry,
                                  std::string &storage) {
  constexpr size_t localBytes = 30;
  if (entry.offset > zip.size() || zip.size() - entry.offset < localBytes)
    return createStringError("expected a local header");
  StringRef local = zip.drop_front(entry.offset);
  if (!local.starts_with("PK\3\4"))
    return createStringError("expected a local header");
  size_t skip =
      localBytes + read16le(local.data() + 26) + read16le(local.data() + 28);
  if (skip > local.size() || entry.packedSize > local.size() - skip)
    return createStringError("expected more data");
  StringRef packed = local.substr(skip, entry.packedSize);
  if (entry.method == 0) {
    if (entry.size != entry.packedSize)
      return createStringError("expected one size of stored data");
    return packed;
  }
  if (entry.method != 8)
    return createStringError("expected stored or deflated data, got method " +
                             Twine(entry.method));
  // Deflate cannot do better than 1032 to 1.
  if (entry.size / 1032 > packed.size() + 1 ||
      packed.size() > std::numeric_limits<uInt>::max() ||
      entry.size > std::numeric_limits<uInt>::max())
    return createStringError("expected a size that deflate can reach, got " +
                             Twine(entry.size));
  storage.resize(entry.size + 1);
  z_stream stream = {};
  stream.next_in = reinterpret_cast<Bytef *>(const_cast<char *>(packed.data()));
  stream.avail_in = static_cast<uInt>(packed.size());
  stream.next_out = reinterpret_cast<Bytef *>(storage.data());
  stream.avail_out = static_cast<uInt>(storage.size());
  if (inflateInit2(&stream, -MAX_WBITS) != Z_OK)
    return createStringError("cannot start to inflate");
  int status = inflate(&stream, Z_FINISH);
  inflateEnd(&stream);
  if (status != Z_STREAM_END || stream.total_out != entry.size)
    return createStringError("expected " + Twine(entry.size) +
                             " bytes when inflated");
  return StringRef(storage).take_front(entry.size);
}

/// Replaces the sizes that are given as "see the zip64 extra field".
static bool readZip64(StringRef extra, Entry &entry) {
  while (extra.size() >= 4) {
    uint16_t kind = read16le(extra.data()), length = read16le(extra.data() + 2);
    if (length > extra.size() - 4)
      return false;
    StringRef field = extra.substr(4, length);
    extra = extra.drop_front(4 + length);
    if (kind != 1)
      continue;
    for (uint64_t *value : {&entry.size, &entry.packedSize, &entry.offset}) {
      if (*value != UINT32_MAX)
        continue;
      if (field.size() < 8)
        return false;
      *value = read64le(field.data());
      field = field.drop_front(8);
    }
  }
  return true;
}

/// The central directory, and the number of its entries.
static Expected<StringRef> findDirectory(StringRef zip, uint64_t &count) {
  constexpr size_t endBytes = 22;
  // A comment of up to 64 KiB may follow the end record.
  size_t from =
      zip.size() > endBytes + 65535 ? zip.size() - endBytes - 65535 : 0;
  size_t end = zip.rfind("PK\5\6");
  if (end == StringRef::npos || end < from || zip.size() - end < endBytes)
    return createStringError("expected an .npz file");
  count = read16le(zip.data() + end + 10);
  uint64_t bytes = read32le(zip.data() + end + 12);
  uint64_t offset = read32le(zip.data() + end + 16);
  if (end >= 20 && zip.substr(end - 20).starts_with("PK\6\7")) {
    uint64_t end64 = read64le(zip.data() + end - 12);
    if (end64 > zip.size() || zip.size() - end64 < 56 ||
        !zip.substr(end64).starts_with("PK\6\6"))
      return createStringError("expected a zip64 end record");
    count = read64le(zip.data() + end64 + 32);
    bytes = read64le(zip.data() + end64 + 40);
    offset = read64le(zip.data() + end64 + 48);
  }
  if (offset > zip.size() || bytes > zip.size() - offset)
    return createStringError("expected the directory inside the file");
  return zip.substr(offset, bytes);
}

Expected<NamedTensors> lathe::driver::parseNpz(StringRef zip) {
  constexpr size_t centralBytes = 46;
  uint64_t count = 0;
  Expected<StringRef> directory = findDirectory(zip, count);
  if (!directory)
    return directory.takeError();
  NamedTensors tensors;
  for (StringRef rest = *directory; count > 0; --count) {
    if (rest.size() < centralBytes || !rest.starts_with("PK\1\2"))
      return createStringError("expected another entry in the directory");
    Entry entry;
    uint16_t flags = read16le(rest.data() + 8);
    entry.method = read16le(rest.data() + 10);
    entry.packedSize = read32le(rest.data() + 20);
    entry.size = read32le(rest.data() + 24);
    size_t nameBytes = read16le(rest.data() + 28);
    size_t extraBytes = read16le(rest.data() + 30);
    size_t commentBytes = read16le(rest.data() + 32);
    entry.offset = read32le(rest.data() + 42);
    if (rest.size() - centralBytes < nameBytes + extraBytes + commentBytes)
      return createStringError("expected another entry in the directory");
    entry.name = rest.substr(centralBytes, nameBytes);
    StringRef extra = rest.substr(centralBytes + nameBytes, extraBytes);
    rest =
        rest.drop_front(centralBytes + nameBytes + extraBytes + commentBytes);
    if (flags & 1)
      return createStringError(entry.name + ": expected no encryption");
    if (!readZip64(extra, entry))
      return createStringError(entry.name + ": expected a zip64 field");
    std::string storage;
    Expected<StringRef> contents = unpack(zip, entry, storage);
    if (!contents)
      return createStringError(entry.name + ": " +
                               toString(contents.takeError()));
    Expected<HostTensor> tensor = parseNpy(*contents);
    if (!tensor)
      return createStringError(entry.name + ": " +
                               toString(tensor.takeError()));
    entry.name.consume_back(".npy");
    tensors.emplace_back(entry.name.str(), std::move(*tensor));
  }
  return tensors;
}

Expected<NamedTensors> lathe::driver::readNpz(StringRef path) {
  ErrorOr<std::unique_ptr<MemoryBuffer>> file = MemoryBuffer::getFile(
      path, /*IsText=*/false, /*RequiresNullTerminator=*/false);
  if (!file)
    return createStringError(path + ": " + file.getError().message());
  Expected<NamedTensors> tensors = parseNpz((*file)->getBuffer());
  if (!tensors)
    return createStringError(path + ": " + toString(tensors.takeError()));
  return tensors;
}
