// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What becomes of the known elements of small tensors.

#include "Rules.h"
#include "Values.h"
#include "mlir/IR/BuiltinTypes.h"

using namespace mlir;
using namespace lathe::onnx;

std::optional<SmallVector<int64_t, 4>>
lathe::onnx::getSmallShape(const std::optional<Dims> &dims) {
  if (!dims)
    return std::nullopt;
  SmallVector<int64_t, 4> shape;
  int64_t count = 1;
  for (AffineExpr dim : *dims) {
    auto size = dim ? getConstant(simplify(dim)) : std::nullopt;
    if (!size || *size < 0 || llvm::MulOverflow(count, *size, count) ||
        count > SymbolicShapes::maxContents)
      return std::nullopt;
    shape.push_back(*size);
  }
  return shape;
}

void lathe::onnx::forEachIndex(ArrayRef<int64_t> shape,
                               function_ref<void(ArrayRef<int64_t>)> fn) {
  if (llvm::is_contained(shape, 0))
    return;
  SmallVector<int64_t> index(shape.size(), 0);
  while (true) {
    fn(index);
    int64_t d = static_cast<int64_t>(shape.size()) - 1;
    for (; d >= 0 && ++index[d] == shape[d]; --d)
      index[d] = 0;
    if (d < 0)
      return;
  }
}

int64_t lathe::onnx::getPosition(ArrayRef<int64_t> index,
                                 ArrayRef<int64_t> shape) {
  int64_t position = 0;
  for (auto [i, size] : llvm::zip_equal(index, shape))
    position = position * size + i;
  return position;
}

void lathe::onnx::moveContents(
    const TensorInfo &source, TensorInfo &result,
    function_ref<void(ArrayRef<int64_t>, MutableArrayRef<int64_t>)> locate) {
  auto from = getSmallShape(source.dims), to = getSmallShape(result.dims);
  if (!from || !to || !source.contents)
    return;
  result.contents.emplace();
  SmallVector<int64_t> index(from->size());
  forEachIndex(*to, [&](ArrayRef<int64_t> at) {
    locate(at, index);
    for (auto [i, size] : llvm::zip_equal(index, *from)) {
      if (i < 0 || i >= size) {
        result.contents->push_back({});
        return;
      }
    }
    result.contents->push_back((*source.contents)[getPosition(index, *from)]);
  });
}

AffineExpr lathe::onnx::getProduct(ArrayRef<AffineExpr> dims,
                                   MLIRContext *context) {
  AffineExpr product = getAffineConstantExpr(1, context);
  for (AffineExpr dim : dims)
    product = product * dim;
  return simplify(product);
}

TensorInfo lathe::onnx::join(const TensorInfo &a, const TensorInfo &b,
                             function_ref<AffineExpr(unsigned)> fresh) {
  if (a.valueType || b.valueType)
    return joinValues(a, b);
  TensorInfo both;
  both.elementType = a.elementType ? a.elementType : b.elementType;
  if (!a.dims || !b.dims || a.getRank() != b.getRank())
    return both;
  both.dims.emplace();
  for (auto [i, l] : llvm::enumerate(*a.dims))
    both.dims->push_back(l == (*b.dims)[i] ? l : fresh(i));
  if (both.dims == a.dims && a.contents && b.contents) {
    both.contents.emplace();
    for (auto [l, r] : llvm::zip_equal(*a.contents, *b.contents))
      both.contents->push_back(l.expr == r.expr && l.real == r.real ? l
                                                                    : Scalar());
  }
  return both;
}

//===----------------------------------------------------------------------===//
// Functions of elements
//===----------------------------------------------------------------------===//

static Scalar makeBool(const Scalar &like, bool value) {
  return Scalar(getAffineConstantExpr(value, like.expr.getContext()));
}

Scalar content::keep(Type, const Scalar &a, const Scalar &) { return a; }

Scalar content::keepWhole(Type, const Scalar &a, const Scalar &) {
  return a.expr ? a : Scalar();
}

Scalar content::negate(Type type, const Scalar &a, const Scalar &) {
  // The negative of a float zero is another number.
  if (!a.expr || (isa<FloatType>(type) && !isPositive(a.expr)))
    return {};
  return simplify(-a.expr);
}

Scalar content::add(Type, const Scalar &a, const Scalar &b) {
  if (!a.expr || !b.expr)
    return {};
  return simplify(a.expr + b.expr);
}

