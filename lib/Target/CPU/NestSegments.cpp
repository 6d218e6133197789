// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Where blocks of points begin and end along each dimension.

#include "CostModel.h"
#include "NestGenerator.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace lathe;
using namespace lathe::cpu;

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
