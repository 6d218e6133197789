// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the ONNX library's own inference knows about the types of values while
// they are being imported. Adapters and function bodies that depend on types
// ask; most models never do, so nothing is inferred before a question. The
// answers choose between equivalent forms: types in the module come from the
// dialect alone.

#ifndef LATHE_IMPORT_TYPEORACLE_H
#define LATHE_IMPORT_TYPEORACLE_H

#include "Node.h"
#include "mlir/IR/Value.h"
#include "llvm/ADT/DenseMap.h"
#include <deque>
#include <memory>

namespace lathe::importer {
class Schemas;

class TypeOracle {
public:
  explicit TypeOracle(Schemas &schemas) : schemas(schemas) {}

  /// A sub-graph attribute and the values that its region yields.
  struct Region {
    std::string attribute;
    llvm::SmallVector<mlir::Value> yields;
  };

  /// Notes a node in its newest form, after those whose results it uses.
  void record(Node node, llvm::ArrayRef<mlir::Value> operands,
              llvm::ArrayRef<mlir::Value> results,
              llvm::SmallVector<Region> regions);

  void setType(mlir::Value value, proto::TypeProto type);

  /// Notes the tensor, which must outlive the oracle, that a constant holds.
  void setData(mlir::Value value, const proto::TensorProto *data);

  /// The type of `value`, or null where it is not known.
  const proto::TypeProto *getType(mlir::Value value);

  /// The tensor that `value` holds, or null.
  const proto::TensorProto *getData(mlir::Value value) const {
    return data.lookup(value);
  }

private:
  struct Pending {
    Node node;
    llvm::SmallVector<mlir::Value> operands, results;
    llvm::SmallVector<Region> regions;
  };
  void infer(Pending &pending);
  const proto::TypeProto *find(mlir::Value value) const;
  friend class OracleContext;

  Schemas &schemas;
  std::deque<Pending> queue;
  llvm::DenseMap<mlir::Value, std::unique_ptr<proto::TypeProto>> types;
  llvm::DenseMap<mlir::Value, const proto::TensorProto *> data;
};

} // namespace lathe::importer

#endif // LATHE_IMPORT_TYPEORACLE_H
