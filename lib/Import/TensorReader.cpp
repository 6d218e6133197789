// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "TensorReader.h"

#include "lathe/Dialect/Onnx/IR/Onnx.h"
#include "mlir/IR/AsmState.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/DialectResourceBlobManager.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/MathExtras.h"
#include <cstring>

using namespace mlir;
using namespace lathe;
using namespace lathe::importer;

/// Tensors up to this size become `dense` (docs/Architecture.md).
static constexpr int64_t maxDenseBytes = 1024;

/// The bits of an element as ONNX stores it.
static int64_t getElementBits(Type type) {
  if (type.isInteger(1))
    return 8;
  if (auto complex = dyn_cast<ComplexType>(type))
    return 2 * complex.getElementType().getIntOrFloatBitWidth();
  return type.getIntOrFloatBitWidth();
}

FailureOr<RankedTensorType> TensorReader::getType(ArrayRef<int64_t> dims,
                                                  int64_t dataType,
                                                  int64_t &count,
                                                  EmitError emitError) {
  if ((int64_t)dims.size() > limits.rank)
    return emitError() << "expected rank at most " << limits.rank << ", got "
                       << dims.size();
  Type element = lathe::onnx::getElementTypeOf(context, dataType);
  if (!element)
    return emitError() << "expected an element type of ONNX, got number "
                       << dataType;
  bool overflow = false;
  count = 1;
  for (int64_t dim : dims) {
    if (dim < 0)
      return emitError() << "expected dimensions of at least 0, got " << dim;
    overflow |= llvm::MulOverflow(count, dim, count);
  }
  if (llvm::is_contained(dims, 0))
    count = 0;
  // The widest element has 128 bits.
  else if (overflow || count > INT64_MAX / 128)
    return emitError() << "expected fewer than 2^56 elements, got shape ["
                       << llvm::join(llvm::map_range(dims,
                                                     [](int64_t dim) {
                                                       return std::to_string(
                                                           dim);
                                                     }),
                                     ", ")
                       << "]";
  return RankedTensorType::get(dims, element);
}

static AsmResourceBlob copyToBlob(ArrayRef<char> bytes) {
  return HeapAsmResourceBlob::allocateAndCopyWithAlign(bytes, 64,
                                                       /*dataIsMutable=*/false);
}

/// Makes every byte that is not 0 a 1.
static SmallVector<char, 0> normalizeBools(ArrayRef<char> bytes) {
  SmallVector<char, 0> result(bytes.size());
  for (auto [to, from] : llvm::zip_equal(result, bytes))
    to = from != 0;
  return result;
}

/// Spreads `count` packed elements of `bits` bits to one byte each.
static SmallVector<char> unpack(ArrayRef<char> bytes, int64_t count,
                                int64_t bits) {
  SmallVector<char> result(count);
  for (int64_t i = 0; i < count; ++i) {
    int64_t bit = i * bits;
    unsigned word = (unsigned char)bytes[bit / 8];
    if (bit / 8 + 1 < (int64_t)bytes.size())
      word |= (unsigned)(unsigned char)bytes[bit / 8 + 1] << 8;
    result[i] = (char)((word >> (bit % 8)) & ((1u << bits) - 1));
  }
  return result;
}

/// A `dense` attribute of the bytes as ONNX stores them.
static ElementsAttr getDense(RankedTensorType type, ArrayRef<char> bytes,
                             int64_t count) {
  Type element = type.getElementType();
  if (element.isInteger(1)) {
    SmallVector<bool> bools;
    for (char byte : bytes)
      bools.push_back(byte != 0);
    return DenseElementsAttr::get(type, bools);
  }
  int64_t bits = getElementBits(element);
  if (bits < 8)
    return DenseElementsAttr::getFromRawBuffer(type,
                                               unpack(bytes, count, bits));
  return DenseElementsAttr::getFromRawBuffer(type, bytes);
}

static ElementsAttr getResource(RankedTensorType type, StringRef name,
                                AsmResourceBlob blob) {
  return DenseResourceElementsAttr::get(type, name.empty() ? "constant" : name,
                                        std::move(blob));
}

