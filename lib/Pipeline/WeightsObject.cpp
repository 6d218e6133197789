// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Weights go from the model's file to the artifact without passing through
// LLVM: the object is written here, byte by byte, one weight in memory at a
// time.

#include "lathe/Dialect/Lathe/IR/MinimalFilter.h"
#include "lathe/Pipeline/Artifact.h"
#include "lathe/Transforms/Fusion/ProgramOps.h"

#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/DialectResourceBlobManager.h"
#include "llvm/ADT/bit.h"
#include "llvm/BinaryFormat/ELF.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MathExtras.h"
#include "llvm/Support/raw_ostream.h"

using namespace mlir;
using namespace lathe;

static constexpr uint64_t pageBytes = 4096;

namespace {
/// A dense tensor of bytes on its way through a recipe. Points into the model
/// until a step has to make a copy.
struct Bytes {
  SmallVector<int64_t> shape;
  int64_t elementBytes;
  ArrayRef<char> data;
  std::vector<char> storage;

  void own(std::vector<char> made) {
    storage = std::move(made);
    data = storage;
  }
};
} // namespace

/// Spreads elements of `bits` bits, packed from the lowest bit of the first
/// byte on, to one byte each; `isSigned` ones are extended by their sign.
static void unpack(ArrayRef<char> packed, unsigned bits, bool isSigned,
                   std::vector<char> &bytes) {
  for (size_t i = 0; i < bytes.size(); ++i) {
    size_t at = i * bits / 8;
    unsigned word = uint8_t(packed[at]);
    if (at + 1 < packed.size())
      word |= unsigned(uint8_t(packed[at + 1])) << 8;
    unsigned code = (word >> (i * bits % 8)) & ((1u << bits) - 1);
    bytes[i] = isSigned ? char(llvm::SignExtend32(code, bits)) : char(code);
  }
}

/// The elements of an attribute in row-major order, bools and what is narrower
/// than a byte as bytes.
static llvm::Error load(ElementsAttr value, Bytes &bytes) {
  auto type = cast<RankedTensorType>(value.getType());
  bytes.shape.assign(type.getShape().begin(), type.getShape().end());
  bytes.elementBytes = getElementBytes(type.getElementType());
  size_t size = type.getNumElements() * bytes.elementBytes;
  unsigned bits = type.getElementTypeBitWidth();
  bool isPacked = bits < 8 && !type.getElementType().isInteger(1);
  if (isPacked)
    size = llvm::divideCeil(type.getNumElements() * bits, 8);
  if (auto resource = dyn_cast<DenseResourceElementsAttr>(value)) {
    AsmResourceBlob *blob = resource.getRawHandle().getBlob();
    if (!blob || blob->getData().size() != size)
      return llvm::createStringError(
          "weight '%s': expected %zu bytes, got %zu",
          resource.getRawHandle().getKey().str().c_str(), size,
          blob ? blob->getData().size() : size_t(0));
    bytes.data = blob->getData();
    if (isPacked) {
      std::vector<char> unpacked(type.getNumElements());
      unpack(bytes.data, bits, type.getElementType().isSignlessInteger(),
             unpacked);
      bytes.own(std::move(unpacked));
    }
    return llvm::Error::success();
  }
  auto dense = dyn_cast<DenseElementsAttr>(value);
  if (!dense)
    return llvm::createStringError("expected dense weights");
  if (type.getElementType().isInteger(1)) {
    std::vector<char> unpacked;
    for (bool bit : dense.getValues<bool>())
      unpacked.push_back(bit);
    bytes.own(std::move(unpacked));
    return llvm::Error::success();
  }
  if (!dense.isSplat()) {
    bytes.data = dense.getRawData();
    return llvm::Error::success();
  }
  std::vector<char> repeated(size);
  for (size_t i = 0; i < size; i += bytes.elementBytes)
    memcpy(&repeated[i], dense.getRawData().data(), bytes.elementBytes);
  bytes.own(std::move(repeated));
  return llvm::Error::success();
}

