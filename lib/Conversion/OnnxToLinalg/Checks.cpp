// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Checks.h"

#include "Indexing.h"
#include "lathe/Dialect/Lathe/IR/Lathe.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace lathe;

void lathe::check(Lowering &l, Value ok, const Twine &message) {
  CheckOp::create(l.b, ok, l.b.getStringAttr(message));
}

void lathe::checkElements(Lowering &l, Operand input, DimsRef dims,
                          ScalarBody isBad, const Twine &message) {
  auto axes = llvm::to_vector(llvm::seq<int64_t>(0, dims.size()));
  Value found = l.reduce(input, dims, axes, l.b.getI64IntegerAttr(0),
                         [&](ImplicitLocOpBuilder &b, ValueRange x) -> Value {
                           Value bad = arith::ExtUIOp::create(b, b.getI64Type(),
                                                              isBad(b, x[0]));
                           return arith::MaxSIOp::create(b, x[1], bad);
                         });
  Value count = tensor::ExtractOp::create(l.b, found, ValueRange());
  Value zero = arith::ConstantIntOp::create(l.b, 0, 64);
  check(l, arith::CmpIOp::create(l.b, arith::CmpIPredicate::eq, count, zero),
        message);
}

/// What a check says of the dimensions of `sizes`, the first of which is
/// `axis`.
static std::string describeRange(DimsRef sizes, int64_t axis, bool fromEnd) {
  if (sizes.size() > 1)
    return ("the ranges of dimensions " + Twine(axis) + " to " +
            Twine(axis + sizes.size() - 1) + " of its data")
        .str();
  if (std::optional<int64_t> known = getConstantIntValue(sizes.front()))
    return ("[" + Twine(fromEnd ? -*known : 0) + ", " + Twine(*known) + ")")
        .str();
  return ("the range of dimension " + Twine(axis) + " of its data").str();
}

LogicalResult lathe::checkIndices(Lowering &l, unsigned operand, DimsRef sizes,
                                  int64_t axis, bool fromEnd) {
  std::optional<SmallVector<int64_t>> known = l.ints(operand);
  bool isStatic = llvm::all_of(
      sizes, [](OpFoldResult size) { return getConstantIntValue(size); });
  if (known && isStatic) {
    for (auto [i, index] : llvm::enumerate(*known)) {
      int64_t size = *getConstantIntValue(sizes[i % sizes.size()]);
      int64_t least = fromEnd ? -size : 0;
      if (index < least || index >= size)
        return l.unsupported("expected an index in [" + Twine(least) + ", " +
                             Twine(size) + "), got " + Twine(index));
    }
    return success();
  }
  SmallVector<Value> bounds = toValues(l, sizes);
  int64_t rank = l.rank(operand);
  checkElements(
      l, l.operand(operand), l.dims(operand),
      [&](ImplicitLocOpBuilder &b, ValueRange x) -> Value {
        IndexMath m{b};
        Value index = m.fromInt(x[0]), size = bounds.front();
        for (size_t i = 1; i < bounds.size(); ++i)
          size = m.select(m.equal(m.loop(rank - 1), m.constant(i)), bounds[i],
                          size);
        Value zero = m.constant(0);
        Value low = m.less(index, fromEnd ? m.sub(zero, size) : zero);
        Value high = m.less(m.sub(size, m.constant(1)), index);
        return arith::OrIOp::create(b, low, high);
      },
      "expects indices in " + describeRange(sizes, axis, fromEnd));
  return success();
}