/// Appends the low `bytes` bytes of each of `values`.
template <typename Values>
static void appendLow(SmallVectorImpl<char> &out, const Values &values,
                      int64_t bytes) {
  out.resize_for_overwrite(values.size() * bytes);
  if (bytes == (int64_t)sizeof(*values.data())) {
    if (!values.empty())
      std::memcpy(out.data(), values.data(), out.size());
    return;
  }
  char *to = out.data();
  for (auto value : values) {
    std::memcpy(to, &value, bytes);
    to += bytes;
  }
}

/// Packs the 6-bit elements that `int32_data` stores one by one.
static void
packSixBits(SmallVectorImpl<char> &out,
            const google::protobuf::RepeatedField<int32_t> &values) {
  out.assign(llvm::divideCeil(values.size() * 6, 8), 0);
  for (int i = 0; i < values.size(); ++i)
    for (int bit = 0; bit < 6; ++bit)
      if (values[i] >> bit & 1)
        out[(i * 6 + bit) / 8] |= char(1 << ((i * 6 + bit) % 8));
}

/// Collects the bytes of a tensor that uses the typed fields. `found` gets the
/// number of elements there.
static SmallVector<char, 0> readTypedData(const proto::TensorProto &tensor,
                                          Type element, int64_t &found) {
  SmallVector<char, 0> bytes;
  int64_t bits = getElementBits(element);
  switch (tensor.data_type()) {
  case proto::TensorProto::FLOAT:
  case proto::TensorProto::COMPLEX64:
    appendLow(bytes, tensor.float_data(), 4);
    break;
  case proto::TensorProto::DOUBLE:
  case proto::TensorProto::COMPLEX128:
    appendLow(bytes, tensor.double_data(), 8);
    break;
  case proto::TensorProto::INT64:
    appendLow(bytes, tensor.int64_data(), 8);
    break;
  case proto::TensorProto::UINT32:
  case proto::TensorProto::UINT64:
    appendLow(bytes, tensor.uint64_data(), bits / 8);
    break;
  case proto::TensorProto::FLOAT6E2M3:
  case proto::TensorProto::FLOAT6E3M2:
    packSixBits(bytes, tensor.int32_data());
    break;
  case proto::TensorProto::BOOL:
    appendLow(bytes, tensor.int32_data(), 4);
    for (int i = 0; i < tensor.int32_data_size(); ++i)
      bytes[i] = tensor.int32_data(i) != 0;
    bytes.truncate(tensor.int32_data_size());
    break;
  default:
    appendLow(bytes, tensor.int32_data(), std::max<int64_t>(bits / 8, 1));
    break;
  }
  found = bytes.size() * 8 / bits;
  return bytes;
}

static bool hasTypedData(const proto::TensorProto &tensor) {
  return tensor.float_data_size() || tensor.int32_data_size() ||
         tensor.int64_data_size() || tensor.double_data_size() ||
         tensor.uint64_data_size() || tensor.string_data_size();
}

FailureOr<ElementsAttr> TensorReader::read(proto::TensorProto &tensor,
                                           EmitError emitError) {
  if (ElementsAttr known = cache.lookup(&tensor))
    return known;
  std::string name = tensor.name();
  FailureOr<ElementsAttr> result = convert(tensor, [&] {
    InFlightDiagnostic diag = emitError();
    if (!name.empty())
      diag << "tensor '" << name << "': ";
    return diag;
  });
  if (succeeded(result))
    cache[&tensor] = *result;
  return result;
}