/// Calls `body` with the offset, in elements, of every index of a strided view.
template <typename Body>
static void forEachOffset(ArrayRef<int64_t> shape, ArrayRef<int64_t> from,
                          ArrayRef<int64_t> to, Body body) {
  SmallVector<int64_t> index(shape.size());
  int64_t source = 0, target = 0;
  for (int64_t i = 0, e = ShapedType::getNumElements(shape); i < e; ++i) {
    body(source, target);
    for (int64_t d = (int64_t)shape.size() - 1; d >= 0; --d) {
      source += from[d];
      target += to[d];
      if (++index[d] < shape[d])
        break;
      source -= index[d] * from[d];
      target -= index[d] * to[d];
      index[d] = 0;
    }
  }
}

/// Rows and columns of the squares in which transposes go: both sides of one
/// stay in the first-level cache.
static constexpr int64_t squareSize = 32;

/// Copies a strided view to dense memory: `strides` of the source, in elements,
/// for each dimension of the result.
template <size_t N>
static void gather(const char *from, char *to, ArrayRef<int64_t> shape,
                   ArrayRef<int64_t> strides) {
  if (shape.empty()) {
    memcpy(to, from, N);
    return;
  }
  size_t last = shape.size() - 1;
  SmallVector<int64_t> dense(shape.size(), 1);
  for (size_t d = last; d > 0; --d)
    dense[d - 1] = dense[d] * shape[d];
  // The dimension along which the source is contiguous: the last one, or one
  // with which it is transposed.
  size_t row = llvm::find(strides, 1) - strides.begin();
  if (row > last)
    row = last;
  SmallVector<int64_t> outerShape, outerFrom, outerTo;
  for (size_t d = 0; d < last; ++d)
    if (d != row) {
      outerShape.push_back(shape[d]);
      outerFrom.push_back(strides[d]);
      outerTo.push_back(dense[d]);
    }
  int64_t columns = shape[last], step = strides[last];
  int64_t rows = row == last ? 1 : shape[row];
  int64_t rowFrom = row == last ? 0 : strides[row];
  int64_t rowTo = row == last ? 0 : dense[row];
  forEachOffset(
      outerShape, outerFrom, outerTo, [&](int64_t source, int64_t target) {
        for (int64_t r0 = 0; r0 < rows; r0 += squareSize)
          for (int64_t c0 = 0; c0 < columns; c0 += squareSize)
            for (int64_t r = r0, re = std::min(rows, r0 + squareSize); r < re;
                 ++r) {
              const char *in = from + (source + r * rowFrom + c0 * step) * N;
              char *out = to + (target + r * rowTo + c0) * N;
              for (int64_t c = c0, ce = std::min(columns, c0 + squareSize);
                   c < ce; ++c, in += step * N, out += N)
                memcpy(out, in, N);
            }
      });
}

static void permute(Bytes &bytes, ArrayRef<int64_t> perm) {
  SmallVector<int64_t> source(bytes.shape.size(), 1);
  for (int64_t d = (int64_t)source.size() - 2; d >= 0; --d)
    source[d] = source[d + 1] * bytes.shape[d + 1];
  SmallVector<int64_t> shape, strides;
  for (int64_t d : perm) {
    shape.push_back(bytes.shape[d]);
    strides.push_back(source[d]);
  }
  std::vector<char> made(bytes.data.size());
  switch (made.empty() ? 0 : bytes.elementBytes) {
  case 1:
    gather<1>(bytes.data.data(), made.data(), shape, strides);
    break;
  case 2:
    gather<2>(bytes.data.data(), made.data(), shape, strides);
    break;
  case 4:
    gather<4>(bytes.data.data(), made.data(), shape, strides);
    break;
  case 8:
    gather<8>(bytes.data.data(), made.data(), shape, strides);
    break;
  default:
    break;
  }
  bytes.shape = shape;
  bytes.own(std::move(made));
}

/// What is cut off stays where it is owned.
static void slice(Bytes &bytes, SliceStepAttr step) {
  bytes.shape.assign(step.getShape().begin(), step.getShape().end());
  int64_t count = ShapedType::getNumElements(step.getShape());
  bytes.data = bytes.data.slice(step.getOffset() * bytes.elementBytes,
                                count * bytes.elementBytes);
}

