// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Tensors in this program's memory: what is read from files, fed to models and
// compared.

#ifndef LATHE_TOOLS_LATHE_HOSTTENSOR_H
#define LATHE_TOOLS_LATHE_HOSTTENSOR_H

#include "lathe-rt/dlpack.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/Support/Error.h"
#include <memory>
#include <string>
#include <vector>

namespace lathe::driver {

struct HostValue;

/// A dense tensor, or (see HostValue.h) a value. Copies share the data.
struct HostTensor {
  DLDataType dtype = {kDLFloat, 32, 1};
  std::vector<int64_t> shape;
  std::shared_ptr<char> data;
  /// Not null where this is no plain tensor.
  std::shared_ptr<const HostValue> value = nullptr;

  /// Makes a tensor of zeros; fails if the size overflows or is not there.
  static llvm::Expected<HostTensor> create(DLDataType dtype,
                                           llvm::ArrayRef<int64_t> shape);
  int64_t getNumElements() const;
  int64_t getNumBytes() const;
  /// A view for the runtime; valid as long as this tensor.
  DLTensor getView() const;
};

bool operator==(DLDataType a, DLDataType b);

/// Like "float32" or "bool".
std::string toString(DLDataType dtype);
/// Like "[2, 3]".
std::string toString(llvm::ArrayRef<int64_t> shape);

/// Reads elements as double; every type of ONNX that has numbers.
class ElementReader {
public:
  explicit ElementReader(const HostTensor &tensor);
  double operator[](int64_t index) const;

private:
  const HostTensor &tensor;
  /// Values of all codes of a narrow floating-point type; else empty.
  std::vector<float> codes;
};

/// A value as text: integers exactly, floats so that they can be told apart.
std::string getElementText(const HostTensor &tensor, int64_t index);

/// Fills with numbers that depend on `seed` only: floats in [-1, 1), integers
/// in [low, high), bool both.
llvm::Error fillRandom(HostTensor &tensor, uint64_t seed, int64_t low,
                       int64_t high);

/// `tensor` as one of `dtype`, where its elements are bytes that stand for
/// elements of that type: bytes of no type (codes, as NumPy's files have them)
/// for a float of 8 bits or less or an integer narrower than a byte, or integers
/// of 8 bits that fit for narrower ones. Else `tensor` itself.
llvm::Expected<HostTensor> readAs(const HostTensor &tensor, DLDataType dtype);
/// A tensor of elements of 8 bits or less as bytes of no type, one for each.
HostTensor spreadToBytes(const HostTensor &tensor);

/// One line: type, shape, least, mean, greatest.
std::string summarize(const HostTensor &tensor);

/// The outcome of a comparison.
struct Mismatch {
  std::string message; ///< Empty where all elements agree.
  int64_t count = 0;
  double maxAbsolute = 0, maxRelative = 0;
};

/// Compares: floats agree if |got - expected| <= atol + rtol |expected|, or
/// both are NaN, or equal; everything else must be the same.
Mismatch compareTensors(const HostTensor &expected, const HostTensor &got,
                        double rtol, double atol);

} // namespace lathe::driver

#endif // LATHE_TOOLS_LATHE_HOSTTENSOR_H
