// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The pass pipelines of the levels, one function each.

#ifndef LATHE_PIPELINE_PIPELINE_H
#define LATHE_PIPELINE_PIPELINE_H

#include "lathe/Dialect/Onnx/Transforms/FoldConstants.h"
#include "lathe/Target/Target.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/Pass.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/LogicalResult.h"
#include <optional>
#include <string>
#include <vector>

namespace lathe {
#define GEN_PASS_DECL
#define GEN_PASS_REGISTRATION
#include "lathe/Pipeline/Passes.h.inc"

/// What may be fused. The one struct that levels 2 and 3 read.
struct FusionOptions {
  bool crossNode = true;
  bool batchNorm = true;  ///< Into the convolution before it (level 2).
  bool concats = true;    ///< Parts are computed in place (level 3).
  bool constants = true;  ///< Nodes that depend on constants only (level 2).
  bool groupNorm = true;  ///< Of reshapes around an instance's (level 2).
  bool horizontal = true; ///< Of launches that do not wait (level 4).
  bool quantized = true;  ///< Into sums of integers (level 2).
  bool moves = true;      ///< Into what reads them (level 3).
  bool explain = false;   ///< Say on launches why fusions did not happen.
  std::vector<std::string> disabled; ///< Kinds that stay off.
};

/// The names that `--fusion` takes, in a fixed order.
llvm::SmallVector<llvm::StringRef> listFusions();

/// Reads `all`, `none`, or a list like `row,-pad`. A first name without a minus
/// starts from nothing. Failure, with the reason in `error`, for unknown names.
llvm::LogicalResult parseFusion(llvm::StringRef text, FusionOptions &options,
                                std::string &error);

/// Before level 2: lets outputs lie in the memory of inputs (`--state`).
void buildStatePipeline(mlir::OpPassManager &pm,
                        llvm::ArrayRef<std::string> states);

/// Infers types and leaves only those results that are tensors of numbers with
/// a known rank.
void buildIntermediatesPipeline(mlir::OpPassManager &pm);

/// Level 2, on a module of `onnx` ops: shapes, folding, simplification.
/// Without `evaluator` only integers and shapes are folded.
void buildGraphPipeline(mlir::OpPassManager &pm, const FusionOptions &fusion,
                        const ConstantEvaluator &evaluator = {});

/// What arithmetic may differ from the model's in; nothing by default.
struct PrecisionOptions {
  /// Minimal filtering, where it is faster by these rates.
  std::optional<MachineRates> filtering;
  /// The type that constant factors of sums of products are stored in: `bf16`
  /// or `f16`, or as they are where empty.
  std::string factors;
  /// Whether sums of products go in pairs, of factors that are both narrow.
  bool pairs = false;
};

/// How values are stored for a target's kernels.
struct LayoutOptions {
  /// Columns of f32 per panel of packed weights; 0 leaves layouts alone.
  unsigned panelWidth = 0;
  /// Lanes that may belong to several groups of a convolution; 0: groups stay
  /// apart.
  unsigned groupLanes = 0;
};

/// What `target` wants.
LayoutOptions getLayout(const TargetInterface &target);

/// Level 3, from `onnx` to kernels and launches. `abilities`: what the target's
/// kernels may have.
void buildTensorPipeline(mlir::OpPassManager &pm, const FusionOptions &fusion,
                         const LayoutOptions &layout,
                         const KernelAbilities &abilities,
                         const PrecisionOptions &precision = {});

/// Level 4: brings kernels to buffer form, and merges launches where the target
/// gains by it.
void buildKernelsPipeline(mlir::OpPassManager &pm, const FusionOptions &fusion,
                          const TargetInterface &target);

/// The rest of level 4, after the target compiled the kernels.
void buildMemoryPipeline(mlir::OpPassManager &pm, llvm::StringRef strategy);

} // namespace lathe

#endif // LATHE_PIPELINE_PIPELINE_H
