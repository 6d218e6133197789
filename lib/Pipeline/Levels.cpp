// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "lathe/Pipeline/Pipeline.h"

#include "lathe/Conversion/OnnxToLinalg/OnnxToLinalg.h"
#include "lathe/Dialect/Onnx/Transforms/Passes.h"
#include "lathe/Transforms/Fusion/ConcatParts.h"
#include "lathe/Transforms/Fusion/Passes.h"
#include "lathe/Transforms/Fusion/ProgramOps.h"
#include "lathe/Transforms/Layout/Passes.h"
#include "lathe/Transforms/Memory/Passes.h"
#include "lathe/Transforms/Precision/Passes.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Transforms/Passes.h"

using namespace mlir;
using namespace lathe;

/// Fusions that are whole passes, and their switches.
static constexpr std::pair<llvm::StringLiteral, bool FusionOptions::*>
    passFusions[] = {{"batch-norm", &FusionOptions::batchNorm},
                     {concatFusion, &FusionOptions::concats},
                     {"constants", &FusionOptions::constants},
                     {"group-norm", &FusionOptions::groupNorm},
                     {horizontalFusion, &FusionOptions::horizontal},
                     {"quantized", &FusionOptions::quantized},
                     {moveFusion, &FusionOptions::moves}};

SmallVector<StringRef> lathe::listFusions() {
  SmallVector<StringRef> names;
  llvm::append_range(names, llvm::make_first_range(passFusions));
  llvm::append_range(names, getFusionKinds());
  return names;
}

LogicalResult lathe::parseFusion(StringRef text, FusionOptions &options,
                                 std::string &error) {
  if (text == "all")
    return success();
  if (text == "none") {
    options.crossNode = false;
    for (bool FusionOptions::*enabled : llvm::make_second_range(passFusions))
      options.*enabled = false;
    return success();
  }
  SmallVector<StringRef> names;
  text.split(names, ',');
  llvm::SmallSetVector<StringRef, 8> off;
  if (!names.front().starts_with("-"))
    for (StringRef kind : listFusions())
      off.insert(kind);
  for (StringRef name : names) {
    bool disable = name.consume_front("-");
    if (name == "all" && !disable) {
      off.clear();
      continue;
    }
    if (!llvm::is_contained(listFusions(), name)) {
      error =
          ("expected a fusion (see --list-fusions), got '" + name + "'").str();
      return failure();
    }
    if (disable)
      off.insert(name);
    else
      off.remove(name);
  }
  for (StringRef name : off) {
    const auto *pass = llvm::find_if(
        passFusions, [&](const auto &fusion) { return fusion.first == name; });
    if (pass != std::end(passFusions))
      options.*pass->second = false;
    else
      options.disabled.push_back(name.str());
  }
  return success();
}

void lathe::buildStatePipeline(OpPassManager &pm,
                               ArrayRef<std::string> states) {
  OpPassManager &onFunc = pm.nest<func::FuncOp>();
  onFunc.addPass(createOnnxInferShapes());
  ApplyStatesOptions options;
  options.states.assign(states.begin(), states.end());
  onFunc.addPass(createApplyStates(options));
}

void lathe::buildIntermediatesPipeline(OpPassManager &pm) {
  OpPassManager &onFunc = pm.nest<func::FuncOp>();
  onFunc.addPass(createOnnxInferShapes());
  onFunc.addPass(createKeepNumericResults());
}

void lathe::buildGraphPipeline(OpPassManager &pm, const FusionOptions &fusion,
                               const ConstantEvaluator &evaluator) {
  // What a branch hides is seen once it is in the open: three rounds reach the
  // nesting that exporters write.
  for (int round = 0; round < 3; ++round) {
    OpPassManager &onFunc = pm.nest<func::FuncOp>();
    onFunc.addPass(createOnnxInferShapes());
    // Before constants are folded to floats.
    if (fusion.quantized)
      onFunc.addPass(createRaiseQuantized());
    onFunc.addPass(createOnnxFoldShapes());
    onFunc.addPass(createBoundLoops());
    if (fusion.constants && evaluator)
      pm.addPass(createFoldConstants(evaluator));
  }
  OpPassManager &onFunc = pm.nest<func::FuncOp>();
  onFunc.addPass(createCanonicalizerPass());
  onFunc.addPass(createCSEPass());
  // Constants that differ in their recipe must not be merged from here on.
  if (fusion.batchNorm)
    onFunc.addPass(createFoldBatchNorm());
  if (fusion.groupNorm)
    onFunc.addPass(createRaiseGroupNorm());
  onFunc.addPass(createOnnxInferShapes());
  onFunc.addPass(createAnnotateShapes());
  pm.addPass(createVerifyGraphLevel());
}