Scalar content::subtract(Type, const Scalar &a, const Scalar &b) {
  if (!a.expr || !b.expr)
    return {};
  return simplify(a.expr - b.expr);
}

Scalar content::multiply(Type type, const Scalar &a, const Scalar &b) {
  if (!a.expr || !b.expr)
    return {};
  // Zero times a negative float is another zero.
  if (isa<FloatType>(type) &&
      (!isNonNegative(a.expr) || !isNonNegative(b.expr)))
    return {};
  return simplify(a.expr * b.expr);
}

Scalar content::divide(Type type, const Scalar &a, const Scalar &b) {
  if (!a.expr || !b.expr || getConstant(b.expr) == 0)
    return {};
  auto l = getConstant(a.expr), r = getConstant(b.expr);
  if (isa<IntegerType>(type)) {
    if (l && r)
      return *r == -1
                 ? simplify(-a.expr)
                 : Scalar(getAffineConstantExpr(*l / *r, a.expr.getContext()));
    if (isNonNegative(a.expr) && isNonNegative(b.expr))
      return simplify(a.expr.floorDiv(b.expr));
    return {};
  }
  if (!isNonNegative(a.expr) || !isNonNegative(b.expr))
    return {};
  return divideExactly(a.expr, b.expr);
}

Scalar content::modulo(Type, const Scalar &a, const Scalar &b) {
  if (!a.expr || !b.expr || getConstant(b.expr) == 0 ||
      !isNonNegative(a.expr) || !isNonNegative(b.expr))
    return {};
  return simplify(a.expr % b.expr);
}

Scalar content::min(Type type, const Scalar &a, const Scalar &b) {
  if (!a.expr || !b.expr)
    return {};
  if (isNonNegative(a.expr - b.expr))
    return b;
  return isNonNegative(b.expr - a.expr) ? a : Scalar();
}

Scalar content::max(Type type, const Scalar &a, const Scalar &b) {
  if (!a.expr || !b.expr)
    return {};
  if (isNonNegative(a.expr - b.expr))
    return a;
  return isNonNegative(b.expr - a.expr) ? b : Scalar();
}

Scalar content::equal(Type, const Scalar &a, const Scalar &b) {
  if (!a.expr || !b.expr)
    return {};
  if (auto difference = getConstant(simplify(a.expr - b.expr)))
    return makeBool(a, *difference == 0);
  if (isPositive(a.expr - b.expr) || isPositive(b.expr - a.expr))
    return makeBool(a, false);
  return {};
}

Scalar content::greater(Type, const Scalar &a, const Scalar &b) {
  if (!a.expr || !b.expr)
    return {};
  if (isPositive(a.expr - b.expr))
    return makeBool(a, true);
  return isNonNegative(b.expr - a.expr) ? makeBool(a, false) : Scalar();
}

Scalar content::greaterOrEqual(Type type, const Scalar &a, const Scalar &b) {
  return logicalNot(type, greater(type, b, a), {});
}

Scalar content::less(Type type, const Scalar &a, const Scalar &b) {
  return greater(type, b, a);
}

Scalar content::lessOrEqual(Type type, const Scalar &a, const Scalar &b) {
  return logicalNot(type, greater(type, a, b), {});
}

Scalar content::logicalAnd(Type, const Scalar &a, const Scalar &b) {
  for (const Scalar *s : {&a, &b})
    if (getConstant(s->expr) == 0)
      return *s;
  auto l = getConstant(a.expr), r = getConstant(b.expr);
  return l && r ? makeBool(a, *l && *r) : Scalar();
}

Scalar content::logicalOr(Type, const Scalar &a, const Scalar &b) {
  for (const Scalar *s : {&a, &b})
    if (getConstant(s->expr) == 1)
      return *s;
  auto l = getConstant(a.expr), r = getConstant(b.expr);
  return l && r ? makeBool(a, *l || *r) : Scalar();
}

Scalar content::logicalXor(Type, const Scalar &a, const Scalar &b) {
  auto l = getConstant(a.expr), r = getConstant(b.expr);
  return l && r ? makeBool(a, *l != *r) : Scalar();
}

Scalar content::logicalNot(Type, const Scalar &a, const Scalar &) {
  auto value = getConstant(a.expr);
  return value ? makeBool(a, !*value) : Scalar();
}
