// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Where blocks of points begin and end along each dimension.

#include "CostModel.h"
#include "NestGenerator.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace lathe;
using namespace lathe::cpu;

bool lathe::cpu::hasNarrowRest(linalg::LinalgOp op, const NestPlan &plan,
                               ArrayRef<int64_t> extents,
                               const Target &target) {
  int64_t extent = extents[plan.vectorDim], lanes = plan.lanes;
  if (!target.halvesVectors() || !op.getNumReductionLoops() ||
      plan.horizontal || plan.dot || ShapedType::isDynamic(extent) ||
      extent % lanes == 0 || extent % lanes > lanes / 2)
    return false;
  // Permutations are for whole vectors.
  if (llvm::any_of(op.getDpsInputOperands(), [&](OpOperand *operand) {
        return matchSpread(*operand, plan.vectorDim).has_value();
      }))
    return false;
  // One vector alone needs many rows to hide the latency of its sums.
  int64_t rows = 1;
  for (auto [dim, kind] : llvm::enumerate(op.getIteratorTypesArray()))
    if (kind == utils::IteratorType::parallel && int(dim) != plan.vectorDim &&
        !ShapedType::isDynamic(extents[dim]))
      rows *= extents[dim];
  return rows >= maxBlock;
}

SmallVector<Segment> NestGenerator::getVectorSegments() {
  unsigned dim = plan.vectorDim;
  OpFoldResult zero = builder.getIndexAttr(0), extent = extents[dim];
  int64_t step = int64_t(plan.lanes) * plan.vectors;
  if (std::optional<int64_t> size = getConstantIntValue(extent)) {
    SmallVector<Segment> segments;
    int64_t end = plan.narrowRest ? *size / plan.lanes * plan.lanes : *size;
    int64_t full = end / step * step, rest = end - full;
    if (full)
      segments.push_back({zero, builder.getIndexAttr(full), plan.vectors});
    if (end != *size)
      extent = builder.getIndexAttr(end);
    if (rest)
      segments.push_back({builder.getIndexAttr(full), extent,
                          unsigned(llvm::divideCeil(rest, plan.lanes)),
                          rest % plan.lanes != 0});
    if (end != *size)
      segments.push_back({extent, builder.getIndexAttr(*size), 1,
                          (*size - end) % (plan.lanes / 2) != 0,
                          /*inside=*/false, /*narrow=*/true});
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
  int64_t size = *getConstantIntValue(extent);
  int64_t count = llvm::divideCeil(size, factor);
  unsigned small = size / std::max<int64_t>(count, 1);
  int64_t cut = (size - small * count) * (small + 1);
  SmallVector<Segment> segments;
  if (cut)
    segments.push_back({zero, builder.getIndexAttr(cut), small + 1});
  if (cut != size)
    segments.push_back({builder.getIndexAttr(cut), extent, small});
  return segments;
}

/// Points of the largest block for what is left over: all smaller ones are
/// made, too, and together have as much code as one block may have.
static unsigned chooseHighestRest(const NestPlan &plan, unsigned factor,
                                  ArrayRef<int64_t> extents) {
  unsigned highest = std::min(factor - 1, maxExactBlock);
  double points = plan.vectors;
  for (auto [dim, extent] : llvm::enumerate(extents))
    if (plan.unrolled >> dim & 1)
      points *= extent;
  while (highest > 1 && highest * (highest + 1) * points > maxUnrolledPoints)
    --highest;
  return highest;
}

void NestGenerator::emitUnknownBlocks(
    unsigned dim, unsigned factor,
    function_ref<void(const Segment &, Value)> body) {
  auto constant = [&](int64_t value) -> Value {
    return arith::ConstantIndexOp::create(builder, loc, value);
  };
  auto compare = [&](arith::CmpIPredicate predicate, Value lhs, Value rhs) {
    return arith::CmpIOp::create(builder, loc, predicate, lhs, rhs);
  };
  unsigned highest = chooseHighestRest(plan, factor, staticExtents);
  Value size = toValue(extents[dim]);
  Value rest = arith::RemUIOp::create(builder, loc, size, constant(factor));
  // Two equal blocks rather than a full one and a very small one.
  if (2 * highest > factor) {
    Value few = compare(arith::CmpIPredicate::ult,
                        arith::SubIOp::create(builder, loc, rest, constant(1)),
                        constant(2 * highest - factor));
    Value follows = compare(arith::CmpIPredicate::ugt, size, constant(factor));
    Value taken = arith::SelectOp::create(
        builder, loc, arith::AndIOp::create(builder, loc, few, follows),
        constant(factor), constant(0));
    rest = arith::AddIOp::create(builder, loc, rest, taken);
  }
  Value full = arith::SubIOp::create(builder, loc, size, rest);
  auto emitBlocks = [&](const Segment &segment) {
    SmallVector<Value> none;
    emitLoop(segment, segment.factor, none,
             [&](Value index, SmallVector<Value> &) { body(segment, index); });
  };
  emitBlocks({builder.getIndexAttr(0), full, factor});
  if (highest <= 1) {
    if (highest == 1)
      emitBlocks({full, size, 1});
    return;
  }
  // What is left lies in as few blocks as can be, all about equal.
  auto divide = [&](Value value, Value divisor) -> Value {
    Value most = arith::SubIOp::create(
        builder, loc, arith::AddIOp::create(builder, loc, value, divisor),
        constant(1));
    return arith::DivUIOp::create(builder, loc, most, divisor);
  };
  Value one = constant(1), height;
  if (2 * highest + 1 >= factor)
    height = arith::SelectOp::create(
        builder, loc,
        compare(arith::CmpIPredicate::ugt, rest, constant(highest)),
        divide(rest, constant(2)), rest);
  else
    height =
        divide(rest, arith::MaxUIOp::create(
                         builder, loc, divide(rest, constant(highest)), one));
  // The step of a loop without any is positive, too.
  height = arith::MaxUIOp::create(builder, loc, height, one);
  auto loop = scf::ForOp::create(builder, loc, full, size, height);
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPointToStart(loop.getBody());
  Value index = loop.getInductionVar();
  Value points = arith::MinUIOp::create(
      builder, loc, height, arith::SubIOp::create(builder, loc, size, index));
  auto heights = llvm::to_vector(llvm::seq<int64_t>(1, highest));
  auto choice = scf::IndexSwitchOp::create(builder, loc, TypeRange(), points,
                                           heights, heights.size());
  auto emitCase = [&](Region &region, unsigned points) {
    builder.setInsertionPointToStart(&region.emplaceBlock());
    body({index, size, points}, index);
    scf::YieldOp::create(builder, loc);
  };
  emitCase(choice.getDefaultRegion(), highest);
  for (auto [region, points] :
       llvm::zip_equal(choice.getCaseRegions(), heights))
    emitCase(region, points);
}

//===----------------------------------------------------------------------===//
// Padding
//===----------------------------------------------------------------------===//

/// Cuts the segments so that blocks in which some point reads padding stand
/// alone, at constants.
SmallVector<Segment> NestGenerator::splitAtEdges(unsigned dim,
                                                 ArrayRef<Segment> segments) {
  const PaddedDim *padded = nullptr;
  if (nest.padded && !nest.padded->copied)
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
                    start + (next - 1) * padded->stride + reach <
                        *getConstantIntValue(padded->bound);
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
  if (!nest.padded || nest.padded->copied)
    return true;
  return llvm::all_of(nest.padded->dims, [&](const PaddedDim &dim) {
    if (!(unrolledNow >> dim.reduction & 1) || !plan.isBlocked(dim.parallel))
      return true;
    std::optional<int64_t> at = getPosition(
        dim, coords[dim.parallel],
        *getConstantIntValue(OpFoldResult(block.base[dim.reduction])));
    return !at || (*at >= 0 && *at < *getConstantIntValue(dim.bound));
  });
}

bool NestGenerator::isEdge(const PaddedDim &dim) {
  if (!plan.isBlocked(dim.parallel))
    return false;
  std::optional<int64_t> first = getPosition(dim, 0, 0);
  std::optional<int64_t> last = getPosition(
      dim, block.factors[dim.parallel] - 1, staticExtents[dim.reduction] - 1);
  return first && last &&
         (*first < 0 || *last >= *getConstantIntValue(dim.bound));
}

/// The steps of a reduction at which some point of the block lies in the
/// source.
Segment NestGenerator::getInside(const PaddedDim &dim) {
  auto constant = [&](int64_t value) -> Value {
    return arith::ConstantIndexOp::create(builder, loc, value);
  };
  auto subtract = [&](Value lhs, Value rhs) -> Value {
    return builder.createOrFold<arith::SubIOp>(loc, lhs, rhs);
  };
  Value first = builder.createOrFold<arith::AddIOp>(
      loc, nest.padded->starts[dim.position],
      builder.createOrFold<arith::MulIOp>(loc, block.base[dim.parallel],
                                          constant(dim.stride)));
  Value last = builder.createOrFold<arith::AddIOp>(
      loc, first, constant((block.factors[dim.parallel] - 1) * dim.stride));
  // The first step at which `point` is at or after the edge; that may lie past
  // the window.
  auto reach = [&](Value point, OpFoldResult edge) -> Value {
    Value distance = subtract(toValue(edge), point);
    Value steps = distance;
    if (dim.dilation != 1)
      steps = builder.createOrFold<arith::CeilDivSIOp>(loc, distance,
                                                       constant(dim.dilation));
    return builder.createOrFold<arith::MaxSIOp>(loc, steps, constant(0));
  };
  Value end = builder.createOrFold<arith::MinSIOp>(
      loc, reach(first, dim.bound), toValue(extents[dim.reduction]));
  Value begin = reach(last, builder.getIndexAttr(0));
  return {getAsOpFoldResult(begin), getAsOpFoldResult(end), 1};
}
