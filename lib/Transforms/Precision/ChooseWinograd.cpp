// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "PlainConvolution.h"
#include "lathe/Dialect/Lathe/IR/MinimalFilter.h"
#include "lathe/Transforms/Precision/Passes.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;

namespace lathe {
#define GEN_PASS_DEF_CHOOSEWINOGRAD
#include "lathe/Transforms/Precision/Passes.h.inc"
} // namespace lathe

using namespace lathe;

/// Tiles that are tried. F(6x6, 3x3) is four times less precise than F(4x4,
/// 3x3), and gains a tenth.
static constexpr int64_t candidates[] = {2, 3, 4, 5};

/// Vector instructions per number of one side's transform, which even and odd
/// parts share; a load and a store besides. Counted in F(4x4, 3x3).
static constexpr double transformSteps = 2;
static constexpr double moveSteps = 3;
/// Rows of a block in registers at which a product of matrices loses half of
/// its speed to loads. From the block model of the CPU target.
static constexpr double halfRows = 0.7;

namespace {
/// Estimates of one convolution, in multiply-adds of a vector.
struct Costs {
  double lanes, cacheBytes, nearBytes, farBytes;
  double images, inputs, columns, taps;
  double outputs[2];
  bool knowsImages;

  double getWeights(double points) const {
    return 4 * points * points * inputs * columns / farBytes;
  }
  /// A tensor that one kernel writes and the next one reads.
  double getTraffic(double numbers) const {
    double bytes = 4 * numbers;
    return 2 * std::max(0.0, bytes - cacheBytes / 2) / nearBytes;
  }
  double getVectors(double channels) const {
    return std::ceil(channels / lanes);
  }
  double getDirect() const {
    double work = images * outputs[0] * outputs[1] * inputs * taps * taps *
                  getVectors(columns);
    return std::max(work, getWeights(taps));
  }
  double getWinograd(double tile) const {
    double points = tile + taps - 1;
    double tiles =
        images * std::ceil(outputs[0] / tile) * std::ceil(outputs[1] / tile);
    double all = points * points;
    double product =
        all * tiles * inputs * getVectors(columns) * (tiles + halfRows) / tiles;
    double before =
        all * tiles * getVectors(inputs) * (2 * transformSteps + moveSteps);
    double after = (all + points * tile) * tiles * getVectors(columns) *
                   (transformSteps + moveSteps / 2);
    // Filters are fetched while products are summed only where it is known how
    // many rows go through them.
    double sums = knowsImages ? std::max(product, getWeights(points))
                              : product + getWeights(points);
    return sums + before + after + getTraffic(all * tiles * inputs) +
           getTraffic(all * tiles * columns);
  }
};

struct ChooseWinograd : public lathe::impl::ChooseWinogradBase<ChooseWinograd> {
  using Base::Base;

  void runOnOperation() override {
    getOperation().walk([&](linalg::GenericOp op) {
      StringRef reason;
      std::optional<PlainConvolution> conv = matchPlainConvolution(op, reason);
      std::optional<int64_t> chosen;
      if (conv)
        chosen = choose(op, *conv, reason);
      if (!chosen) {
        if (explain && !reason.empty())
          op.emitRemark("stays a direct convolution: ") << reason;
        return;
      }
      op->setAttr(
          winogradAttrName,
          IntegerAttr::get(IntegerType::get(&getContext(), 64), *chosen));
      ++numChosen;
    });
  }

private:
  std::optional<int64_t>
  choose(linalg::GenericOp op, const PlainConvolution &conv, StringRef &reason);
};
} // namespace

std::optional<int64_t> ChooseWinograd::choose(linalg::GenericOp op,
                                              const PlainConvolution &conv,
                                              StringRef &reason) {
  ArrayRef<int64_t> shape =
      cast<RankedTensorType>(op->getResult(0).getType()).getShape();
  Costs costs;
  costs.lanes = lanes;
  costs.cacheBytes = cacheBytes;
  costs.nearBytes = nearBytes;
  costs.farBytes = farBytes;
  // What is gained by more images is not known, but that it is not less.
  costs.knowsImages = !ShapedType::isDynamic(shape[0]);
  costs.images = costs.knowsImages ? shape[0] : 1;
  costs.inputs = conv.getChannels();
  costs.columns = shape[3];
  costs.taps = conv.taps;
  costs.outputs[0] = shape[1];
  costs.outputs[1] = shape[2];
  if (!tile && 2 * std::min(costs.inputs, costs.columns) < lanes) {
    reason = "channels fill too little of a vector";
    return std::nullopt;
  }
  double best = costs.getDirect();
  std::optional<int64_t> chosen;
  reason = "no minimal filtering algorithm for its taps";
  if (conv.taps < 2)
    return std::nullopt;
  for (int64_t candidate : candidates) {
    if ((tile && candidate != tile) || !getMinimalFilter(candidate, conv.taps))
      continue;
    if (!chosen)
      reason = "transforms and memory cost more than they save";
    double cost = costs.getWinograd(candidate);
    if (!tile && cost >= best)
      continue;
    best = cost;
    chosen = candidate;
  }
  return chosen;
}