static void keepStrided(Bytes &bytes, StrideStepAttr step) {
  int64_t axis = step.getAxis(), count = step.getCount();
  int64_t inner =
      bytes.elementBytes *
      ShapedType::getNumElements(ArrayRef(bytes.shape).drop_front(axis + 1));
  int64_t outer =
      ShapedType::getNumElements(ArrayRef(bytes.shape).take_front(axis));
  std::vector<char> made(outer * count * inner);
  for (int64_t o = 0; o < outer; ++o)
    for (int64_t i = 0; i < count; ++i) {
      int64_t from = step.getStart() + i * step.getStep();
      memcpy(&made[(o * count + i) * inner],
             bytes.data.data() + (o * bytes.shape[axis] + from) * inner, inner);
    }
  bytes.shape[axis] = count;
  bytes.own(std::move(made));
}

static void makePanels(Bytes &bytes, int64_t width) {
  int64_t last = bytes.shape.back();
  int64_t rows = ShapedType::getNumElements(ArrayRef(bytes.shape).drop_back());
  int64_t panels = llvm::divideCeil(last, width);
  int64_t size = bytes.elementBytes;
  std::vector<char> made(panels * rows * width * size);
  for (int64_t panel = 0; panel < panels; ++panel) {
    int64_t count = std::min(width, last - panel * width);
    for (int64_t row = 0; row < rows; ++row)
      memcpy(&made[(panel * rows + row) * width * size],
             bytes.data.data() + (row * last + panel * width) * size,
             count * size);
  }
  bytes.shape.back() = width;
  bytes.shape.insert(bytes.shape.begin(), panels);
  bytes.own(std::move(made));
}

static llvm::Error scale(Bytes &bytes, Type elementType, ScaleStepAttr step) {
  if (!elementType.isF32())
    return llvm::createStringError("expected f32 weights to scale");
  SmallVector<float> factors;
  for (APFloat factor : step.getFactors().getValues<APFloat>())
    factors.push_back(factor.convertToFloat());
  int64_t inner = ShapedType::getNumElements(
      ArrayRef(bytes.shape).drop_front(step.getAxis() + 1));
  int64_t count = bytes.shape[step.getAxis()];
  std::vector<char> made(bytes.data.begin(), bytes.data.end());
  auto *values = reinterpret_cast<float *>(made.data());
  int64_t outer = made.size() / 4 / std::max<int64_t>(1, inner * count);
  for (int64_t o = 0; o < outer; ++o)
    for (int64_t c = 0; c < count; ++c)
      for (int64_t i = 0; i < inner; ++i)
        *values++ *= factors[c];
  bytes.own(std::move(made));
  return llvm::Error::success();
}

/// `to[i, j] = sum rows[i][p] * from[p, q] * columns[j][q]`.
static void transformFilter(const MinimalFilter::Matrix &rows,
                            const MinimalFilter::Matrix &columns,
                            const float *from, float *to) {
  size_t height = rows.front().size(), width = columns.front().size();
  SmallVector<double> half(width);
  for (ArrayRef<double> row : rows) {
    for (size_t q = 0; q < width; ++q) {
      half[q] = 0;
      for (size_t p = 0; p < height; ++p)
        half[q] += row[p] * from[p * width + q];
    }
    for (ArrayRef<double> column : columns) {
      double sum = 0;
      for (size_t q = 0; q < width; ++q)
        sum += column[q] * half[q];
      *to++ = float(sum);
    }
  }
}

static llvm::Error transformFilters(Bytes &bytes, Type elementType,
                                    WinogradStepAttr step) {
  if (!elementType.isF32())
    return llvm::createStringError("expected f32 filters to transform");
  MutableArrayRef<int64_t> taps = MutableArrayRef(bytes.shape).take_back(2);
  auto rows = getMinimalFilter(step.getTile(), taps[0]);
  auto columns = getMinimalFilter(step.getTile(), taps[1]);
  size_t fromSize = taps[0] * taps[1];
  size_t toSize = rows->filter.size() * columns->filter.size();
  size_t count = bytes.data.size() / (fromSize * sizeof(float));
  std::vector<char> made(count * toSize * sizeof(float));
  // What points into a model's file may lie at any address.
  SmallVector<float> from(fromSize), to(toSize);
  for (size_t i = 0; i < count; ++i) {
    memcpy(from.data(), bytes.data.data() + i * fromSize * sizeof(float),
           fromSize * sizeof(float));
    transformFilter(rows->filter, columns->filter, from.data(), to.data());
    memcpy(made.data() + i * toSize * sizeof(float), to.data(),
           toSize * sizeof(float));
  }
  taps[0] = rows->filter.size();
  taps[1] = columns->filter.size();
  bytes.own(std::move(made));
  return llvm::Error::success();
}

