// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// By the method of Toom and Cook: both factors are polynomials, which are
// evaluated at points, multiplied there, and interpolated; transposed, that is
// a filter (Blahut, "Fast Algorithms for Signal Processing", 2010, chapter 5).
// The last point is infinity.
//
// The points decide the error. Those of pairs +p, -p let both share what is
// computed. With magnitudes on both sides of one that are not too far apart,
// powers of them stay near one (Barabasz et al., "Error Analysis and Improving
// the Accuracy of Winograd Convolution for Deep Neural Networks", ACM TOMS
// 46(4), 2020, arXiv 1803.10986). These have few bits, so that all sums and
// products of them up to the highest power are exact.

#include "lathe/Dialect/Lathe/IR/MinimalFilter.h"

#include "llvm/ADT/ArrayRef.h"

using namespace lathe;

using llvm::ArrayRef;
using llvm::SmallVector;

static constexpr double points4[] = {0, 1, -1};
static constexpr double points6[] = {0, 0.625, -0.625, 1.5, -1.5};
static constexpr double points8[] = {0, 0.5, -0.5, 1, -1, 2, -2};

static ArrayRef<double> getPoints(int64_t products) {
  switch (products) {
  case 4:
    return points4;
  case 6:
    return points6;
  case 8:
    return points8;
  default:
    return {};
  }
}

/// The coefficients of the product of `x - p` over all points but number
/// `without`, from the lowest power on, with zeros up to `size` of them.
static SmallVector<double> multiplyRoots(ArrayRef<double> points,
                                         size_t without, size_t size) {
  SmallVector<double> product(size, 0);
  product[0] = 1;
  size_t degree = 0;
  for (size_t i = 0; i < points.size(); ++i) {
    if (i == without)
      continue;
    ++degree;
    for (size_t k = degree + 1; k-- > 0;)
      product[k] = (k > 0 ? product[k - 1] : 0) - points[i] * product[k];
  }
  return product;
}

static double power(double base, int64_t exponent) {
  double result = 1;
  for (int64_t i = 0; i < exponent; ++i)
    result *= base;
  return result;
}

std::optional<MinimalFilter> lathe::getMinimalFilter(int64_t outputs,
                                                     int64_t taps) {
  if (outputs < 1 || taps < 1)
    return std::nullopt;
  size_t products = outputs + taps - 1;
  ArrayRef<double> points = getPoints(products);
  if (points.empty())
    return std::nullopt;
  MinimalFilter filter;
  for (size_t j = 0; j < products; ++j) {
    // No point is left out at infinity.
    filter.input.push_back(multiplyRoots(points, j, products));
    double scale = 1;
    for (size_t l = 0; j < points.size() && l < points.size(); ++l)
      if (l != j)
        scale *= points[j] - points[l];
    filter.filter.emplace_back();
    for (int64_t k = 0; k < taps; ++k)
      filter.filter.back().push_back(j < points.size()
                                         ? power(points[j], k) / scale
                                         : double(k == taps - 1));
  }
  for (int64_t i = 0; i < outputs; ++i) {
    filter.output.emplace_back();
    for (double point : points)
      filter.output.back().push_back(power(point, i));
    filter.output.back().push_back(i == outputs - 1);
  }
  return filter;
}
