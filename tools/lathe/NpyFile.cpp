// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Reads and writes .npy files, as NumPy's `numpy.lib.format` describes them. A
// file is hostile input: every size is checked against what is there.

#include "HostValue.h"
#include "NumpyFiles.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/ConvertUTF.h"
#include "llvm/Support/Endian.h"
#include "llvm/Support/FileOutputBuffer.h"
#include "llvm/Support/MathExtras.h"
#include "llvm/Support/MemoryBuffer.h"
#include <cstring>

using namespace lathe::driver;
using namespace llvm;

static constexpr StringLiteral magic = "\x93NUMPY";

//===----------------------------------------------------------------------===//
// Types
//===----------------------------------------------------------------------===//

static Expected<DLDataType> parseType(StringRef text) {
  StringRef kind = text;
  unsigned bytes = 0;
  char order = kind.empty() ? 0 : kind.front();
  if (StringRef("<>|=").contains(order))
    kind = kind.drop_front();
  if (kind.size() < 2 || kind.drop_front().getAsInteger(10, bytes) ||
      !is_contained({1u, 2u, 4u, 8u, 16u}, bytes))
    return createStringError("expected a type of numbers, got '" + text + "'");
  if (order == '>' && bytes > 1)
    return createStringError("expected little-endian numbers, got '" + text +
                             "'");
  auto type = [&](uint8_t code) {
    return DLDataType{code, static_cast<uint8_t>(bytes * 8), 1};
  };
  switch (kind.front()) {
  case 'b':
    if (bytes == 1)
      return type(kDLBool);
    break;
  case 'i':
    if (bytes <= 8)
      return type(kDLInt);
    break;
  case 'u':
    if (bytes <= 8)
      return type(kDLUInt);
    break;
  case 'f':
    // Python's ml_dtypes so writes one of its types.
    if (bytes == 1)
      return type(kDLOpaqueHandle);
    if (bytes <= 8)
      return type(kDLFloat);
    break;
  case 'c':
    if (bytes >= 8)
      return type(kDLComplex);
    break;
  case 'V':
    if (bytes == 2)
      return type(kDLBfloat);
    if (bytes == 1)
      return type(kDLOpaqueHandle);
    break;
  }
  return createStringError("expected a type of numbers, got '" + text + "'");
}

static Expected<std::string> getTypeText(DLDataType dtype) {
  unsigned bytes = dtype.bits / 8;
  StringRef order = bytes > 1 ? "<" : "|";
  StringRef kind;
  if (dtype.lanes == 1 && dtype.bits % 8 == 0) {
    kind = dtype.code == kDLBool      ? "b"
           : dtype.code == kDLInt     ? "i"
           : dtype.code == kDLUInt    ? "u"
           : dtype.code == kDLFloat   ? "f"
           : dtype.code == kDLComplex ? "c"
           : dtype.code == kDLBfloat  ? "V"
           : dtype.bits == 8          ? "V"
                                      : "";
  }
  if (kind.empty())
    return createStringError("cannot write " + toString(dtype) +
                             " to a NumPy file");
  return (order + kind + Twine(bytes)).str();
}

//===----------------------------------------------------------------------===//
// The header: a Python dictionary
//===----------------------------------------------------------------------===//

namespace {
struct Header {
  DLDataType dtype;
  std::optional<int64_t> characters; ///< Of text: at most so many in each.
  bool fortran = false;
  std::vector<int64_t> shape;
};
} // namespace

static Error headerError(StringRef expected) {
  return createStringError("expected " + expected + " in the header");
}

static bool consume(StringRef &text, StringRef token) {
  text = text.ltrim();
  return text.consume_front(token);
}

static bool consumeQuoted(StringRef &text, StringRef &value) {
  text = text.ltrim();
  if (text.empty() || (text.front() != '\'' && text.front() != '"'))
    return false;
  size_t end = text.find(text.front(), 1);
  if (end == StringRef::npos)
    return false;
  value = text.slice(1, end);
  text = text.drop_front(end + 1);
  return true;
}

static Error parseShape(StringRef &text, std::vector<int64_t> &shape) {
  if (!consume(text, "("))
    return headerError("a tuple as 'shape'");
  while (!consume(text, ")")) {
    int64_t size;
    text = text.ltrim();
    if (text.consumeInteger(10, size) || size < 0 || shape.size() >= 64)
      return headerError("sizes in 'shape'");
    shape.push_back(size);
    if (!consume(text, ",") && !text.ltrim().starts_with(")"))
      return headerError("',' in 'shape'");
  }
  return Error::success();
}