FailureOr<ElementsAttr> TensorReader::convert(proto::TensorProto &tensor,
                                              EmitError emitError) {
  if (tensor.has_segment())
    return emitError() << "expected a whole tensor, got a segment of one";
  int64_t count;
  SmallVector<int64_t> dims(tensor.dims().begin(), tensor.dims().end());
  FailureOr<RankedTensorType> type =
      getType(dims, tensor.data_type(), count, emitError);
  if (failed(type))
    return failure();
  bool isExternal = tensor.data_location() == proto::TensorProto::EXTERNAL;
  if ((tensor.external_data_size() != 0 && !isExternal) ||
      (isExternal && (tensor.has_raw_data() || hasTypedData(tensor))) ||
      (tensor.has_raw_data() && hasTypedData(tensor)))
    return emitError() << "expected data in one place, got it in several";

  if (tensor.data_type() == proto::TensorProto::STRING) {
    if (isExternal || tensor.has_raw_data())
      return emitError() << "expected strings in string_data, got raw bytes";
    if (tensor.string_data_size() != count)
      return emitError() << "expected " << count << " strings for " << *type
                         << ", got " << tensor.string_data_size();
    SmallVector<StringRef> strings;
    for (const std::string &string : tensor.string_data())
      strings.push_back(string);
    return cast<ElementsAttr>(DenseElementsAttr::get(*type, strings));
  }

  Type element = type->getElementType();
  int64_t size = llvm::divideCeil(count * getElementBits(element), 8);
  if (isExternal)
    return mapExternal(tensor, *type, count, size, emitError);

  if (!tensor.has_raw_data()) {
    int64_t found;
    SmallVector<char, 0> bytes = readTypedData(tensor, element, found);
    if ((int64_t)bytes.size() != size)
      return emitError() << "expected " << count << " elements for " << *type
                         << ", got " << found;
    if (size <= maxDenseBytes)
      return getDense(*type, bytes, count);
    return getResource(*type, tensor.name(), copyToBlob(bytes));
  }

  if ((int64_t)tensor.raw_data().size() != size)
    return emitError() << "expected " << size << " bytes for " << *type
                       << ", got " << tensor.raw_data().size();
  ArrayRef<char> raw(tensor.raw_data().data(), size);
  if (size <= maxDenseBytes)
    return getDense(*type, raw, count);
  if (element.isInteger(1))
    return getResource(*type, tensor.name(), copyToBlob(normalizeBools(raw)));
  auto *owned = tensor.release_raw_data();
  // Memory from the heap is aligned for any element of ours.
  return getResource(*type, tensor.name(),
                     AsmResourceBlob(
                         ArrayRef<char>(owned->data(), size),
                         alignof(std::max_align_t),
                         [owned](void *, size_t, size_t) { delete owned; },
                         /*dataIsMutable=*/false));
}

/// Where in which file the bytes of an external tensor lie.
namespace {
struct ExternalPlace {
  std::string location;
  std::optional<uint64_t> offset, length;
};
} // namespace

static FailureOr<ExternalPlace> readPlace(const proto::TensorProto &tensor,
                                          EmitError emitError) {
  ExternalPlace place;
  bool hasLocation = false;
  for (const auto &entry : tensor.external_data()) {
    bool duplicate = false;
    if (entry.key() == "location") {
      duplicate = hasLocation;
      hasLocation = true;
      place.location = entry.value();
    } else if (entry.key() == "offset" || entry.key() == "length") {
      auto &number = entry.key() == "offset" ? place.offset : place.length;
      duplicate = number.has_value();
      uint64_t value;
      StringRef text = entry.value();
      if (text.getAsInteger(10, value) || value > (uint64_t)INT64_MAX)
        return emitError() << "expected a number of bytes as external "
                           << entry.key() << ", got '" << text << "'";
      number = value;
    } else if (entry.key() != "checksum") {
      return emitError() << "expected external data keys location, offset, "
                            "length or checksum, got '"
                         << entry.key() << "'";
    }
    if (duplicate)
      return emitError() << "expected one external " << entry.key()
                         << ", got several";
  }
  if (!hasLocation)
    return emitError() << "expected a location of external data, got none";
  return place;
}

FailureOr<ElementsAttr> TensorReader::mapExternal(proto::TensorProto &tensor,
                                                  RankedTensorType type,
                                                  int64_t count, int64_t size,
                                                  EmitError emitError) {
  FailureOr<ExternalPlace> place = readPlace(tensor, emitError);
  if (failed(place))
    return failure();
  std::string error;
  std::shared_ptr<MappedFile> file = external.open(place->location, error);
  if (!file)
    return emitError() << "external data: " << error;
  if (place->length && *place->length != (uint64_t)size)
    return emitError() << "expected " << size << " bytes for " << type
                       << ", got external length " << *place->length;
  uint64_t offset = place->offset.value_or(0),
           fileSize = file->getBytes().size();
  if ((uint64_t)size > fileSize || offset > fileSize - size)
    return emitError() << "expected " << size << " bytes at offset " << offset
                       << " of '" << place->location << "', got a file of "
                       << fileSize;
  ArrayRef<char> bytes = file->getBytes().slice(offset, size);
  if (size <= maxDenseBytes)
    return getDense(type, bytes, count);
  Type element = type.getElementType();
  if (element.isInteger(1))
    return getResource(type, tensor.name(), copyToBlob(normalizeBools(bytes)));
  uint64_t align = std::max<int64_t>(getElementBits(element) / 8, 1);
  if (offset % align != 0)
    return getResource(type, tensor.name(), copyToBlob(bytes));
  return getResource(type, tensor.name(),
                     AsmResourceBlob(
                         bytes, align, [file](void *, size_t, size_t) {},
                         /*dataIsMutable=*/false));
}

