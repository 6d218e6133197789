// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the compiler made of a model, as data: launches, storage, fusions.

#ifndef LATHE_PIPELINE_INSPECT_H
#define LATHE_PIPELINE_INSPECT_H

#include "lathe/Pipeline/Compile.h"
#include "mlir/IR/AffineMap.h"
#include "mlir/IR/BuiltinOps.h"
#include "llvm/Support/JSON.h"

namespace lathe {

/// What one kind of fusion saved in a whole program.
struct FusionSaving {
  std::string kind;
  int64_t count = 0;
  /// Bytes that do not go through memory, over `symbols`. Launches whose sizes
  /// depend on data count none.
  mlir::AffineExpr bytes;
  std::vector<std::string> symbols;
};

/// Adds up what the launches of a program say, by kind in a fixed order.
std::vector<FusionSaving> getFusionSavings(mlir::ModuleOp module);

/// A saving as text, for an artifact's metadata.
std::string printFusionSaving(const FusionSaving &saving);

/// Reads such a text: the count, and the bytes where `getSymbol` knows all
/// symbols.
struct FusionNumbers {
  int64_t count, bytes;
};
std::optional<FusionNumbers> evaluateFusionSaving(
    llvm::StringRef text,
    llvm::function_ref<std::optional<int64_t>(llvm::StringRef)> getSymbol);

/// Lowers a model and describes it in `report`. Where nodes are unsupported,
/// the report names them as `unsupported` and the result is failure, as it is,
/// with a line in `errs`, where the file is no model.
llvm::LogicalResult inspectModel(const CompileOptions &options,
                                 llvm::json::Object &report,
                                 llvm::raw_ostream &errs);

} // namespace lathe

#endif // LATHE_PIPELINE_INSPECT_H