LayoutOptions lathe::getLayout(const TargetInterface &target) {
  return {target.getPanelWidth(), target.getGroupLanes()};
}

void lathe::buildTensorPipeline(OpPassManager &pm, const FusionOptions &fusion,
                                const LayoutOptions &layout,
                                const KernelAbilities &abilities,
                                const PrecisionOptions &precision) {
  unsigned panelWidth = layout.panelWidth;
  OpPassManager &onFunc = pm.nest<func::FuncOp>();
  onFunc.addPass(createConvertOnnxToLinalg());
  onFunc.addPass(createCanonicalizerPass());
  onFunc.addPass(createCSEPass());
  if (panelWidth > 0) {
    onFunc.addPass(createMergeGroups({layout.groupLanes}));
    onFunc.addPass(createChooseLayouts());
    onFunc.addPass(createMaterializeLayouts());
    if (precision.filtering) {
      ChooseWinogradOptions choose;
      choose.lanes = precision.filtering->lanes;
      choose.cacheBytes = precision.filtering->cacheBytes;
      choose.nearBytes = precision.filtering->nearBytes;
      choose.farBytes = precision.filtering->farBytes;
      onFunc.addPass(createChooseWinograd(choose));
      onFunc.addPass(createExpandWinograd({panelWidth}));
    }
  }
  // Pairs are what weights are packed in.
  bool pairs = precision.pairs && panelWidth > 0;
  if (!precision.factors.empty())
    onFunc.addPass(createNarrowFactors({precision.factors, pairs}));
  if (panelWidth > 0) {
    PackWeightsOptions pack;
    pack.panelWidth = panelWidth;
    pack.pairs = pairs;
    onFunc.addPass(createPackWeights(pack));
    onFunc.addPass(createCanonicalizerPass());
    onFunc.addPass(createCSEPass());
  }
  onFunc.addPass(createFormSlices());
  FoldMovesOptions moves;
  moves.crossNode = fusion.moves;
  onFunc.addPass(createFoldMoves(moves));
  // Equal copies are not one, so nothing merges ops from here on.
  onFunc.addPass(createOwnResults());
  if (fusion.concats) {
    FormConcatsOptions concats;
    concats.explain = fusion.explain;
    onFunc.addPass(createFormConcats(concats));
  }
  FormKernelsOptions form;
  form.crossNode = fusion.crossNode;
  form.explain = fusion.explain;
  form.attention = abilities.attention;
  form.cacheBytes = abilities.cacheBytes;
  form.disabled.assign(fusion.disabled.begin(), fusion.disabled.end());
  onFunc.addPass(createFormKernels(form));
  pm.addPass(createOutlineKernels());
  OpPassManager &after = pm.nest<func::FuncOp>();
  after.addPass(createCanonicalizerPass());
  after.addPass(createCSEPass());
  pm.addPass(createVerifyTensorLevel());
}

void lathe::buildKernelsPipeline(OpPassManager &pm, const FusionOptions &fusion,
                                 const TargetInterface &target) {
  target.buildKernelPipeline(pm.nest<KernelOp>());
  std::optional<MergeLimits> limits = target.getMergeLimits();
  if (!limits || !fusion.horizontal)
    return;
  MergeLaunchesOptions merge;
  merge.maxTiles = limits->tiles;
  merge.maxParameters = limits->parameters;
  merge.maxSharedBytes = limits->sharedBytes;
  merge.explains = fusion.explain;
  pm.addPass(createMergeLaunches(merge));
}

void lathe::buildMemoryPipeline(OpPassManager &pm, StringRef strategy) {
  PlanMemoryOptions options;
  options.strategy = strategy.str();
  if (strategy == "search")
    pm.nest<func::FuncOp>().addPass(createScheduleLaunches());
  pm.nest<func::FuncOp>().addPass(createPlanMemory(options));
  pm.addPass(createVerifyBufferLevel());
}
