// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "TunableKernel.h"

#include "lathe/Target/Kernel/CostModel.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Interfaces/LoopLikeInterface.h"
#include "llvm/ADT/MapVector.h"

using namespace mlir;
using namespace lathe;

/// The part of a program's time below which a kernel is left to the model.
static constexpr double minShare = 1.0 / 400;
/// Bytes of all that a kernel reads and writes, at most.
static constexpr size_t maxOperandBytes = size_t(4) << 30;

namespace {
/// What sizes of a program are, where symbols have these.
class SizeEvaluator {
public:
  explicit SizeEvaluator(const llvm::StringMap<int64_t> &dims) : dims(dims) {}

  std::optional<int64_t> get(Value value) {
    auto found = known.find(value);
    if (found == known.end())
      found = known.insert({value, compute(value)}).first;
    return found->second;
  }

private:
  std::optional<int64_t> compute(Value value) {
    Operation *op = value.getDefiningOp();
    if (auto symbol = dyn_cast_or_null<SymbolOp>(op)) {
      auto found = dims.find(symbol.getName());
      return found == dims.end() ? std::nullopt
                                 : std::make_optional(found->second);
    }
    if (!op || op->getNumResults() != 1)
      return std::nullopt;
    SmallVector<Attribute> operands;
    for (Value operand : op->getOperands()) {
      std::optional<int64_t> size =
          operand.getType().isIntOrIndex() ? get(operand) : std::nullopt;
      if (!size)
        return std::nullopt;
      operands.push_back(IntegerAttr::get(operand.getType(), *size));
    }
    SmallVector<OpFoldResult> results;
    if (failed(op->fold(operands, results)) || results.empty())
      return std::nullopt;
    if (auto same = dyn_cast<Value>(results.front()))
      return same == value ? std::nullopt : get(same);
    auto number = dyn_cast<IntegerAttr>(cast<Attribute>(results.front()));
    return number ? std::make_optional(number.getInt()) : std::nullopt;
  }

  const llvm::StringMap<int64_t> &dims;
  llvm::DenseMap<Value, std::optional<int64_t>> known;
};
} // namespace

std::optional<int64_t> lathe::evaluateMap(AffineMap map, unsigned i,
                                          ArrayRef<int64_t> sizes) {
  Builder b(map.getContext());
  SmallVector<Attribute> results;
  if (failed(
          map.constantFold(llvm::map_to_vector(sizes,
                                               [&](int64_t size) -> Attribute {
                                                 return b.getIndexAttr(size);
                                               }),
                           results)))
    return std::nullopt;
  return cast<IntegerAttr>(results[i]).getInt();
}

/// Whether the kernel reduces something, and reads nothing at places that
/// depend on data: it is to be run on numbers that mean nothing.
static bool isTunable(KernelOp kernel) {
  bool reduces = false;
  WalkResult walked = kernel.getBody().walk([&](Operation *op) {
    if (auto structured = dyn_cast<linalg::LinalgOp>(op))
      reduces |= structured.getNumReductionLoops() > 0;
    else if (isa<tensor::ExtractOp>(op) ||
             !isa_and_present<affine::AffineDialect, arith::ArithDialect,
                              linalg::LinalgDialect, math::MathDialect,
                              tensor::TensorDialect>(op->getDialect()))
      return isa<YieldOp>(op) ? WalkResult::advance() : WalkResult::interrupt();
    return WalkResult::advance();
  });
  return reduces && !walked.wasInterrupted();
}