/// The nearest `bf16`, ties to even, as its bits; no number becomes one.
static uint16_t roundToBF16(uint32_t bits) {
  if ((bits & 0x7fffffff) > 0x7f800000)
    return uint16_t(bits >> 16) | 0x40;
  return uint16_t((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

/// The same for `f16`.
static uint16_t roundToF16(uint32_t bits) {
  uint16_t sign = bits >> 16 & 0x8000;
  bits &= 0x7fffffff;
  if (bits > 0x7f800000)
    return sign | 0x7e00 | (bits >> 13 & 0x3ff);
  // Below the least normal number, 2^-14, steps are as wide as those of `f32`
  // are from 1/2 on.
  constexpr uint32_t leastNormal = 113u << 23, half = 126u << 23;
  if (bits < leastNormal) {
    float sum = llvm::bit_cast<float>(bits) + 0.5f;
    return sign | uint16_t(llvm::bit_cast<uint32_t>(sum) - half);
  }
  uint32_t rounded = (bits + 0xfff + (bits >> 13 & 1)) >> 13;
  return sign | uint16_t(std::min(rounded - (112u << 10), 0x7c00u));
}

/// Rounds numbers of `f32` to `element`.
static llvm::Error convert(Bytes &bytes, Type element, Location loc) {
  auto round = element.isBF16() ? roundToBF16 : roundToF16;
  uint16_t infinity = element.isBF16() ? 0x7f80 : 0x7c00;
  std::vector<char> made(bytes.data.size() / 2);
  for (size_t i = 0, e = made.size() / 2; i < e; ++i) {
    uint32_t from;
    memcpy(&from, bytes.data.data() + 4 * i, 4);
    uint16_t to = round(from);
    if ((to & 0x7fff) == infinity && (from & 0x7fffffff) != 0x7f800000) {
      llvm::SetVector<StringAttr> nodes;
      collectNodeNames(loc, nodes);
      std::string where =
          nodes.empty() ? "" : "node '" + nodes.front().str() + "': ";
      return llvm::createStringError(
          "%sexpected weights that %s has numbers for, got %g", where.c_str(),
          element.isBF16() ? "bf16" : "f16", llvm::bit_cast<float>(from));
    }
    memcpy(&made[2 * i], &to, 2);
  }
  bytes.elementBytes = 2;
  bytes.own(std::move(made));
  return llvm::Error::success();
}

llvm::Error lathe::writeWeights(const ProgramTables &tables,
                                llvm::raw_ostream &os) {
  int64_t written = 0;
  for (const ProgramTables::Weight &weight : tables.weights) {
    WeightOp op = weight.op;
    Bytes bytes;
    if (llvm::Error error = load(op.getValue(), bytes))
      return error;
    Type elementType =
        cast<ShapedType>(op.getValue().getType()).getElementType();
    for (Attribute step : op.getRecipe()) {
      if (auto permuteStep = dyn_cast<PermuteStepAttr>(step))
        permute(bytes, permuteStep.getPerm());
      else if (auto reshape = dyn_cast<ReshapeStepAttr>(step))
        bytes.shape.assign(reshape.getShape().begin(),
                           reshape.getShape().end());
      else if (auto sliceStep = dyn_cast<SliceStepAttr>(step))
        slice(bytes, sliceStep);
      else if (auto stride = dyn_cast<StrideStepAttr>(step))
        keepStrided(bytes, stride);
      else if (auto panel = dyn_cast<PanelStepAttr>(step))
        makePanels(bytes, panel.getWidth());
      else if (auto winograd = dyn_cast<WinogradStepAttr>(step)) {
        if (llvm::Error error = transformFilters(bytes, elementType, winograd))
          return error;
      } else if (auto convertStep = dyn_cast<ConvertStepAttr>(step)) {
        if (llvm::Error error =
                convert(bytes, convertStep.getElement(), op.getLoc()))
          return error;
        elementType = convertStep.getElement();
      } else if (llvm::Error error =
                     scale(bytes, elementType, cast<ScaleStepAttr>(step)))
        return error;
    }
    if ((int64_t)bytes.data.size() != weight.bytes)
      return llvm::createStringError("weight: expected %lld bytes, got %zu",
                                     (long long)weight.bytes,
                                     bytes.data.size());
    os.write_zeros(weight.offset - written);
    os.write(bytes.data.data(), bytes.data.size());
    written = weight.offset + weight.bytes;
  }
  os.write_zeros(tables.weightsBytes - written);
  return llvm::Error::success();
}

llvm::Error lathe::writeWeightsObject(const ProgramTables &tables,
                                      StringRef symbol,
                                      const llvm::Triple &triple,
                                      StringRef path) {
  using namespace llvm::ELF;
  std::error_code code;
  llvm::raw_fd_ostream os(path, code);
  if (code)
    return llvm::createFileError(path, code);

  // Section 1 is the weights', 2 symbols, 3 their names, 4 sections' names. The
  // large flag keeps code and small data within reach of each other.
  const char names[] = "\0.lrodata.weights\0.symtab\0.strtab\0.shstrtab";
  std::string strings = std::string(1, '\0') + symbol.str() + '\0';
  uint64_t weightsAt = pageBytes;
  uint64_t symbolsAt = llvm::alignTo(weightsAt + tables.weightsBytes, 8);
  uint64_t stringsAt = symbolsAt + 2 * sizeof(Elf64_Sym);
  uint64_t namesAt = stringsAt + strings.size();
  uint64_t sectionsAt = llvm::alignTo(namesAt + sizeof(names), 8);

  Elf64_Ehdr header = {};
  memcpy(header.e_ident, ElfMagic, 4);
  header.e_ident[EI_CLASS] = ELFCLASS64;
  header.e_ident[EI_DATA] = ELFDATA2LSB;
  header.e_ident[EI_VERSION] = EV_CURRENT;
  header.e_type = ET_REL;
  header.e_machine = triple.isAArch64() ? EM_AARCH64 : EM_X86_64;
  header.e_version = EV_CURRENT;
  header.e_shoff = sectionsAt;
  header.e_ehsize = sizeof(Elf64_Ehdr);
  header.e_shentsize = sizeof(Elf64_Shdr);
  header.e_shnum = 5;
  header.e_shstrndx = 4;
  os.write(reinterpret_cast<const char *>(&header), sizeof(header));
  os.write_zeros(weightsAt - os.tell());
  if (llvm::Error error = writeWeights(tables, os))
    return error;

  os.write_zeros(symbolsAt - os.tell());
  Elf64_Sym symbols[2] = {};
  symbols[1].st_name = 1;
  symbols[1].setBindingAndType(STB_GLOBAL, STT_OBJECT);
  symbols[1].st_other = STV_HIDDEN;
  symbols[1].st_shndx = 1;
  symbols[1].st_size = tables.weightsBytes;
  os.write(reinterpret_cast<const char *>(symbols), sizeof(symbols));
  os << strings;
  os.write(names, sizeof(names));
  os.write_zeros(sectionsAt - os.tell());

  Elf64_Shdr sections[5] = {};
  uint64_t large =
      triple.getArch() == llvm::Triple::x86_64 ? SHF_X86_64_LARGE : 0;
  sections[1] = {1,
                 SHT_PROGBITS,
                 SHF_ALLOC | large,
                 0,
                 weightsAt,
                 (uint64_t)tables.weightsBytes,
                 0,
                 0,
                 pageBytes,
                 0};
  sections[2] = {18, SHT_SYMTAB,       0, 0, symbolsAt, sizeof(symbols), 3, 1,
                 8,  sizeof(Elf64_Sym)};
  sections[3] = {26, SHT_STRTAB, 0, 0, stringsAt, strings.size(), 0, 0, 1, 0};
  sections[4] = {34, SHT_STRTAB, 0, 0, namesAt, sizeof(names), 0, 0, 1, 0};
  os.write(reinterpret_cast<const char *>(sections), sizeof(sections));
  os.close();
  if (os.has_error()) {
    code = os.error();
    os.clear_error();
    return llvm::createFileError(path, code);
  }
  return llvm::Error::success();
}
