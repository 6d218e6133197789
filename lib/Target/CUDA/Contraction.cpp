// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Reductions of products: matrix products, and convolutions as such products
// whose factors are computed where they are read (rows are the points of the
// result, steps are those of the window and the channels; no matrix of windows
// is ever stored). The block brings a tile of each factor into shared memory;
// each thread multiplies its rows with its columns and keeps the sums in
// registers. The essay on tiles is in CostModel.h.

#include "CostModel.h"
#include "Distribute.h"
#include "PointEmitter.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace lathe;
using namespace lathe::cuda;

namespace {
/// One factor, as the block sees it.
struct Factor {
  Value inBody;
  SmallVector<unsigned> dims; ///< Its rows or columns.
  int64_t perThread = 1;      ///< Rows or columns of one thread.
  bool alongDepth = false;    ///< Whether it lies side by side along the depth.
  Value tile;                 ///< Shared memory: depth, then rows or columns.

  int64_t getWidth() const { return perThread * squareThreads; }
};

class BlockedProduct {
public:
  BlockedProduct(OpBuilder &builder, const BlockOfThreads &block,
                 const Nest &nest, const Contraction &product)
      : b(builder), block(block), nest(nest), product(product),
        op(nest.getMain()), loc(op.getLoc()) {
    type = getComputeType(getElementTypeOrSelf(op.getDpsInits()[0].getType()));
  }
  void run();

private:
  Factor makeFactor(Value inBody, ArrayRef<unsigned> dims,
                    const PointSpace &space, int64_t most);
  void bringIn(const Factor &factor, const PointSpace &space, Value first,
               const PointSpace &steps, Value firstStep);
  SmallVector<Value> multiply(ArrayRef<Value> sums);
  void computeTile(const PointSpace &rows, Value firstRow,
                   const PointSpace &columns, Value firstColumn,
                   const PointSpace &steps);
  Value constant(int64_t value) { return emitIndex(b, loc, value); }
  Value add(Value x, int64_t y) {
    return y ? Value(arith::AddIOp::create(b, loc, x, constant(y))) : x;
  }
  Value zero() {
    return arith::ConstantOp::create(b, loc, b.getZeroAttr(type));
  }

  OpBuilder &b;
  const BlockOfThreads &block;
  const Nest &nest;
  const Contraction &product;
  linalg::LinalgOp op;
  Location loc;
  Type type; ///< Of the sums.
  SmallVector<Extent> extents;
  SmallVector<Value> indices; ///< Those of the batch are set.
  Factor left, right;
  Value row, column; ///< This thread's place in the square.
};
} // namespace

Factor BlockedProduct::makeFactor(Value inBody, ArrayRef<unsigned> dims,
                                  const PointSpace &space, int64_t most) {
  Factor factor;
  factor.inBody = inBody;
  factor.dims.assign(dims.begin(), dims.end());
  int64_t count = space.getConstantCount().value_or(most * squareThreads);
  factor.perThread =
      std::clamp<int64_t>(llvm::divideCeil(count, squareThreads), 1, most);
  factor.alongDepth = readsAlong(op, inBody, product.depth);
  factor.tile = block.allocateShared(
      MemRefType::get({tileDepth, factor.getWidth() + tilePadding}, type));
  return factor;
}

/// Computes a tile of a factor, every thread an equal share of its elements.
void BlockedProduct::bringIn(const Factor &factor, const PointSpace &space,
                             Value first, const PointSpace &steps,
                             Value firstStep) {
  int64_t width = factor.getWidth();
  Value fast = constant(factor.alongDepth ? tileDepth : width);
  for (int64_t i = 0; i < width * tileDepth / blockThreads; ++i) {
    Value number = add(block.thread, i * blockThreads);
    Value low = arith::RemUIOp::create(b, loc, number, fast);
    Value high = arith::DivUIOp::create(b, loc, number, fast);
    Value step = factor.alongDepth ? low : high;
    Value point = factor.alongDepth ? high : low;
    SmallVector<Value> at(indices);
    Value live = steps.locateClamped(
        b, arith::AddIOp::create(b, loc, firstStep, step), at);
    live = emitAnd(b, loc, live,
                   space.locateClamped(
                       b, arith::AddIOp::create(b, loc, first, point), at));
    Value value = PointEmitter(b, op, at).evaluate(factor.inBody);
    value = arith::SelectOp::create(b, loc, live, value, zero());
    memref::StoreOp::create(b, loc, value, factor.tile,
                            ValueRange{step, point});
  }
}