FailureOr<ElementsAttr> TensorReader::read(proto::SparseTensorProto &sparse,
                                           EmitError emitError) {
  if (ElementsAttr known = cache.lookup(&sparse))
    return known;
  int64_t count;
  SmallVector<int64_t> dims(sparse.dims().begin(), sparse.dims().end());
  FailureOr<RankedTensorType> type =
      getType(dims, sparse.values().data_type(), count, emitError);
  if (failed(type))
    return failure();
  Type element = type->getElementType();
  int64_t bits = element.isIntOrFloat() ? getElementBits(element) : 0;
  if (bits < 8)
    return emitError() << "expected a sparse tensor of whole-byte numbers, got "
                       << *type;
  if (count > limits.sparseBytes / (bits / 8))
    return emitError() << "expected a sparse tensor of at most "
                       << limits.sparseBytes << " bytes, got " << *type;

  FailureOr<ElementsAttr> values = read(*sparse.mutable_values(), emitError);
  FailureOr<ElementsAttr> indices = read(*sparse.mutable_indices(), emitError);
  if (failed(values) || failed(indices))
    return failure();
  int64_t nonZeros = values->getNumElements();
  ArrayRef<int64_t> indexShape = indices->getShapedType().getShape();
  bool linear = indexShape.size() == 1;
  if (!indices->getElementType().isInteger(64) ||
      values->getShapedType().getRank() != 1 ||
      !(linear ? indexShape[0] == nonZeros
               : indexShape.size() == 2 && indexShape[0] == nonZeros &&
                     indexShape[1] == (int64_t)dims.size()))
    return emitError() << "expected 64-bit indices for " << nonZeros
                       << " values of rank " << dims.size() << ", got "
                       << indices->getType();

  // Only what is large lies in a blob; both forms give their bytes.
  auto getBytes = [](ElementsAttr attr) -> ArrayRef<char> {
    if (auto resource = dyn_cast<DenseResourceElementsAttr>(attr))
      return resource.getRawHandle().getBlob()->getData();
    return cast<DenseElementsAttr>(attr).getRawData();
  };
  SmallVector<int64_t> positions;
  if (auto dense = dyn_cast<DenseElementsAttr>(*indices))
    llvm::append_range(positions, dense.getValues<int64_t>());
  else
    llvm::append_range(
        positions, ArrayRef<int64_t>((const int64_t *)getBytes(*indices).data(),
                                     indices->getNumElements()));
  SmallVector<char, 0> valueBytes;
  int64_t bytesEach = bits / 8;
  auto denseValues = dyn_cast<DenseElementsAttr>(*values);
  if (denseValues && element.isInteger(1))
    for (bool value : denseValues.getValues<bool>())
      valueBytes.push_back(value);
  else
    llvm::append_range(valueBytes, getBytes(*values));
  bool splat = denseValues && denseValues.isSplat() && !element.isInteger(1);

  SmallVector<char, 0> bytes(count * bytesEach, 0);
  for (int64_t i = 0; i < nonZeros; ++i) {
    int64_t position = linear ? positions[i] : 0;
    bool inside = position >= 0 && position < count;
    if (!linear)
      for (auto [d, dim] : llvm::enumerate(dims)) {
        int64_t index = positions[i * dims.size() + d];
        inside &= index >= 0 && index < dim;
        position = inside ? position * dim + index : 0;
      }
    if (!inside)
      return emitError() << "expected indices inside " << *type
                         << ", got another for value " << i;
    std::memcpy(&bytes[position * bytesEach],
                &valueBytes[splat ? 0 : i * bytesEach], bytesEach);
  }
  ElementsAttr result =
      (int64_t)bytes.size() <= maxDenseBytes
          ? getDense(*type, bytes, count)
          : getResource(*type, sparse.values().name(), copyToBlob(bytes));
  cache[&sparse] = result;
  return result;
}
