// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The contracts between levels. MLIR's own assertions are off in the packages
// that we build on, so a pass that leaves too much behind must be caught here.

#include "lathe/Pipeline/Pipeline.h"

#include "lathe/Dialect/Lathe/IR/Lathe.h"
#include "lathe/Dialect/Onnx/IR/Onnx.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Pass/Pass.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;

namespace lathe {
#define GEN_PASS_DEF_VERIFYGRAPHLEVEL
#define GEN_PASS_DEF_VERIFYTENSORLEVEL
#define GEN_PASS_DEF_VERIFYBUFFERLEVEL
#include "lathe/Pipeline/Passes.h.inc"
} // namespace lathe

using namespace lathe;

/// Reports ops of `root`, itself excepted, that `allowed` refuses.
static LogicalResult verifyOps(Operation *root, StringRef place,
                               function_ref<bool(Operation *)> allowed) {
  bool ok = true;
  root->walk<WalkOrder::PreOrder>([&](Operation *op) {
    if (op == root || allowed(op))
      return WalkResult::advance();
    ok = false;
    op->emitError("expects ")
        << place << " to be free of '" << op->getName() << "'";
    return WalkResult::skip();
  });
  return success(ok);
}

/// Numbers of bytes must be representable, so this many elements are too many:
/// the widest has 128 bits.
static constexpr unsigned maxElementsLog2 = 56;

/// Reports results of more elements than any size computation can handle;
/// sizes that are not known count as one.
static LogicalResult verifySizes(Operation *root) {
  bool ok = true;
  root->walk([&](Operation *op) {
    for (Type type : op->getResultTypes()) {
      auto ranked = dyn_cast<RankedTensorType>(type);
      if (!ranked)
        continue;
      int64_t count = 1;
      bool tooLarge = false;
      for (int64_t size : ranked.getShape())
        if (!ShapedType::isDynamic(size) && size != 0)
          tooLarge |= llvm::MulOverflow(count, size, count) ||
                      count >> maxElementsLog2 != 0;
      if (!tooLarge)
        continue;
      ok = false;
      op->emitOpError("expects a result of fewer than 2^")
          << maxElementsLog2 << " elements, got " << ranked;
      break;
    }
  });
  return success(ok);
}

static bool isScalarOp(Operation *op) {
  return isa<arith::ArithDialect, affine::AffineDialect>(op->getDialect());
}

namespace {
struct VerifyGraphLevel
    : public lathe::impl::VerifyGraphLevelBase<VerifyGraphLevel> {
  using Base::Base;
  void runOnOperation() override {
    for (auto func : getOperation().getOps<func::FuncOp>())
      if (failed(verifyOps(func, "level 2",
                           [](Operation *op) {
                             return isa<func::ReturnOp>(op) ||
                                    (isa<onnx::OnnxDialect>(op->getDialect()) &&
                                     op->hasAttr(shapesAttrName));
                           })) ||
          failed(verifySizes(func)))
        signalPassFailure();
  }
};

struct VerifyTensorLevel
    : public lathe::impl::VerifyTensorLevelBase<VerifyTensorLevel> {
  using Base::Base;
  void runOnOperation() override {
    for (Operation &op : *getOperation().getBody()) {
      LogicalResult ok = success();
      if (isa<func::FuncOp>(op))
        ok = verifyOps(&op, "a program", [](Operation *inner) {
          return isa<func::ReturnOp, tensor::ExtractOp>(inner) ||
                 isa<LatheDialect, scf::SCFDialect>(inner->getDialect()) ||
                 isScalarOp(inner);
        });
      else if (auto kernel = dyn_cast<KernelOp>(op))
        ok = kernel.isBufferForm()
                 ? kernel.emitError("expects kernels in tensor form")
                 : verifyOps(&op, "a kernel", [](Operation *inner) {
                     return isa<YieldOp>(inner) || isScalarOp(inner) ||
                            isa<linalg::LinalgDialect, math::MathDialect,
                                scf::SCFDialect, tensor::TensorDialect>(
                                inner->getDialect());
                   });
      if (failed(ok))
        signalPassFailure();
    }
  }
};

struct VerifyBufferLevel
    : public lathe::impl::VerifyBufferLevelBase<VerifyBufferLevel> {
  using Base::Base;
  void runOnOperation() override {
    for (auto kernel : getOperation().getOps<KernelOp>()) {
      bool hasBuffers = kernel.isBufferForm() || kernel.getNumOutputs() == 0;
      if (!hasBuffers || !kernel->hasAttr(gridAttrName)) {
        kernel.emitError("expects kernels in buffer form, with a grid");
        signalPassFailure();
      }
      if (failed(
              verifyOps(kernel, "a kernel in buffer form", [](Operation *op) {
                return llvm::none_of(op->getResultTypes(),
                                     llvm::IsaPred<TensorType>);
              })))
        signalPassFailure();
    }
    getOperation().walk([&](LaunchOp launch) {
      auto storage = launch->getAttrOfType<ArrayAttr>(storageAttrName);
      if (storage && storage.size() == launch->getNumResults())
        return;
      launch.emitError("expects storage for every result");
      signalPassFailure();
    });
  }
};
} // namespace