static Expected<Header> parseHeader(StringRef text) {
  Header header;
  unsigned seen = 0;
  if (!consume(text, "{"))
    return headerError("a dictionary");
  while (!consume(text, "}")) {
    StringRef key, value;
    if (!consumeQuoted(text, key) || !consume(text, ":"))
      return headerError("a key");
    if (key == "descr") {
      if (!consumeQuoted(text, value))
        return headerError("one type of numbers as 'descr'");
      int64_t characters;
      seen |= 1;
      if (value.starts_with("<U") &&
          !value.drop_front(2).getAsInteger(10, characters) &&
          characters >= 0 && characters < (int64_t(1) << 30)) {
        header.characters = characters;
        header.dtype = valueType;
        if (!consume(text, ",") && !text.ltrim().starts_with("}"))
          return headerError("','");
        continue;
      }
      Expected<DLDataType> dtype = parseType(value);
      if (!dtype)
        return dtype.takeError();
      header.dtype = *dtype;
      seen |= 1;
    } else if (key == "fortran_order") {
      header.fortran = consume(text, "True");
      if (!header.fortran && !consume(text, "False"))
        return headerError("True or False as 'fortran_order'");
      seen |= 2;
    } else if (key == "shape") {
      header.shape.clear();
      if (Error error = parseShape(text, header.shape))
        return std::move(error);
      seen |= 4;
    } else {
      return headerError("only descr, fortran_order and shape");
    }
    if (!consume(text, ",") && !text.ltrim().starts_with("}"))
      return headerError("','");
  }
  if (seen != 7)
    return headerError("descr, fortran_order and shape");
  return header;
}

/// Copies elements whose first dimension varies fastest.
static void copyFortran(const char *from, HostTensor &to) {
  size_t bytes = to.dtype.bits / 8;
  size_t rank = to.shape.size();
  std::vector<int64_t> index(rank), strides(rank);
  for (int64_t d = 0, stride = bytes; d < int64_t(rank); ++d) {
    strides[d] = stride;
    stride *= to.shape[d];
  }
  for (int64_t i = 0, e = to.getNumElements(); i < e; ++i) {
    int64_t offset = 0;
    for (size_t d = 0; d < rank; ++d)
      offset += index[d] * strides[d];
    std::memcpy(to.data.get() + i * bytes, from + offset, bytes);
    for (size_t d = rank; d-- > 0;) {
      if (++index[d] < to.shape[d])
        break;
      index[d] = 0;
    }
  }
}

//===----------------------------------------------------------------------===//
// Text: UTF-32, each filled up with NULs
//===----------------------------------------------------------------------===//

static Expected<HostTensor> readTexts(StringRef contents,
                                      const Header &header) {
  if (header.fortran && header.shape.size() > 1)
    return createStringError("expected text in C order");
  HostValue value;
  // NumPy gives empty texts one character.
  size_t each = 4 * std::max<int64_t>(*header.characters, 1);
  for (; !contents.empty(); contents = contents.drop_front(each)) {
    std::string &text = value.strings.emplace_back();
    size_t end = each;
    while (end && !support::endian::read32le(contents.data() + end - 4))
      end -= 4;
    for (size_t at = 0; at < end; at += 4) {
      char buffer[UNI_MAX_UTF8_BYTES_PER_CODE_POINT];
      char *to = buffer;
      if (!ConvertCodePointToUTF8(
              support::endian::read32le(contents.data() + at), to))
        return createStringError("expected characters of Unicode");
      text.append(buffer, to);
    }
  }
  return makeHostValue(std::move(value), header.shape);
}

/// The characters of each text, all as many; fails for what is no UTF-8.
static Expected<std::vector<UTF32>> getCharacters(const HostTensor &tensor,
                                                  size_t &each) {
  std::vector<std::vector<UTF32>> texts;
  each = 1;
  for (const std::string &string : tensor.value->strings) {
    std::vector<UTF32> &text = texts.emplace_back(string.size());
    auto *from = reinterpret_cast<const UTF8 *>(string.data());
    UTF32 *to = text.data();
    if (ConvertUTF8toUTF32(&from, from + string.size(), &to, to + text.size(),
                           strictConversion) != conversionOK)
      return createStringError("expected strings of UTF-8");
    text.resize(to - text.data());
    each = std::max(each, text.size());
  }
  std::vector<UTF32> all;
  for (std::vector<UTF32> &text : texts) {
    text.resize(each);
    all.insert(all.end(), text.begin(), text.end());
  }
  return all;
}

