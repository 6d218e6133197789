// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Emits the loops of a nest.
//
// The parallel dimensions become loops in the plan's order. Each dimension is
// cut into *segments*: a run of full blocks, then blocks for what is left, so
// that inside a segment the number of points per block is a constant. The
// vector dimension ends in one masked segment; nothing is computed by scalar
// remainder loops. Inside all of them one block is computed:
//
//   accumulators = initial values, or what the buffer holds
//   for each reduction dimension: accumulators are iter_args
//     bodies of all points, with shared loads
//   later stages on the accumulators, stores
//
// Register blocking of the inner kernel after Goto and van de Geijn, "Anatomy
// of High-Performance Matrix Multiplication" (ACM TOMS 34(3), 2008); the direct
// convolution blocks a row of the output the same way, as in Georganas et al.,
// "Anatomy of High-Performance Deep Learning Convolutions on SIMD
// Architectures" (SC 2018).

#include "CostModel.h"
#include "Nest.h"
#include "NestBody.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/Interfaces/ValueBoundsOpInterface.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace lathe;
using namespace lathe::cpu;

namespace {

/// Blocks of `factor` points from `begin` to `end`.
struct Segment {
  OpFoldResult begin, end;
  unsigned factor;
  /// The last vector may reach past `end`.
  bool masked = false;
  /// No point of it reads padding.
  bool inside = false;
};

class NestGenerator {
public:
  NestGenerator(OpBuilder &builder, Nest &nest,
                const lathe::cpu::Target &target)
      : builder(builder), nest(nest), loc(nest.getMain().getLoc()),
        target(target) {}

  void run();

private:
  Value toValue(OpFoldResult ofr) {
    return getValueOrCreateConstantIndexOp(builder, loc, ofr);
  }
  /// Emits the loops by the plan.
  void emitNest();
  SmallVector<Segment> getVectorSegments();
  SmallVector<Segment> getBlockSegments(unsigned dim, unsigned factor);
  SmallVector<Segment> getSharedSegments(unsigned dim, unsigned factor);
  SmallVector<Segment> splitAtEdges(unsigned dim, ArrayRef<Segment> segments);
  /// Where in its padded dimension a point reads, if that is a constant.
  std::optional<int64_t> getPosition(const PaddedDim &dim, unsigned parallel,
                                     int64_t reduction);
  /// Whether the point reads no padding that is told apart now.
  bool isLive(const Coords &coords);
  /// Whether some point of the block reads padding along `dim` at some step,
  /// all of them known now.
  bool isEdge(const PaddedDim &dim);
  Segment getInside(const PaddedDim &dim);
  void emitParallel(ArrayRef<unsigned> order);
  void emitBlock();
  void emitPrefetches(uint64_t parallel);
  void emitReduction(unsigned depth, SmallVector<Value> &accumulators);
  void emitUnrolled(unsigned depth, SmallVector<Value> &accumulators);
  /// One step of the reduction at the current base: the new accumulators.
  SmallVector<Value> emitStep(ArrayRef<Value> accumulators);
  void emitPanelPrefetches();
  /// A loop over `segment`, whose body gets the index and accumulators.
  void emitLoop(const Segment &segment, unsigned step,
                SmallVector<Value> &accumulators,
                function_ref<void(Value, SmallVector<Value> &)> body);
  Value foldLanes(unsigned output, Value value);
  Value combine(unsigned output, Value lhs, Value rhs);
  /// Calls `visit` for all coordinates of the block, the dimensions in `dims`
  /// running.
  void forEachCoords(uint64_t dims, function_ref<void(const Coords &)> visit);

  OpBuilder &builder;
  Nest &nest;
  Location loc;
  const lathe::cpu::Target &target;
  NestPlan plan;
  BlockState block;
  SmallVector<OpFoldResult> extents;
  SmallVector<int64_t> staticExtents;
  SmallVector<unsigned> reductions;
  /// Reductions, as bits, whose step is a constant at the moment.
  uint64_t unrolledNow = 0;
  /// Which (output, coordinates) each accumulator belongs to.
  SmallVector<std::pair<unsigned, Coords>> accumulatorKeys;
};

} // namespace

