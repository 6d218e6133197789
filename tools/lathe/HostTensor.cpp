// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Tensors in memory: creation, random contents, comparison.

#include "HostTensor.h"
#include "HostValue.h"
#include "llvm/ADT/APFloat.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/MathExtras.h"
#include "llvm/Support/raw_ostream.h"
#include <cmath>
#include <cstdlib>
#include <cstring>

using namespace lathe::driver;
using namespace llvm;

bool lathe::driver::operator==(DLDataType a, DLDataType b) {
  return a.code == b.code && a.bits == b.bits && a.lanes == b.lanes;
}

//===----------------------------------------------------------------------===//
// Sizes and names
//===----------------------------------------------------------------------===//

Expected<HostTensor> HostTensor::create(DLDataType dtype,
                                        ArrayRef<int64_t> shape) {
  HostTensor tensor;
  tensor.dtype = dtype;
  tensor.shape = shape.vec();
  int64_t count = 1, bits = 0;
  bool empty = is_contained(shape, 0);
  for (int64_t size : shape)
    if (size < 0 || (!empty && MulOverflow(count, size, count)))
      return createStringError("expected a shape that fits in memory, got " +
                               toString(shape));
  if (empty)
    count = 0;
  if (MulOverflow(count, int64_t(dtype.bits) * dtype.lanes, bits) ||
      bits > INT64_MAX - 1024)
    return createStringError("expected a shape that fits in memory, got " +
                             toString(shape));
  size_t bytes = alignTo((bits + 7) / 8 + 1, 64);
  char *memory = static_cast<char *>(std::aligned_alloc(64, bytes));
  if (!memory)
    return createStringError("cannot allocate " + Twine(bytes) + " bytes");
  std::memset(memory, 0, bytes);
  tensor.data.reset(memory, std::free);
  return tensor;
}

int64_t HostTensor::getNumElements() const {
  int64_t count = 1;
  for (int64_t size : shape)
    count *= size;
  return count;
}

int64_t HostTensor::getNumBytes() const {
  return (getNumElements() * dtype.bits * dtype.lanes + 7) / 8;
}

DLTensor HostTensor::getView() const {
  DLTensor view = {};
  view.data = data.get();
  view.device = {kDLCPU, 0};
  view.ndim = static_cast<int32_t>(shape.size());
  view.dtype = dtype;
  view.shape = const_cast<int64_t *>(shape.data());
  // A tensor without a shape asks the runtime to make it.
  static int64_t none;
  if (!view.shape)
    view.shape = &none;
  return view;
}

std::string lathe::driver::toString(DLDataType dtype) {
  std::string lanes = dtype.lanes == 1 ? "" : "x" + std::to_string(dtype.lanes);
  switch (dtype.code) {
  case kDLBool:
    return "bool" + lanes;
  case kDLInt:
    return "int" + std::to_string(dtype.bits) + lanes;
  case kDLUInt:
    return "uint" + std::to_string(dtype.bits) + lanes;
  case kDLFloat:
    return "float" + std::to_string(dtype.bits) + lanes;
  case kDLBfloat:
    return "bfloat" + std::to_string(dtype.bits) + lanes;
  case kDLComplex:
    return "complex" + std::to_string(dtype.bits) + lanes;
  case kDLFloat8_e4m3fn:
    return "float8e4m3fn";
  case kDLFloat8_e4m3fnuz:
    return "float8e4m3fnuz";
  case kDLFloat8_e5m2:
    return "float8e5m2";
  case kDLFloat8_e5m2fnuz:
    return "float8e5m2fnuz";
  case kDLFloat8_e8m0fnu:
    return "float8e8m0";
  case kDLFloat4_e2m1fn:
    return "float4e2m1";
  case kDLFloat6_e2m3fn:
    return "float6e2m3";
  case kDLFloat6_e3m2fn:
    return "float6e3m2";
  default:
    return "dlpack<" + std::to_string(dtype.code) + ", " +
           std::to_string(dtype.bits) + ">";
  }
}