/// One step of the product for all of this thread's rows and columns.
SmallVector<Value> BlockedProduct::multiply(ArrayRef<Value> sums) {
  OpBuilder::InsertionGuard guard(b);
  auto loop = scf::ForOp::create(b, loc, constant(0), constant(tileDepth),
                                 constant(1), sums);
  b.setInsertionPointToStart(loop.getBody());
  auto load = [&](const Factor &factor, Value place) {
    SmallVector<Value> values;
    for (int64_t i = 0; i < factor.perThread; ++i)
      values.push_back(memref::LoadOp::create(
          b, loc, factor.tile,
          ValueRange{loop.getInductionVar(), add(place, i * squareThreads)}));
    return values;
  };
  SmallVector<Value> xs = load(left, row), ys = load(right, column), next;
  for (auto [i, sum] : llvm::enumerate(loop.getRegionIterArgs())) {
    Value x = xs[i / ys.size()], y = ys[i % ys.size()];
    if (isa<FloatType>(type))
      next.push_back(math::FmaOp::create(b, loc, x, y, sum));
    else
      next.push_back(arith::AddIOp::create(
          b, loc, sum, arith::MulIOp::create(b, loc, x, y)));
  }
  scf::YieldOp::create(b, loc, next);
  return SmallVector<Value>(loop.getResults());
}

void BlockedProduct::computeTile(const PointSpace &rows, Value firstRow,
                                 const PointSpace &columns, Value firstColumn,
                                 const PointSpace &steps) {
  SmallVector<Value> sums(left.perThread * right.perThread, zero());
  {
    OpBuilder::InsertionGuard guard(b);
    auto loop = scf::ForOp::create(b, loc, constant(0), steps.getCount(),
                                   constant(tileDepth), sums);
    b.setInsertionPointToStart(loop.getBody());
    bringIn(left, rows, firstRow, steps, loop.getInductionVar());
    bringIn(right, columns, firstColumn, steps, loop.getInductionVar());
    gpu::BarrierOp::create(b, loc);
    SmallVector<Value> next =
        multiply(SmallVector<Value>(loop.getRegionIterArgs()));
    gpu::BarrierOp::create(b, loc);
    scf::YieldOp::create(b, loc, next);
    sums.assign(loop.getResults().begin(), loop.getResults().end());
  }
  for (int64_t i = 0, e = sums.size(); i < e; ++i) {
    SmallVector<Value> at(indices);
    auto locate = [&](const PointSpace &space, Value first, Value place,
                      int64_t i) {
      Value number =
          arith::AddIOp::create(b, loc, first, add(place, i * squareThreads));
      Value inside = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ult,
                                           number, space.getCount());
      return emitAnd(b, loc, inside, space.locate(b, number, at));
    };
    Value exists =
        emitAnd(b, loc, locate(rows, firstRow, row, i / right.perThread),
                locate(columns, firstColumn, column, i % right.perThread));
    emitIf(b, loc, exists, [&] {
      Value initial = emitInitial(b, nest, 0, at);
      Value total =
          isa<FloatType>(type)
              ? Value(arith::AddFOp::create(b, loc, initial, sums[i]))
              : Value(arith::AddIOp::create(b, loc, initial, sums[i]));
      emitResults(b, nest, at, total);
    });
  }
}

void BlockedProduct::run() {
  OpBuilder::InsertionGuard guard(b);
  extents = getExtents(b, nest);
  indices.assign(op.getNumLoops(), constant(0));
  PointSpace batch(b, loc, product.batch, extents);
  PointSpace rows(b, loc, product.rows, extents);
  PointSpace columns(b, loc, product.columns, extents);
  PointSpace steps(b, loc, product.depth, extents);
  left = makeFactor(product.lhs, product.rows, rows, maxThreadRows);
  right = makeFactor(product.rhs, product.columns, columns, maxThreadColumns);
  Value side = constant(squareThreads);
  row = arith::DivUIOp::create(b, loc, block.thread, side);
  column = arith::RemUIOp::create(b, loc, block.thread, side);

  auto loopOver = [&](Value count, int64_t step) {
    auto loop = scf::ForOp::create(b, loc, constant(0), count, constant(step));
    b.setInsertionPointToStart(loop.getBody());
    return loop.getInductionVar();
  };
  // All threads take the same way, so barriers inside are met by all.
  Value exists = batch.locate(b, loopOver(batch.getCount(), 1), indices);
  emitIf(b, loc, exists, [&] {
    Value firstRow = loopOver(rows.getCount(), left.getWidth());
    Value firstColumn = loopOver(columns.getCount(), right.getWidth());
    computeTile(rows, firstRow, columns, firstColumn, steps);
  });
}

void cuda::emitContraction(OpBuilder &builder, const BlockOfThreads &block,
                           const Nest &nest, const Contraction &product) {
  BlockedProduct(builder, block, nest, product).run();
}
