// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Softmax and its relatives: reductions along one axis whose results broadcast
// back over it. Computed in f32 at least.

#include "Softmax.h"

#include "Elementwise.h"
#include "Families.h"
#include "lathe/Dialect/Onnx/IR/Nn.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include <limits>

using namespace mlir;
using namespace lathe;

namespace {
/// The parts that both forms of softmax share.
struct Parts {
  Dims dims;
  Type compute;
  AffineMap row;
  Operand input, maximum, exponentials, sum;
};
} // namespace

static Value emitAdd(ImplicitLocOpBuilder &b, ValueRange x) {
  return arith::AddFOp::create(b, x[1], x[0]);
}

/// max, exp(x - max) and the sum of it.
static Parts makeParts(Lowering &l, Operand input, DimsRef dims, int64_t axis) {
  Parts p;
  p.dims.assign(dims.begin(), dims.end());
  p.input = input;
  p.compute = getComputeType(p.input.element);
  int64_t rank = p.dims.size();
  axis = normalizeAxis(axis, rank);
  p.row = l.dropAxes(rank, axis);
  TypedAttr least =
      l.b.getFloatAttr(p.compute, -std::numeric_limits<double>::infinity());
  Value maximum = l.reduce(p.input, p.dims, axis, least,
                           [](ImplicitLocOpBuilder &b, ValueRange x) -> Value {
                             return arith::MaximumFOp::create(b, x[1], x[0]);
                           });
  p.maximum = {maximum, p.compute, p.row};
  Value exponentials = l.elementwise(
      {p.input, p.maximum}, p.dims, p.compute,
      [](ImplicitLocOpBuilder &b, ValueRange x) -> Value {
        return math::ExpOp::create(b, arith::SubFOp::create(b, x[0], x[1]));
      });
  p.exponentials = {exponentials, p.compute};
  TypedAttr zero = l.b.getFloatAttr(p.compute, 0.0);
  p.sum = {l.reduce(p.exponentials, p.dims, axis, zero, emitAdd), p.compute,
           p.row};
  return p;
}

Value lathe::makeSoftmax(Lowering &l, Operand input, DimsRef dims, int64_t axis,
                         Type element) {
  Parts p = makeParts(l, input, dims, axis);
  return l.elementwise({p.exponentials, p.sum}, p.dims, element,
                       [](ImplicitLocOpBuilder &b, ValueRange x) -> Value {
                         return arith::DivFOp::create(b, x[0], x[1]);
                       });
}

static LogicalResult lowerSoftmax(onnx::SoftmaxOp op, Lowering &l) {
  return l.replace(
      makeSoftmax(l, l.operand(0), l.dims(0), op.getAxis(), l.resultElement()));
}

/// x - max - log(sum)
static LogicalResult lowerLogSoftmax(onnx::LogSoftmaxOp op, Lowering &l) {
  Parts p = makeParts(l, l.operand(0), l.dims(0), op.getAxis());
  Value logs = l.elementwise(
      Operand{p.sum.value, p.compute},
      dropDims(p.dims, normalizeAxis(op.getAxis(), p.dims.size())), p.compute,
      [](ImplicitLocOpBuilder &b, ValueRange x) -> Value {
        return math::LogOp::create(b, x[0]);
      });
  return l.replace(l.elementwise(
      {p.input, p.maximum, Operand{logs, p.compute, p.row}}, p.dims,
      l.resultElement(), [](ImplicitLocOpBuilder &b, ValueRange x) -> Value {
        Value shifted = arith::SubFOp::create(b, x[0], x[1]);
        return arith::SubFOp::create(b, shifted, x[2]);
      }));
}

void lathe::populateSoftmaxPatterns(RewritePatternSet &patterns,
                                    const TypeConverter &types) {
  addLowering(patterns, types, lowerSoftmax);
  addLowering(patterns, types, lowerLogSoftmax);
}