//===----------------------------------------------------------------------===//
// Segments
//===----------------------------------------------------------------------===//

SmallVector<Segment> NestGenerator::getVectorSegments() {
  unsigned dim = plan.vectorDim;
  OpFoldResult zero = builder.getIndexAttr(0), extent = extents[dim];
  int64_t step = int64_t(plan.lanes) * plan.vectors;
  if (std::optional<int64_t> size = getConstantIntValue(extent)) {
    SmallVector<Segment> segments;
    int64_t full = *size / step * step, rest = *size - full;
    if (full)
      segments.push_back({zero, builder.getIndexAttr(full), plan.vectors});
    if (rest)
      segments.push_back({builder.getIndexAttr(full), extent,
                          unsigned(llvm::divideCeil(rest, plan.lanes)),
                          rest % plan.lanes != 0});
    return segments;
  }
  Value size = toValue(extent);
  Value stepValue = arith::ConstantIndexOp::create(builder, loc, step);
  Value rest = arith::RemUIOp::create(builder, loc, size, stepValue);
  Value full = arith::SubIOp::create(builder, loc, size, rest);
  return {{zero, full, plan.vectors}, {full, extent, 1, true}};
}

/// Blocks that all begin at multiples of `factor`.
SmallVector<Segment> NestGenerator::getSharedSegments(unsigned dim,
                                                      unsigned factor) {
  OpFoldResult zero = builder.getIndexAttr(0), extent = extents[dim];
  SmallVector<Segment> segments;
  if (std::optional<int64_t> size = getConstantIntValue(extent)) {
    int64_t rest = *size % factor;
    if (*size != rest)
      segments.push_back({zero, builder.getIndexAttr(*size - rest), factor});
    if (rest)
      segments.push_back(
          {builder.getIndexAttr(*size - rest), extent, unsigned(rest)});
    return segments;
  }
  Value size = toValue(extent);
  Value rest = arith::RemUIOp::create(
      builder, loc, size, arith::ConstantIndexOp::create(builder, loc, factor));
  Value full = arith::SubIOp::create(builder, loc, size, rest);
  segments.push_back({zero, full, factor});
  // One of these has points.
  for (unsigned points = 1; points < factor; ++points) {
    Value here = arith::CmpIOp::create(
        builder, loc, arith::CmpIPredicate::eq, rest,
        arith::ConstantIndexOp::create(builder, loc, points));
    Value end = arith::SelectOp::create(builder, loc, here, size, full);
    segments.push_back({full, end, points});
  }
  return segments;
}

SmallVector<Segment> NestGenerator::getBlockSegments(unsigned dim,
                                                     unsigned factor) {
  OpFoldResult zero = builder.getIndexAttr(0), extent = extents[dim];
  if (plan.getShared(dim))
    return getSharedSegments(dim, factor);
  if (std::optional<int64_t> size = getConstantIntValue(extent)) {
    int64_t count = llvm::divideCeil(*size, factor);
    unsigned small = *size / std::max<int64_t>(count, 1);
    int64_t cut = (*size - small * count) * (small + 1);
    SmallVector<Segment> segments;
    if (cut)
      segments.push_back({zero, builder.getIndexAttr(cut), small + 1});
    if (cut != *size)
      segments.push_back({builder.getIndexAttr(cut), extent, small});
    return segments;
  }
  // Blocks of half the size again and again for what is left.
  SmallVector<Segment> segments;
  Value size = toValue(extent);
  OpFoldResult begin = zero;
  for (unsigned f = factor; f >= 1;
       f = f == 1 ? 0 : llvm::PowerOf2Ceil(f) / 2) {
    if (f == 1) {
      segments.push_back({begin, extent, 1});
      break;
    }
    Value left = builder.createOrFold<arith::SubIOp>(loc, size, toValue(begin));
    Value factorValue = arith::ConstantIndexOp::create(builder, loc, f);
    Value rest = arith::RemUIOp::create(builder, loc, left, factorValue);
    Value end = arith::SubIOp::create(builder, loc, size, rest);
    segments.push_back({begin, end, f});
    begin = end;
  }
  return segments;
}

