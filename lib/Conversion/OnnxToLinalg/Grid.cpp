// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Grid.h"

#include "lathe/Dialect/Lathe/IR/Lathe.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"

using namespace mlir;
using namespace lathe;

Code::Values Code::loop(Value from, Value to, ValueRange carried,
                        LoopBody body) const {
  auto made = scf::ForOp::create(
      b, from, to, constant(1), carried,
      [&](OpBuilder &builder, Location loc, Value i, ValueRange args) {
        ImplicitLocOpBuilder inner(loc, builder);
        scf::YieldOp::create(inner, body(Code(inner), i, args));
      });
  return Values(made.getResults());
}

Code::Values
Code::repeat(ValueRange carried,
             llvm::function_ref<Value(const Code &, ValueRange)> condition,
             Body body) const {
  auto made = scf::WhileOp::create(
      b, carried.getTypes(), carried,
      [&](OpBuilder &builder, Location loc, ValueRange args) {
        ImplicitLocOpBuilder inner(loc, builder);
        scf::ConditionOp::create(inner, condition(Code(inner), args), args);
      },
      [&](OpBuilder &builder, Location loc, ValueRange args) {
        ImplicitLocOpBuilder inner(loc, builder);
        scf::YieldOp::create(inner, body(Code(inner), args));
      });
  return Values(made.getResults());
}

Code::Values Code::branch(Value condition,
                          llvm::function_ref<Values(const Code &)> yes,
                          llvm::function_ref<Values(const Code &)> no) const {
  auto emit = [](llvm::function_ref<Values(const Code &)> side) {
    return [side](OpBuilder &builder, Location loc) {
      ImplicitLocOpBuilder inner(loc, builder);
      scf::YieldOp::create(inner, side(Code(inner)));
    };
  };
  auto made = scf::IfOp::create(b, condition, emit(yes), emit(no));
  return Values(made.getResults());
}

Value Code::write(Value value, Value tensor, ValueRange at) const {
  return tensor::InsertOp::create(b, value, tensor, at);
}

Value Code::readRaw(Value tensor, ValueRange at) const {
  return tensor::ExtractOp::create(b, tensor, at);
}

Value Code::scratch(DimsRef sizes, Type storage) const {
  return tensor::EmptyOp::create(b, sizes, storage);
}

SmallVector<Value> lathe::makeGrid(
    Lowering &l, DimsRef extents, ArrayRef<GridResult> results,
    llvm::function_ref<Code::Values(const Code &, ValueRange, ValueRange)>
        body) {
  SmallVector<Value> points = toValues(l, extents), dynamic;
  SmallVector<Type> types, argTypes(extents.size(), l.b.getIndexType());
  SmallVector<Attribute> loops;
  for (const GridResult &result : results) {
    SmallVector<int64_t> shape;
    dispatchIndexOpFoldResults(result.dims, dynamic, shape);
    types.push_back(RankedTensorType::get(shape, result.storage));
    for (auto [size, loop] : llvm::zip_equal(shape, result.loops))
      if (loop >= 0)
        size = 1;
    argTypes.push_back(RankedTensorType::get(shape, result.storage));
    loops.push_back(l.b.getDenseI64ArrayAttr(result.loops));
  }
  auto grid =
      GridOp::create(l.b, types, points, dynamic, l.b.getArrayAttr(loops));
  OpBuilder::InsertionGuard guard(l.b);
  SmallVector<Location> locs(argTypes.size(), l.b.getLoc());
  Block *block = l.b.createBlock(&grid.getBody(), {}, argTypes, locs);
  ValueRange args(block->getArguments());
  Code code(l.b);
  YieldOp::create(l.b, body(code, args.take_front(extents.size()),
                            args.drop_front(extents.size())));
  return SmallVector<Value>(grid.getResults());
}
