// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef LATHE_DIALECT_ONNX_TRANSFORMS_FOLDCONSTANTS_H
#define LATHE_DIALECT_ONNX_TRANSFORMS_FOLDCONSTANTS_H

#include "lathe/Dialect/Onnx/Transforms/Passes.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/BuiltinOps.h"
#include <functional>
#include <memory>

namespace lathe {

/// What runs modules of `onnx` ops.
struct ConstantEvaluator {
  using Results = mlir::FailureOr<llvm::SmallVector<mlir::ElementsAttr>>;

  /// Gives what the function `main` of a module returns; it takes no arguments,
  /// its types are inferred and static. An empty list: a later level refuses
  /// the module, or it computes too much; nothing has been reported then.
  /// Failure, reported at the module: the computation itself failed.
  std::function<Results(mlir::ModuleOp)> evaluate;
  /// Adds the dialects that `evaluate` needs loaded.
  std::function<void(mlir::DialectRegistry &)> getDialects;

  explicit operator bool() const { return evaluate != nullptr; }
};

/// The pass `onnx-fold-constants` with what computes for it. Without an
/// evaluator the pass fails where there is something to fold.
std::unique_ptr<mlir::Pass> createFoldConstants(ConstantEvaluator evaluator);

} // namespace lathe

#endif // LATHE_DIALECT_ONNX_TRANSFORMS_FOLDCONSTANTS_H