//===----------------------------------------------------------------------===//
// Padding
//===----------------------------------------------------------------------===//

/// Cuts the segments so that blocks in which some point reads padding stand
/// alone, at constants.
SmallVector<Segment> NestGenerator::splitAtEdges(unsigned dim,
                                                 ArrayRef<Segment> segments) {
  const PaddedDim *padded = nullptr;
  if (nest.padded)
    for (const PaddedDim &candidate : nest.padded->dims)
      if (candidate.parallel == dim)
        padded = &candidate;
  if (!padded)
    return llvm::to_vector(segments);
  int64_t start =
      *getConstantIntValue(OpFoldResult(nest.padded->starts[padded->position]));
  int64_t reach = (staticExtents[padded->reduction] - 1) * padded->dilation;
  SmallVector<Segment> split;
  for (const Segment &segment : segments) {
    int64_t end = *getConstantIntValue(segment.end);
    for (int64_t at = *getConstantIntValue(segment.begin); at < end;
         at += segment.factor) {
      int64_t next = at + segment.factor;
      bool inside = start + at * padded->stride >= 0 &&
                    start + (next - 1) * padded->stride + reach < padded->bound;
      bool extends = inside && !split.empty() && split.back().inside &&
                     split.back().factor == segment.factor;
      if (extends)
        split.back().end = builder.getIndexAttr(next);
      else
        split.push_back({builder.getIndexAttr(at), builder.getIndexAttr(next),
                         segment.factor, false, inside});
    }
  }
  return split;
}

std::optional<int64_t> NestGenerator::getPosition(const PaddedDim &dim,
                                                  unsigned parallel,
                                                  int64_t reduction) {
  std::optional<int64_t> base =
      getConstantIntValue(OpFoldResult(block.base[dim.parallel]));
  std::optional<int64_t> start =
      getConstantIntValue(OpFoldResult(nest.padded->starts[dim.position]));
  if (!base || !start)
    return std::nullopt;
  return *start + (*base + parallel) * dim.stride + reduction * dim.dilation;
}

bool NestGenerator::isLive(const Coords &coords) {
  if (!nest.padded)
    return true;
  return llvm::all_of(nest.padded->dims, [&](const PaddedDim &dim) {
    if (!(unrolledNow >> dim.reduction & 1) || !plan.isBlocked(dim.parallel))
      return true;
    std::optional<int64_t> at = getPosition(
        dim, coords[dim.parallel],
        *getConstantIntValue(OpFoldResult(block.base[dim.reduction])));
    return !at || (*at >= 0 && *at < dim.bound);
  });
}

bool NestGenerator::isEdge(const PaddedDim &dim) {
  if (!plan.isBlocked(dim.parallel))
    return false;
  std::optional<int64_t> first = getPosition(dim, 0, 0);
  std::optional<int64_t> last = getPosition(
      dim, block.factors[dim.parallel] - 1, staticExtents[dim.reduction] - 1);
  return first && last && (*first < 0 || *last >= dim.bound);
}

