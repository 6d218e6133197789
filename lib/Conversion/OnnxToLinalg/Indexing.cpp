// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Indexing.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace lathe;

Value IndexMath::constant(int64_t value) const {
  return arith::ConstantIndexOp::create(b, value);
}

Value IndexMath::loop(unsigned i) const {
  return linalg::IndexOp::create(b, i);
}

Value IndexMath::add(Value x, Value y) const {
  return arith::AddIOp::create(b, x, y);
}

Value IndexMath::sub(Value x, Value y) const {
  return arith::SubIOp::create(b, x, y);
}

Value IndexMath::mul(Value x, Value y) const {
  return arith::MulIOp::create(b, x, y);
}

Value IndexMath::min(Value x, Value y) const {
  return arith::MinSIOp::create(b, x, y);
}

Value IndexMath::max(Value x, Value y) const {
  return arith::MaxSIOp::create(b, x, y);
}

Value IndexMath::both(Value x, Value y) const {
  return arith::AndIOp::create(b, x, y);
}

Value IndexMath::equal(Value x, Value y) const {
  return arith::CmpIOp::create(b, arith::CmpIPredicate::eq, x, y);
}

Value IndexMath::less(Value x, Value y) const {
  return arith::CmpIOp::create(b, arith::CmpIPredicate::slt, x, y);
}

Value IndexMath::select(Value c, Value t, Value f) const {
  return arith::SelectOp::create(b, c, t, f);
}

Value IndexMath::floorMod(Value x, Value y) const {
  Value rest = arith::RemSIOp::create(b, x, y);
  return select(less(rest, constant(0)), add(rest, y), rest);
}

Value IndexMath::fromInt(Value element) const {
  return arith::IndexCastOp::create(b, b.getIndexType(), element);
}

Value IndexMath::clamp(Value x, Value size) const {
  Value zero = constant(0);
  return max(min(x, sub(size, constant(1))), zero);
}

Value IndexMath::normalize(Value index, Value size) const {
  Value fromEnd = less(index, constant(0));
  return clamp(select(fromEnd, add(index, size), index), size);
}

Value IndexMath::read(Value source, ValueRange at, Type element) const {
  return loadScalar(b, tensor::ExtractOp::create(b, source, at), element);
}

SmallVector<Value> lathe::toValues(Lowering &l, DimsRef dims) {
  return llvm::map_to_vector(dims,
                             [&](OpFoldResult dim) { return l.toValue(dim); });
}
