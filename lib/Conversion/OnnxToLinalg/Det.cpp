// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Determinants by Gaussian elimination with partial pivoting, in f64: the
// product of the pivots, with a change of sign for each exchange of rows.

#include "Families.h"
#include "Grid.h"
#include "Sampling.h"
#include "lathe/Dialect/Onnx/IR/Math.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;
using namespace lathe;

/// Row `pivot` of the greatest element of column `k` from row `k` on.
static Value findPivot(const Code &c, Value matrix, Value k, Value n) {
  Type f64 = c.b.getF64Type();
  Value least = makeConstant(c.b, f64, -1);
  return c.loop(
      k, n, {k, least},
      [&](const Code &c, Value i, ValueRange best) -> Code::Values {
        FloatMath f{c.b, f64};
        Value size = math::AbsFOp::create(c.b, c.readRaw(matrix, {i, k}));
        Value better = f.less(best[1], size);
        return {c.select(better, i, best[0]), c.select(better, size, best[1])};
      })[0];
}

static LogicalResult lowerDet(onnx::DetOp op, Lowering &l) {
  Dims dims = l.dims(0), outDims = l.resultDims();
  Type element = l.element(0), f64 = l.b.getF64Type();
  OpFoldResult count = l.product(outDims), size = dims.back();
  Value source = l.view(l.value(0), {count, size, size});
  Value n = l.toValue(size);
  SmallVector<Value> made = makeGrid(
      l, count, {{{count}, getStorageType(element), {0}}},
      [&](const Code &c, ValueRange at, ValueRange parts) -> Code::Values {
        Value zero = c.constant(0);
        Value copy = c.loop(
            zero, n, c.scratch({size, size}, f64),
            [&](const Code &c, Value i, ValueRange to) {
              return c.loop(
                  zero, n, to,
                  [&](const Code &c, Value j, ValueRange to) -> Code::Values {
                    Value x = c.read(source, {at[0], i, j}, element);
                    x = castScalar(c.b, x, x.getType(), f64);
                    return {c.write(x, to[0], {i, j})};
                  });
            })[0];
        Value one = makeConstant(c.b, f64, 1);
        Code::Values done = c.loop(
            zero, n, {copy, one},
            [&](const Code &c, Value k, ValueRange state) -> Code::Values {
              FloatMath f{c.b, f64};
              Value pivot = findPivot(c, state[0], k, n);
              Value isHere = c.equal(pivot, k);
              Value swapped = c.loop(
                  k, n, state[0],
                  [&](const Code &c, Value j, ValueRange m) -> Code::Values {
                    Value a = c.readRaw(m[0], {k, j});
                    Value b = c.readRaw(m[0], {pivot, j});
                    return {c.write(a, c.write(b, m[0], {k, j}), {pivot, j})};
                  })[0];
              Value top = c.readRaw(swapped, {k, k});
              Value sign = f.select(isHere, f.constant(1), f.constant(-1));
              Value det = f.mul(f.mul(state[1], top), sign);
              // A column of zeros: whatever follows, the product is zero.
              Value isZero = arith::CmpFOp::create(
                  c.b, arith::CmpFPredicate::OEQ, top, f.constant(0));
              Value by = f.select(isZero, f.constant(1), top);
              Value reduced = c.loop(
                  c.add(k, c.constant(1)), n, swapped,
                  [&](const Code &c, Value i, ValueRange m) {
                    FloatMath f{c.b, f64};
                    Value factor = f.div(c.readRaw(m[0], {i, k}), by);
                    return c.loop(k, n, m,
                                  [&](const Code &c, Value j,
                                      ValueRange m) -> Code::Values {
                                    FloatMath f{c.b, f64};
                                    Value x = f.sub(
                                        c.readRaw(m[0], {i, j}),
                                        f.mul(factor, c.readRaw(m[0], {k, j})));
                                    return {c.write(x, m[0], {i, j})};
                                  });
                  })[0];
              return {reduced, det};
            });
        Value det = castScalar(c.b, done[1], f64, element);
        return {c.write(storeScalar(c.b, det, element), parts[0], zero)};
      });
  return l.replace(l.view(made.front(), outDims));
}

void lathe::populateDetPatterns(RewritePatternSet &patterns,
                                const TypeConverter &types) {
  addLowering(patterns, types, lowerDet);
}