/// The steps of a reduction at which the block's row lies in the source.
Segment NestGenerator::getInside(const PaddedDim &dim) {
  auto constant = [&](int64_t value) -> Value {
    return arith::ConstantIndexOp::create(builder, loc, value);
  };
  auto subtract = [&](Value lhs, Value rhs) -> Value {
    return builder.createOrFold<arith::SubIOp>(loc, lhs, rhs);
  };
  Value row = builder.createOrFold<arith::AddIOp>(
      loc, nest.padded->starts[dim.position],
      builder.createOrFold<arith::MulIOp>(loc, block.base[dim.parallel],
                                          constant(dim.stride)));
  // The first step at or after the edge; both ends may lie past the window.
  auto reach = [&](int64_t edge) -> Value {
    Value distance = subtract(constant(edge), row);
    Value steps = distance;
    if (dim.dilation != 1)
      steps = builder.createOrFold<arith::CeilDivSIOp>(loc, distance,
                                                       constant(dim.dilation));
    return builder.createOrFold<arith::MaxSIOp>(loc, steps, constant(0));
  };
  Value end = builder.createOrFold<arith::MinSIOp>(
      loc, reach(dim.bound), toValue(extents[dim.reduction]));
  return {getAsOpFoldResult(reach(0)), getAsOpFoldResult(end), 1};
}

//===----------------------------------------------------------------------===//
// Loops
//===----------------------------------------------------------------------===//

void NestGenerator::emitLoop(
    const Segment &segment, unsigned step, SmallVector<Value> &accumulators,
    function_ref<void(Value, SmallVector<Value> &)> body) {
  std::optional<int64_t> begin = getConstantIntValue(segment.begin);
  std::optional<int64_t> end = getConstantIntValue(segment.end);
  if (begin && end && *end - *begin <= int64_t(step)) {
    if (*end > *begin)
      body(toValue(segment.begin), accumulators);
    return;
  }
  auto loop = scf::ForOp::create(
      builder, loc, toValue(segment.begin), toValue(segment.end),
      arith::ConstantIndexOp::create(builder, loc, step), accumulators);
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPointToStart(loop.getBody());
  SmallVector<Value> inner(loop.getRegionIterArgs());
  body(loop.getInductionVar(), inner);
  builder.setInsertionPointToEnd(loop.getBody());
  if (accumulators.empty()) {
    // The builder made the terminator of a loop without results.
    return;
  }
  scf::YieldOp::create(builder, loc, inner);
  accumulators.assign(loop.getResults().begin(), loop.getResults().end());
}

void NestGenerator::emitParallel(ArrayRef<unsigned> order) {
  if (order.empty())
    return emitBlock();
  unsigned dim = order.front();
  bool isVector = int(dim) == plan.vectorDim;
  SmallVector<Segment> segments;
  if (isVector) {
    segments = getVectorSegments();
  } else {
    auto blocked = llvm::find_if(
        plan.blocks, [&](auto block) { return block.first == dim; });
    if (blocked != plan.blocks.end())
      segments = splitAtEdges(dim, getBlockSegments(dim, blocked->second));
    else
      segments = {{builder.getIndexAttr(0), extents[dim], 1}};
  }
  for (const Segment &segment : segments) {
    SmallVector<Value> none;
    unsigned step = segment.factor * (isVector ? plan.lanes : 1);
    emitLoop(segment, step, none, [&](Value index, SmallVector<Value> &) {
      block.base[dim] = index;
      block.factors[dim] = segment.factor;
      if (isVector) {
        block.masked = segment.masked;
        block.vectorEnd = toValue(segment.end);
      }
      emitParallel(order.drop_front());
    });
  }
}

void NestGenerator::forEachCoords(uint64_t dims,
                                  function_ref<void(const Coords &)> visit) {
  Coords coords(block.factors.size(), 0);
  while (true) {
    visit(coords);
    int d = coords.size() - 1;
    for (; d >= 0; --d) {
      if (!(dims >> d & 1))
        continue;
      if (++coords[d] < block.factors[d])
        break;
      coords[d] = 0;
    }
    if (d < 0)
      return;
  }
}

//===----------------------------------------------------------------------===//
// Blocks
//===----------------------------------------------------------------------===//