/// Fills in what the kernel is called with; false where that is not known.
static bool findOperands(TunableKernel &tunable, SizeEvaluator &evaluator) {
  KernelOp kernel = tunable.kernel;
  KernelOperands &operands = tunable.operands;
  for (Value size : tunable.launch.getSizes()) {
    std::optional<int64_t> known = evaluator.get(size);
    if (!known || *known < 0)
      return false;
    operands.sizes.push_back(*known);
  }
  size_t sum = 0;
  using Kind = KernelOperands::Kind;
  auto add = [&](RankedTensorType type, Attribute positions, Kind kind) {
    size_t bytes = getKnownBytes(type);
    for (int64_t position : cast<DenseI64ArrayAttr>(positions).asArrayRef())
      bytes = llvm::SaturatingMultiply<size_t>(bytes, operands.sizes[position]);
    // What lies in something larger is left to the model: a trial's buffer
    // holds the operand alone.
    if (!getWithin(kernel, operands.buffers.size()).empty())
      return false;
    sum = llvm::SaturatingAdd(sum, bytes);
    operands.buffers.push_back({bytes, kind});
    return true;
  };
  for (auto [input, arg, dims] :
       llvm::zip_equal(tunable.launch.getInputs(), kernel.getInputs(),
                       kernel.getInputDims())) {
    SmallVector<Attribute> recipe;
    if (!add(cast<RankedTensorType>(arg.getType()), dims,
             findWeight(input, recipe) ? Kind::Weight : Kind::Input))
      return false;
  }
  for (auto [i, dims] : llvm::enumerate(kernel.getResultDims()))
    if (!add(kernel.getResultType(i), dims, Kind::Output))
      return false;
  return sum <= maxOperandBytes;
}

/// How often a launch runs, with a guess for each loop around it.
static double countRuns(LaunchOp launch) {
  double runs = 1;
  for (Operation *parent = launch->getParentOp(); parent;
       parent = parent->getParentOp())
    if (isa<LoopLikeOpInterface>(parent))
      runs *= unknownExtent;
  return runs;
}

/// Seconds, in a unit of its own, of one launch by the target's rates.
static double estimate(KernelOp kernel, const MachineRates &rates,
                       ArrayRef<int64_t> sizes) {
  auto cost = kernel->getAttrOfType<AffineMapAttr>(costAttrName);
  if (!cost)
    return 0;
  double flops = evaluateMap(cost.getValue(), 0, sizes).value_or(0),
         bytes = evaluateMap(cost.getValue(), 1, sizes).value_or(0);
  return std::max(flops / (2 * rates.lanes), bytes / rates.nearBytes);
}

std::vector<TunableKernel>
lathe::findTunableKernels(ModuleOp module, const TargetInterface &target,
                          const llvm::StringMap<int64_t> &dims) {
  llvm::MapVector<StringAttr, TunableKernel> all;
  for (KernelOp kernel : module.getOps<KernelOp>())
    all[kernel.getSymNameAttr()].kernel = kernel;
  module.walk([&](LaunchOp launch) {
    TunableKernel &tunable = all[launch.getKernelAttr().getAttr()];
    if (!tunable.launch)
      tunable.launch = launch;
    tunable.launches += countRuns(launch);
  });
  SizeEvaluator evaluator(dims);
  std::vector<TunableKernel> found;
  SmallVector<double> times;
  std::optional<MachineRates> rates = target.getRates();
  double sum = 0;
  for (auto &[name, tunable] : all) {
    if (!tunable.kernel || !tunable.launch)
      continue;
    tunable.hasSizes = findOperands(tunable, evaluator);
    double time = tunable.hasSizes && rates
                      ? tunable.launches * estimate(tunable.kernel, *rates,
                                                    tunable.operands.sizes)
                      : 0;
    sum += time;
    if (!isTunable(tunable.kernel))
      continue;
    found.push_back(std::move(tunable));
    times.push_back(time);
  }
  size_t kept = 0;
  for (auto [i, time] : llvm::enumerate(times))
    if (!found[i].hasSizes || time >= minShare * sum)
      found[kept++] = std::move(found[i]);
  found.resize(kept);
  return found;
}

std::string lathe::getPlainText(KernelOp kernel) {
  OwningOpRef<KernelOp> copy(kernel.clone());
  copy->setSymName("kernel");
  copy->getBody().walk([](Operation *op) { op->removeAttr(nodeAttrName); });
  std::string text;
  llvm::raw_string_ostream os(text);
  copy->getOperation()->print(os, OpPrintingFlags().useLocalScope());
  return text;
}

size_t lathe::getWeightBytes(ModuleOp module) {
  size_t bytes = 0;
  module.walk([&](WeightOp op) {
    bytes += getKnownBytes(cast<RankedTensorType>(op.getType()));
  });
  return bytes;
}