std::string lathe::driver::toString(ArrayRef<int64_t> shape) {
  std::string text;
  raw_string_ostream os(text);
  os << '[';
  interleaveComma(shape, os);
  os << ']';
  return text;
}

//===----------------------------------------------------------------------===//
// Elements
//===----------------------------------------------------------------------===//

/// The format of a floating-point type of 16 bits or less, or null.
static const fltSemantics *getNarrowSemantics(DLDataType dtype) {
  switch (dtype.code) {
  case kDLFloat:
    return dtype.bits == 16 ? &APFloat::IEEEhalf() : nullptr;
  case kDLBfloat:
    return &APFloat::BFloat();
  case kDLFloat8_e4m3fn:
    return &APFloat::Float8E4M3FN();
  case kDLFloat8_e4m3fnuz:
    return &APFloat::Float8E4M3FNUZ();
  case kDLFloat8_e5m2:
    return &APFloat::Float8E5M2();
  case kDLFloat8_e5m2fnuz:
    return &APFloat::Float8E5M2FNUZ();
  case kDLFloat8_e8m0fnu:
    return &APFloat::Float8E8M0FNU();
  case kDLFloat4_e2m1fn:
    return &APFloat::Float4E2M1FN();
  case kDLFloat6_e2m3fn:
    return &APFloat::Float6E2M3FN();
  case kDLFloat6_e3m2fn:
    return &APFloat::Float6E3M2FN();
  default:
    return nullptr;
  }
}

ElementReader::ElementReader(const HostTensor &tensor) : tensor(tensor) {
  const fltSemantics *semantics = getNarrowSemantics(tensor.dtype);
  if (!semantics)
    return;
  codes.resize(size_t(1) << tensor.dtype.bits);
  for (auto [code, value] : enumerate(codes))
    value =
        APFloat(*semantics, APInt(tensor.dtype.bits, code)).convertToFloat();
}

/// The bits of an element, which may be less than a byte (low bits first).
static uint64_t getBits(const HostTensor &tensor, int64_t index) {
  unsigned bits = tensor.dtype.bits;
  uint64_t value = 0;
  if (bits < 8) {
    // There is room behind the last byte.
    std::memcpy(&value, tensor.data.get() + index * bits / 8, 2);
    return (value >> (index * bits % 8)) & ((1u << bits) - 1);
  }
  std::memcpy(&value, tensor.data.get() + index * (bits / 8), bits / 8);
  return value;
}

/// Sets the bits of an element; those of a tensor of zeros, where it is
/// narrower than a byte.
static void setBits(HostTensor &tensor, int64_t index, uint64_t bits) {
  unsigned width = tensor.dtype.bits;
  if (width >= 8) {
    std::memcpy(tensor.data.get() + index * (width / 8), &bits, width / 8);
    return;
  }
  uint16_t held;
  char *at = tensor.data.get() + index * width / 8;
  std::memcpy(&held, at, sizeof(held));
  held |= (bits & ((1u << width) - 1)) << (index * width % 8);
  std::memcpy(at, &held, sizeof(held));
}

static bool isFloat(DLDataType dtype) {
  return dtype.code != kDLInt && dtype.code != kDLUInt && dtype.code != kDLBool;
}

double ElementReader::operator[](int64_t index) const {
  uint64_t bits = getBits(tensor, index);
  if (!codes.empty())
    return codes[bits];
  if (tensor.dtype.code == kDLInt)
    return static_cast<double>(SignExtend64(bits, tensor.dtype.bits));
  if (tensor.dtype.code == kDLUInt || tensor.dtype.code == kDLBool)
    return static_cast<double>(bits);
  return tensor.dtype.bits == 32 ? bit_cast<float>(static_cast<uint32_t>(bits))
                                 : bit_cast<double>(bits);
}