/// The dimension of a batch of matrices that lie in panels, each of which is
/// read for the rows of one matrix only; none for other operands.
static std::optional<unsigned> findBatchOfPanels(linalg::LinalgOp op,
                                                 OpOperand &operand,
                                                 const NestPlan &plan) {
  AffineMap map = op.getMatchingIndexingMap(&operand);
  std::optional<unsigned> batch;
  if (map.isProjectedPermutation() ||
      map.getResults().back().getKind() != AffineExprKind::Mod ||
      plan.getAccess(operand) != LaneAccess::Contiguous)
    return std::nullopt;
  for (auto [dim, kind] : llvm::enumerate(op.getIteratorTypesArray())) {
    if (kind != utils::IteratorType::parallel || int(dim) == plan.vectorDim ||
        !map.isFunctionOfDim(dim))
      continue;
    if (batch || plan.isBlocked(dim))
      return std::nullopt;
    batch = dim;
  }
  return batch;
}

/// Asks for the panels of the next matrix of a batch while the blocks of rows
/// go through those of this one, each block for its part, so that memory is
/// read all the time.
void NestGenerator::emitPanelPrefetches() {
  linalg::LinalgOp op = nest.getMain();
  if (plan.dot || plan.horizontal || reductions.size() != 1 ||
      plan.blocks.size() != 1)
    return;
  unsigned depth = reductions.front(), row = plan.blocks.front().first;
  int64_t steps = staticExtents[depth], rows = staticExtents[row];
  if (ShapedType::isDynamic(steps) || ShapedType::isDynamic(rows))
    return;
  auto constant = [&](int64_t value) -> Value {
    return arith::ConstantIndexOp::create(builder, loc, value);
  };
  for (OpOperand *operand : op.getDpsInputOperands()) {
    AffineMap map = op.getMatchingIndexingMap(operand);
    std::optional<unsigned> batch = findBatchOfPanels(op, *operand, plan);
    if (!batch || map.isFunctionOfDim(row))
      continue;
    int64_t width =
        cast<MemRefType>(operand->get().getType()).getShape().back();
    BlockState next = block;
    next.base[*batch] = builder.createOrFold<arith::AddIOp>(
        loc, block.base[*batch], constant(1));
    next.base[depth] = constant(0);
    Value first = builder.createOrFold<arith::DivUIOp>(
        loc,
        builder.createOrFold<arith::MulIOp>(loc, block.base[row],
                                            constant(steps * width)),
        constant(rows));
    int64_t perStep =
        llvm::divideCeil(int64_t(block.factors[row]) * width, rows);
    Value offset = builder.createOrFold<arith::AddIOp>(
        loc, first,
        builder.createOrFold<arith::MulIOp>(loc, block.base[depth],
                                            constant(perStep)));
    BodyEvaluator body(builder, nest, plan, next);
    forEachCoords(uint64_t(1) << plan.vectorDim, [&](const Coords &coords) {
      if (coords[plan.vectorDim] * plan.lanes % width == 0)
        body.prefetch(0, *operand, coords, offset);
    });
  }
}

SmallVector<Value> NestGenerator::emitStep(ArrayRef<Value> accumulators) {
  emitPanelPrefetches();
  BodyEvaluator body(builder, nest, plan, block);
  for (auto [key, value] : llvm::zip_equal(accumulatorKeys, accumulators))
    body.setRunning(key.first, key.second, value);
  SmallVector<Value> updated;
  Operation *yield = nest.getMain().getBlock()->getTerminator();
  for (auto [key, value] : llvm::zip_equal(accumulatorKeys, accumulators)) {
    // Partial sums beyond the block's vectors (in the tail of a reduction along
    // lanes) stay as they are.
    if (plan.horizontal &&
        key.second[plan.vectorDim] >= block.factors[plan.vectorDim]) {
      updated.push_back(value);
      continue;
    }
    if (!isLive(key.second)) {
      updated.push_back(value);
      continue;
    }
    Value next =
        plan.dot ? body.evaluateDot(*plan.dot, key.second)
                 : body.evaluate(0, yield->getOperand(key.first), key.second);
    if (isa<VectorType>(value.getType()))
      next = body.broadcast(next);
    if (plan.horizontal)
      if (Value mask = body.getMask(key.second))
        next = arith::SelectOp::create(builder, loc, mask, next, value);
    updated.push_back(next);
  }
  return updated;
}