Expected<HostTensor> lathe::driver::parseNpy(StringRef contents) {
  if (!contents.consume_front(magic) || contents.size() < 4)
    return createStringError("expected a NumPy file");
  unsigned version = static_cast<uint8_t>(contents[0]);
  size_t length;
  if (version == 1) {
    length = support::endian::read16le(contents.data() + 2);
    contents = contents.drop_front(4);
  } else if ((version == 2 || version == 3) && contents.size() >= 6) {
    length = support::endian::read32le(contents.data() + 2);
    contents = contents.drop_front(6);
  } else {
    return createStringError("expected NumPy format version 1 to 3, got " +
                             Twine(version));
  }
  if (length > contents.size())
    return createStringError("expected a header of " + Twine(length) +
                             " bytes, got " + Twine(contents.size()));
  Expected<Header> header = parseHeader(contents.take_front(length));
  if (!header)
    return header.takeError();
  contents = contents.drop_front(length);
  // The sizes are the file's word: hold them against its length before
  // anything is allocated.
  int64_t bytes = header->characters
                      ? 4 * std::max<int64_t>(*header->characters, 1)
                      : header->dtype.bits / 8;
  bool overflow = false;
  for (int64_t size : header->shape)
    overflow |= size != 0 && MulOverflow(bytes, size, bytes);
  if (is_contained(header->shape, 0))
    bytes = 0;
  else if (overflow)
    bytes = INT64_MAX;
  if (static_cast<uint64_t>(bytes) != contents.size())
    return createStringError("expected " + Twine(bytes) +
                             " bytes of data for " + toString(header->dtype) +
                             toString(header->shape) + ", got " +
                             Twine(contents.size()));
  if (header->characters)
    return readTexts(contents, *header);
  Expected<HostTensor> tensor =
      HostTensor::create(header->dtype, header->shape);
  if (!tensor)
    return tensor.takeError();
  if (header->fortran && header->shape.size() > 1)
    copyFortran(contents.data(), *tensor);
  else if (bytes)
    std::memcpy(tensor->data.get(), contents.data(), contents.size());
  return tensor;
}

Expected<HostTensor> lathe::driver::readNpy(StringRef path) {
  ErrorOr<std::unique_ptr<MemoryBuffer>> file = MemoryBuffer::getFile(
      path, /*IsText=*/false, /*RequiresNullTerminator=*/false);
  if (!file)
    return createStringError(path + ": " + file.getError().message());
  Expected<HostTensor> tensor = parseNpy((*file)->getBuffer());
  if (!tensor)
    return createStringError(path + ": " + toString(tensor.takeError()));
  return tensor;
}

Error lathe::driver::writeNpy(StringRef path, const HostTensor &tensor) {
  if (tensor.dtype.bits < 8)
    return writeNpy(path, spreadToBytes(tensor));
  if (tensor.value && tensor.value->kind != LATHE_STRINGS)
    return createStringError(path + ": expected a tensor, got a value that "
                                    "only a .pb file can hold");
  std::vector<UTF32> characters;
  size_t each = 0;
  if (tensor.value) {
    Expected<std::vector<UTF32>> read = getCharacters(tensor, each);
    if (!read)
      return createStringError(path + ": " + toString(read.takeError()));
    characters = std::move(*read);
  }
  Expected<std::string> type =
      tensor.value ? "<U" + std::to_string(each) : getTypeText(tensor.dtype);
  if (!type)
    return createStringError(path + ": " + toString(type.takeError()));
  std::string header =
      "{'descr': '" + *type + "', 'fortran_order': False, 'shape': (";
  for (int64_t size : tensor.shape)
    header += std::to_string(size) + ", ";
  header += "), }";
  // The data begins at a multiple of 64 bytes.
  header.resize(alignTo(magic.size() + 4 + header.size() + 1, 64) -
                    magic.size() - 5,
                ' ');
  header += '\n';
  if (header.size() > UINT16_MAX)
    return createStringError(path + ": expected fewer dimensions");
  size_t bytes = tensor.value ? 4 * characters.size() : tensor.getNumBytes();
  Expected<std::unique_ptr<FileOutputBuffer>> out =
      FileOutputBuffer::create(path, magic.size() + 4 + header.size() + bytes);
  if (!out)
    return createStringError(path + ": " + toString(out.takeError()));
  uint8_t *at = (*out)->getBufferStart();
  at = std::copy(magic.begin(), magic.end(), at);
  *at++ = 1;
  *at++ = 0;
  support::endian::write16le(at, header.size());
  at = std::copy(header.begin(), header.end(), at + 2);
  if (bytes)
    std::memcpy(at,
                tensor.value ? reinterpret_cast<const char *>(characters.data())
                             : tensor.data.get(),
                bytes);
  if (Error error = (*out)->commit())
    return createStringError(path + ": " + toString(std::move(error)));
  return Error::success();
}