std::string lathe::driver::getElementText(const HostTensor &tensor,
                                          int64_t index) {
  if (tensor.dtype.code == kDLInt)
    return std::to_string(
        SignExtend64(getBits(tensor, index), tensor.dtype.bits));
  if (tensor.dtype.code == kDLUInt)
    return std::to_string(getBits(tensor, index));
  if (tensor.dtype.code == kDLBool)
    return getBits(tensor, index) ? "true" : "false";
  std::string text;
  raw_string_ostream(text) << format(tensor.dtype.bits == 64 ? "%.17g" : "%.9g",
                                     ElementReader(tensor)[index]);
  return text;
}

//===----------------------------------------------------------------------===//
// Random contents
//===----------------------------------------------------------------------===//

/// SplitMix64 (Steele, Lea and Flood 2014): every index has its own number.
static uint64_t mix(uint64_t value) {
  value += 0x9e3779b97f4a7c15;
  value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9;
  value = (value ^ (value >> 27)) * 0x94d049bb133111eb;
  return value ^ (value >> 31);
}

Error lathe::driver::fillRandom(HostTensor &tensor, uint64_t seed, int64_t low,
                                int64_t high) {
  DLDataType dtype = tensor.dtype;
  if (dtype.lanes != 1 || dtype.code == kDLComplex ||
      dtype.code == kDLOpaqueHandle)
    return createStringError("cannot make random " + toString(dtype));
  const fltSemantics *narrow = getNarrowSemantics(dtype);
  uint64_t range = static_cast<uint64_t>(high) - static_cast<uint64_t>(low);
  for (int64_t i = 0, e = tensor.getNumElements(); i < e; ++i) {
    uint64_t number = mix(mix(seed) ^ static_cast<uint64_t>(i));
    double unit = static_cast<double>(number >> 40) * 0x1p-23 - 1;
    uint64_t bits;
    if (dtype.code == kDLBool) {
      bits = number >> 63;
    } else if (!isFloat(dtype)) {
      bits = static_cast<uint64_t>(low) + number % range;
    } else if (narrow) {
      APFloat value(unit);
      bool lost;
      value.convert(*narrow, APFloat::rmNearestTiesToEven, &lost);
      bits = value.bitcastToAPInt().getZExtValue();
    } else {
      bits = dtype.bits == 32 ? bit_cast<uint32_t>(static_cast<float>(unit))
                              : bit_cast<uint64_t>(unit);
    }
    setBits(tensor, i, bits);
  }
  return Error::success();
}

//===----------------------------------------------------------------------===//
// Between types
//===----------------------------------------------------------------------===//

Expected<HostTensor> lathe::driver::readAs(const HostTensor &tensor,
                                           DLDataType dtype) {
  bool isCode = tensor.dtype == DLDataType{kDLOpaqueHandle, 8, 1};
  bool isByte = (tensor.dtype.code == kDLInt || tensor.dtype.code == kDLUInt) &&
                tensor.dtype.code == dtype.code && tensor.dtype.bits == 8;
  bool isNarrow = dtype.lanes == 1 && (dtype.bits < 8 || dtype.code > kDLBool);
  if (tensor.dtype == dtype || !isNarrow || !(isCode || isByte))
    return tensor;
  HostTensor result = tensor;
  result.dtype = dtype;
  if (dtype.bits == 8)
    return result;
  Expected<HostTensor> packed = HostTensor::create(dtype, tensor.shape);
  if (!packed)
    return packed.takeError();
  bool isSigned = dtype.code == kDLInt;
  for (int64_t i = 0, e = tensor.getNumElements(); i < e; ++i) {
    uint64_t bits = getBits(tensor, i);
    bool fits = isSigned ? isIntN(dtype.bits, SignExtend64(bits, 8))
                         : isUIntN(dtype.bits, bits);
    if (isByte && !fits)
      return createStringError("expected numbers that fit " + toString(dtype) +
                               ", got " + getElementText(tensor, i));
    setBits(*packed, i, bits);
  }
  return packed;
}

