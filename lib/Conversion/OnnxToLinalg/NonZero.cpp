// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The model of an op whose size depends on data: one pass finds what there is,
// in memory of the largest size there can be, and counts it; the count is bound
// to the symbol of the size; the result is made from there.

#include "Families.h"
#include "Grid.h"
#include "lathe/Dialect/Onnx/IR/Tensor.h"
#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace lathe;

static Value isNonZero(ImplicitLocOpBuilder &b, Value x) {
  Value zero = makeConstant(b, x.getType(), 0);
  if (isa<FloatType>(x.getType()))
    return arith::CmpFOp::create(b, arith::CmpFPredicate::UNE, x, zero);
  return arith::CmpIOp::create(b, arith::CmpIPredicate::ne, x, zero);
}

static LogicalResult lowerNonZero(onnx::NonZeroOp, Lowering &l) {
  if (failed(l.checkTypes()))
    return failure();
  Dims dims = l.dims(0);
  OpFoldResult all = l.product(dims);
  Value flat = l.view(l.value(0), all), last = l.toValue(all);
  Type word = l.b.getI64Type(), element = l.element(0);
  SmallVector<Value> found = makeGrid(
      l, l.index(1), {{{all}, word, {-1}}, {{l.index(1)}, word, {-1}}},
      [&](const Code &code, ValueRange, ValueRange parts) -> Code::Values {
        // Written before it is known whether it counts: no branch.
        Code::Values done = code.loop(
            code.constant(0), last, {parts[0], code.constant(0)},
            [&](const Code &c, Value i, ValueRange carried) -> Code::Values {
              Value index = arith::IndexCastOp::create(c.b, word, i);
              Value written = c.write(index, carried[0], carried[1]);
              Value counts = isNonZero(c.b, c.read(flat, i, element));
              Value next = c.add(carried[1], c.constant(1));
              return {written, c.select(counts, next, carried[1])};
            });
        Value count = arith::IndexCastOp::create(code.b, word, done[1]);
        return {done[0], code.write(count, parts[1], code.constant(0))};
      });
  l.bindDim(0, 1, l.readIndex(found[1], 0), all);
  SmallVector<Value> sizes = toValues(l, dims);
  return l.replace(
      l.elementwise({}, l.resultDims(), l.resultElement(),
                    [&](ImplicitLocOpBuilder &b, ValueRange) {
                      IndexMath m{b};
                      Value rest = m.fromInt(m.read(found[0], m.loop(1), word));
                      Value coordinate = m.constant(0);
                      for (int64_t d = sizes.size() - 1; d >= 0; --d) {
                        Value at = arith::RemUIOp::create(b, rest, sizes[d]);
                        coordinate = m.select(m.equal(m.loop(0), m.constant(d)),
                                              at, coordinate);
                        rest = arith::DivUIOp::create(b, rest, sizes[d]);
                      }
                      return arith::IndexCastOp::create(b, word, coordinate);
                    }));
}

void lathe::populateNonZeroPatterns(RewritePatternSet &patterns,
                                    const TypeConverter &types) {
  addLowering(patterns, types, lowerNonZero, /*checkTypes=*/false);
}