void NestGenerator::emitReduction(unsigned depth,
                                  SmallVector<Value> &accumulators) {
  if (depth == reductions.size()) {
    accumulators = emitStep(accumulators);
    return;
  }
  unsigned dim = reductions[depth];
  if (int(dim) != plan.vectorDim) {
    Segment all{builder.getIndexAttr(0), extents[dim], 1};
    bool unroll = plan.unrolled >> dim & 1;
    if (nest.padded)
      for (const PaddedDim &padded : nest.padded->dims) {
        if (padded.reduction != dim)
          continue;
        if (plan.isBlocked(padded.parallel)) {
          unroll |= isEdge(padded);
          continue;
        }
        all = getInside(padded);
        unroll = false;
      }
    if (unroll)
      return emitUnrolled(depth, accumulators);
    bool isGrouped = plan.dot && plan.dot->product.reduction == dim;
    emitLoop(all, isGrouped ? lathe::byteGroup : 1, accumulators,
             [&](Value index, SmallVector<Value> &inner) {
               block.base[dim] = index;
               emitReduction(depth + 1, inner);
             });
    return;
  }
  for (const Segment &segment : getVectorSegments())
    emitLoop(segment, segment.factor * plan.lanes, accumulators,
             [&](Value index, SmallVector<Value> &inner) {
               block.base[dim] = index;
               block.factors[dim] = segment.factor;
               block.masked = segment.masked;
               block.vectorEnd = toValue(segment.end);
               emitReduction(depth + 1, inner);
             });
}

/// All steps of one reduction, one after the other.
void NestGenerator::emitUnrolled(unsigned depth,
                                 SmallVector<Value> &accumulators) {
  unsigned dim = reductions[depth];
  unrolledNow |= uint64_t(1) << dim;
  for (int64_t step = 0; step < staticExtents[dim]; ++step) {
    block.base[dim] = arith::ConstantIndexOp::create(builder, loc, step);
    // No code for a step that only padding takes part in.
    if (llvm::any_of(accumulatorKeys,
                     [&](auto &key) { return isLive(key.second); }))
      emitReduction(depth + 1, accumulators);
  }
  unrolledNow &= ~(uint64_t(1) << dim);
}

Value NestGenerator::combine(unsigned output, Value lhs, Value rhs) {
  Operation *combiner = getCombiner(nest.getMain(), output);
  OperationState state(loc, combiner->getName());
  state.addOperands({lhs, rhs});
  state.addTypes(lhs.getType());
  state.propertiesAttr = combiner->getPropertiesAsAttribute();
  return builder.create(state)->getResult(0);
}

Value NestGenerator::foldLanes(unsigned output, Value value) {
  for (int64_t width = plan.lanes / 2; width >= 1; width /= 2) {
    SmallVector<int64_t> low, high;
    for (int64_t i = 0; i < width; ++i) {
      low.push_back(i);
      high.push_back(width + i);
    }
    Value a = vector::ShuffleOp::create(builder, loc, value, value, low);
    Value b = vector::ShuffleOp::create(builder, loc, value, value, high);
    value = combine(output, a, b);
  }
  return vector::ExtractOp::create(builder, loc, value, int64_t(0));
}

/// Fetches what later stages read once per point, a residual, while the
/// reduction runs.
void NestGenerator::emitPrefetches(uint64_t parallel) {
  if (plan.vectorDim < 0 || plan.horizontal)
    return;
  int64_t steps = 1;
  for (unsigned dim : reductions)
    steps *= ShapedType::isDynamic(staticExtents[dim]) ? minPrefetchSteps
                                                       : staticExtents[dim];
  if (steps < minPrefetchSteps)
    return;
  BodyEvaluator body(builder, nest, plan, block);
  for (unsigned s = 1; s < nest.stages.size(); ++s)
    for (OpOperand *operand : nest.stages[s].op.getDpsInputOperands())
      if (!nest.stages[s].fed.contains(operand->getOperandNumber()) &&
          body.getOperandDims(s, *operand) == body.getOutputDims(s, 0))
        forEachCoords(
            body.getOperandDims(s, *operand) & parallel,
            [&](const Coords &coords) { body.prefetch(s, *operand, coords); });
}

