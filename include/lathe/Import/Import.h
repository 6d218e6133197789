// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Reads an ONNX model into a module with one `func.func @main` of `onnx` ops.

#ifndef LATHE_IMPORT_IMPORT_H
#define LATHE_IMPORT_IMPORT_H

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace lathe {

/// What a model may cost at most. Each limit has an error that names it.
struct ImportLimits {
  /// Dimensions of a tensor.
  int64_t rank = 32;
  /// Calls of functions within functions (the limit that ONNX itself sets).
  int64_t functionDepth = 100;
  /// Nodes after functions are inlined.
  int64_t nodes = 1 << 20;
  /// Bytes of a sparse tensor made dense.
  int64_t sparseBytes = int64_t(1) << 30;
};

/// What a model says of itself, whether it can be imported or not.
struct ModelSummary {
  int64_t irVersion = 0;
  std::string producer;
  /// Versions of the operator sets by domain (`ai.onnx` for the default one).
  std::map<std::string, int64_t> opsets;
  /// Nodes by domain and operator, those of sub-graphs and functions included.
  std::map<std::pair<std::string, std::string>, int64_t> operators;
  /// What else is not empty, by ONNX's field names: `producer_name`,
  /// `producer_version`, `domain`, `model_version`, `doc_string`, `graph_name`,
  /// and `metadata.KEY` for its own entries.
  std::vector<std::pair<std::string, std::string>> metadata;
  /// Files of external data, relative to the model's folder, sorted.
  std::vector<std::string> externalFiles;
};

struct ImportOptions {
  /// Full shapes of graph inputs by name; -1 leaves a dimension as it is.
  std::vector<std::pair<std::string, std::vector<int64_t>>> shapes;
  /// Sizes of symbolic dimensions by name.
  std::vector<std::pair<std::string, int64_t>> dims;
  /// The name in messages; the path where it is empty.
  std::string fileName;
  /// Where external data lies; for a model from a path, its folder. A model
  /// from bytes has no external data unless this is set.
  std::string baseDirectory;
  ImportLimits limits;
  /// Return the value of every node of the main graph, in the order of the
  /// nodes, instead of the graph's outputs. Each result says in
  /// `lathe.producer` which node makes it.
  bool intermediates = false;
  /// Filled as soon as the file was parsed, where not null.
  ModelSummary *summary = nullptr;
};

/// The folder below which the external data of the model at `path` lies.
std::string getBaseDirectory(llvm::StringRef path);

/// Reads the model in file `path`: a serialized `ModelProto`, or ONNX's text
/// syntax where the name ends in `.onnxtxt`. Loads the dialects it needs.
/// Everything that is wrong or unsupported is reported as diagnostics of
/// `context`; then the result is null. No bytes can make it crash.
mlir::OwningOpRef<mlir::ModuleOp> importModel(llvm::StringRef path,
                                              mlir::MLIRContext *context,
                                              const ImportOptions &options);

/// The same for a serialized `ModelProto` in memory, which is not needed after
/// the call.
mlir::OwningOpRef<mlir::ModuleOp>
importModelFromBytes(llvm::ArrayRef<char> bytes, mlir::MLIRContext *context,
                     const ImportOptions &options);

} // namespace lathe

#endif // LATHE_IMPORT_IMPORT_H
