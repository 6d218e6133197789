// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "lathe/Target/CUDA/Passes.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Linalg/Transforms/Transforms.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Dominance.h"
#include "mlir/Transforms/CSE.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

namespace lathe {
#define GEN_PASS_DEF_CUDAINLINEREADS
#include "lathe/Target/CUDA/Passes.h.inc"
} // namespace lathe

using namespace mlir;
using namespace lathe;

/// Whether an op only moves elements: what it computes are indices, conditions
/// and choices.
static bool onlyMoves(linalg::LinalgOp op) {
  if (!isa<linalg::GenericOp>(op) ||
      op.getNumParallelLoops() != op.getNumLoops() || op.getNumDpsInits() != 1)
    return false;
  for (Operation &inner : *op.getBlock()) {
    bool isIndex = llvm::all_of(inner.getResultTypes(), [](Type type) {
      return type.isIndex() || type.isInteger(1);
    });
    bool isArith =
        isa<arith::ArithDialect, affine::AffineDialect>(inner.getDialect());
    if (!isa<linalg::YieldOp, linalg::IndexOp, tensor::ExtractOp,
             arith::SelectOp, arith::ConstantOp>(inner) &&
        !(isIndex && isArith))
      return false;
  }
  return true;
}

namespace {
struct CudaInlineReads : lathe::impl::CudaInlineReadsBase<CudaInlineReads> {
  using Base::Base;

  void runOnOperation() override {
    KernelOp kernel = getOperation();
    RewritePatternSet patterns(&getContext());
    linalg::populateElementwiseOpsFusionPatterns(
        patterns, [](OpOperand *operand) {
          auto producer = operand->get().getDefiningOp<linalg::LinalgOp>();
          return producer && onlyMoves(producer);
        });
    linalg::populateEraseUnusedOperandsAndResultsPatterns(patterns);
    for (RegisteredOperationName name : getContext().getRegisteredOperations())
      if (llvm::is_contained({"linalg", "tensor", "affine", "arith"},
                             name.getDialectNamespace()))
        name.getCanonicalizationPatterns(patterns, &getContext());
    if (failed(applyPatternsGreedily(kernel, std::move(patterns)))) {
      kernel.emitOpError("expected the inlining of reads to converge");
      return signalPassFailure();
    }
    IRRewriter rewriter(&getContext());
    DominanceInfo dominance(kernel);
    eliminateCommonSubExpressions(rewriter, dominance, kernel);
  }
};
} // namespace