void NestGenerator::emitBlock() {
  linalg::LinalgOp op = nest.getMain();
  unsigned numOutputs = op.getNumDpsInits();
  // Bits of dimensions whose points are blocked; along a reduction's lanes, the
  // partial results.
  uint64_t parallel = 0;
  for (unsigned dim : plan.order)
    parallel |= uint64_t(1) << dim;

  if (!reductions.empty()) {
    uint64_t partial =
        plan.horizontal ? uint64_t(1) << plan.vectorDim : uint64_t(0);
    if (plan.horizontal) {
      block.factors[plan.vectorDim] = plan.vectors;
      block.masked = false;
    }
    accumulatorKeys.clear();
    SmallVector<Value> accumulators;
    BodyEvaluator before(builder, nest, plan, block);
    for (unsigned i = 0; i < numOutputs; ++i) {
      uint64_t dims = before.getOutputDims(0, i) & parallel;
      bool lanes = plan.vectorDim >= 0 && !plan.horizontal &&
                   (dims >> plan.vectorDim & 1);
      forEachCoords(dims | partial, [&](const Coords &coords) {
        Value value;
        if (plan.horizontal) {
          TypedAttr neutral = *arith::getNeutralElement(getCombiner(op, i));
          Type type = BodyEvaluator::getComputeType(neutral.getType());
          if (type != neutral.getType())
            neutral = builder.getFloatAttr(
                type, cast<FloatAttr>(neutral).getValueAsDouble());
          value = before.broadcast(
              arith::ConstantOp::create(builder, loc, neutral));
        } else if (nest.initial[i]) {
          value = before.evaluate(
              0, op.getBlock()->getArgument(op.getNumDpsInputs() + i), coords);
        } else {
          value = before.loadOutput(0, i, coords);
        }
        accumulators.push_back(lanes ? before.broadcast(value) : value);
        accumulatorKeys.emplace_back(i, coords);
      });
    }
    emitPrefetches(parallel);
    emitReduction(0, accumulators);
    BodyEvaluator after(builder, nest, plan, block);
    if (plan.horizontal) {
      // Partial results of one output element, folded into what it starts from.
      std::map<std::pair<unsigned, Coords>, Value> folded;
      for (auto [key, value] : llvm::zip_equal(accumulatorKeys, accumulators)) {
        Coords coords = key.second;
        coords[plan.vectorDim] = 0;
        Value &slot = folded[{key.first, coords}];
        slot = slot ? combine(key.first, slot, value) : value;
      }
      for (auto &[key, value] : folded) {
        auto [i, coords] = key;
        Value start;
        if (nest.initial[i])
          start = after.evaluate(
              0, op.getBlock()->getArgument(op.getNumDpsInputs() + i), coords);
        else
          start = after.loadOutput(0, i, coords);
        after.setResult(0, i, coords, combine(i, start, foldLanes(i, value)));
      }
      block.factors[plan.vectorDim] = 1;
      block.masked = false;
    } else {
      for (auto [key, value] : llvm::zip_equal(accumulatorKeys, accumulators))
        after.setResult(0, key.first, key.second, value);
    }
    for (unsigned s = 0; s < nest.stages.size(); ++s)
      for (unsigned i = 0, e = nest.stages[s].stored.size(); i < e; ++i)
        if (nest.stages[s].stored[i])
          forEachCoords(
              after.getOutputDims(s, i) & parallel, [&](const Coords &coords) {
                after.store(s, i, coords, after.evaluateResult(s, i, coords));
              });
    return;
  }

  // Values first, then stores: results may replace what other points read.
  BodyEvaluator body(builder, nest, plan, block);
  SmallVector<std::tuple<unsigned, unsigned, Coords, Value>> stores;
  for (unsigned s = 0; s < nest.stages.size(); ++s)
    for (unsigned i = 0, e = nest.stages[s].stored.size(); i < e; ++i)
      if (nest.stages[s].stored[i])
        forEachCoords(body.getOutputDims(s, i) & parallel,
                      [&](const Coords &coords) {
                        stores.emplace_back(s, i, coords,
                                            body.evaluateResult(s, i, coords));
                      });
  for (auto &[s, i, coords, value] : stores)
    body.store(s, i, coords, value);
}