HostTensor lathe::driver::spreadToBytes(const HostTensor &tensor) {
  bool isSigned = tensor.dtype.code == kDLInt;
  HostTensor bytes = tensor;
  bytes.dtype = {kDLOpaqueHandle, 8, 1};
  if (tensor.dtype.bits >= 8)
    return bytes;
  int64_t count = tensor.getNumElements();
  bytes.data.reset(new char[count + 1], std::default_delete<char[]>());
  for (int64_t i = 0; i < count; ++i) {
    uint64_t bits = getBits(tensor, i);
    bytes.data.get()[i] = static_cast<char>(
        isSigned ? SignExtend64(bits, tensor.dtype.bits) : bits);
  }
  return bytes;
}

//===----------------------------------------------------------------------===//
// Reports
//===----------------------------------------------------------------------===//

std::string lathe::driver::summarize(const HostTensor &tensor) {
  if (tensor.value)
    return summarizeValue(tensor);
  std::string text;
  raw_string_ostream os(text);
  os << toString(tensor.dtype) << toString(tensor.shape);
  int64_t count = tensor.getNumElements();
  if (!count || tensor.dtype.code == kDLComplex)
    return text;
  ElementReader read(tensor);
  double least = read[0], greatest = read[0], sum = 0;
  for (int64_t i = 0; i < count; ++i) {
    double value = read[i];
    least = std::isnan(value) ? value : std::min(least, value);
    greatest = std::isnan(value) ? value : std::max(greatest, value);
    sum += value;
  }
  if (count <= 8) {
    os << " =";
    for (int64_t i = 0; i < count; ++i)
      os << ' ' << getElementText(tensor, i);
    return text;
  }
  os << format(" min %.6g, mean %.6g, max %.6g", least,
               sum / static_cast<double>(count), greatest);
  return text;
}

/// Like "[1, 0, 5]": where the element lies.
static std::string getPosition(ArrayRef<int64_t> shape, int64_t index) {
  std::vector<int64_t> position(shape.size());
  for (size_t d = shape.size(); d-- > 0; index /= shape[d])
    position[d] = index % shape[d];
  return toString(position);
}

Mismatch lathe::driver::compareTensors(const HostTensor &expected,
                                       const HostTensor &got, double rtol,
                                       double atol) {
  if (expected.value || got.value)
    return compareValues(expected, got, rtol, atol);
  Mismatch result;
  if (!(expected.dtype == got.dtype) || expected.shape != got.shape) {
    result.count = 1;
    result.message = "expected " + toString(expected.dtype) +
                     toString(expected.shape) + ", got " + toString(got.dtype) +
                     toString(got.shape);
    return result;
  }
  // Complex numbers are compared part by part.
  HostTensor want = expected, have = got;
  if (expected.dtype.code == kDLComplex) {
    DLDataType part = {kDLFloat, static_cast<uint8_t>(expected.dtype.bits / 2),
                       1};
    want.dtype = have.dtype = part;
    want.shape.push_back(2);
    have.shape = want.shape;
  }
  ElementReader wanted(want), had(have);
  int64_t first = -1, count = want.getNumElements();
  for (int64_t i = 0; i < count; ++i) {
    bool good;
    if (!isFloat(want.dtype)) {
      good = getBits(want, i) == getBits(have, i);
      if (!good)
        result.maxAbsolute =
            std::max(result.maxAbsolute, std::abs(had[i] - wanted[i]));
    } else {
      double a = wanted[i], b = had[i];
      double error = std::abs(b - a);
      good = a == b || (std::isnan(a) && std::isnan(b)) ||
             (std::isfinite(a) && error <= atol + rtol * std::abs(a));
      if (a != b && std::isfinite(error)) {
        result.maxAbsolute = std::max(result.maxAbsolute, error);
        if (a != 0)
          result.maxRelative =
              std::max(result.maxRelative, error / std::abs(a));
      }
    }
    if (!good) {
      first = first < 0 ? i : first;
      ++result.count;
    }
  }
  if (!result.count)
    return result;
  raw_string_ostream os(result.message);
  os << "element " << getPosition(want.shape, first) << ": expected "
     << getElementText(want, first) << ", got " << getElementText(have, first)
     << " (" << result.count << " of " << count
     << format(" elements differ, at most %.3g absolute, %.3g relative)",
               result.maxAbsolute, result.maxRelative);
  return result;
}