void NestGenerator::run() {
  linalg::LinalgOp op = nest.getMain();
  SmallVector<Range> ranges = op.createLoopRanges(builder, loc);
  for (Range range : ranges) {
    extents.push_back(range.size);
    staticExtents.push_back(
        getConstantIntValue(range.size).value_or(ShapedType::kDynamic));
  }
  SmallVector<int64_t> bounds(staticExtents);
  for (auto [extent, bound] : llvm::zip_equal(extents, bounds))
    if (ShapedType::isDynamic(bound))
      if (FailureOr<int64_t> most =
              ValueBoundsConstraintSet::computeConstantBound(
                  presburger::BoundType::UB, {cast<Value>(extent)}, nullptr,
                  /*closedUB=*/true);
          succeeded(most))
        bound = *most;
  if (nest.padded)
    emitPaddingStarts(builder, *nest.padded);
  plan = planNest(nest, staticExtents, bounds, target);
  bool skips = nest.padded && canSkipPadding(*nest.padded, plan, staticExtents);
  // Tiles are whole but the last: code for those that knows their sizes.
  NestPlan whole = planNest(nest, bounds, bounds, target);
  SmallVector<unsigned> cut;
  for (auto [dim, bound] : llvm::enumerate(bounds))
    if (bound != staticExtents[dim] &&
        (int(dim) == whole.vectorDim || whole.isBlocked(dim)))
      cut.push_back(dim);
  bool splits = op.getNumReductionLoops() && whole.vectorDim >= 0 &&
                !whole.horizontal && !cut.empty();
  if (!skips && nest.padded) {
    skips = splits = false;
    nest.padded.reset();
  }
  if (!splits)
    return emitNest();
  Value isWhole;
  for (unsigned dim : cut) {
    Value equal = arith::CmpIOp::create(
        builder, loc, arith::CmpIPredicate::eq, toValue(extents[dim]),
        arith::ConstantIndexOp::create(builder, loc, bounds[dim]));
    isWhole =
        isWhole ? arith::AndIOp::create(builder, loc, isWhole, equal) : equal;
  }
  auto choice = scf::IfOp::create(builder, loc, isWhole, /*withElse=*/true);
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPointToStart(choice.elseBlock());
  emitNest();
  builder.setInsertionPointToStart(choice.thenBlock());
  for (unsigned dim : cut) {
    extents[dim] = builder.getIndexAttr(bounds[dim]);
    staticExtents[dim] = bounds[dim];
  }
  plan = planNest(nest, staticExtents, bounds, target);
  emitNest();
}

void NestGenerator::emitNest() {
  linalg::LinalgOp op = nest.getMain();
  Value zero = arith::ConstantIndexOp::create(builder, loc, 0);
  block = BlockState();
  block.base.assign(extents.size(), zero);
  block.factors.assign(extents.size(), 1);
  reductions.clear();
  for (auto [dim, iterator] : llvm::enumerate(op.getIteratorTypesArray()))
    if (iterator == utils::IteratorType::reduction &&
        int(dim) != plan.vectorDim)
      reductions.push_back(dim);
  if (plan.horizontal)
    reductions.push_back(plan.vectorDim);
  emitParallel(plan.order);
}

void lathe::cpu::generateNest(OpBuilder &builder, Nest &nest,
                              const Target &target) {
  NestGenerator(builder, nest, target).run();
}
