// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// From ONNX's tensors to MLIR's attributes.
//
// Up to 1 KiB a tensor becomes `dense`, above that a `dense_resource` whose
// blob owns the bytes or shares a mapped file. A blob holds one byte per `i1`
// and leaves elements of 2, 4 and 6 bits packed as ONNX packs them.

#ifndef LATHE_IMPORT_TENSORREADER_H
#define LATHE_IMPORT_TENSORREADER_H

#include "lathe/Import/ExternalData.h"
#include "lathe/Import/Import.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/Diagnostics.h"
#include "llvm/ADT/DenseMap.h"
#include <onnx/onnx_pb.h>

namespace lathe::importer {
namespace proto = ::onnx;
using EmitError = llvm::function_ref<mlir::InFlightDiagnostic()>;

class TensorReader {
public:
  TensorReader(mlir::MLIRContext *context, const ImportLimits &limits,
               std::string baseDirectory)
      : context(context), limits(limits), external(std::move(baseDirectory)) {}

  /// Converts `tensor`, whose raw bytes move into the result. The same tensor
  /// may be read again while it lives: it gives the same attribute.
  mlir::FailureOr<mlir::ElementsAttr> read(proto::TensorProto &tensor,
                                           EmitError emitError);

  /// Converts `tensor` into a dense one, as operators take no sparse tensors.
  mlir::FailureOr<mlir::ElementsAttr> read(proto::SparseTensorProto &tensor,
                                           EmitError emitError);

  /// The type with the dimensions `dims` and the element type number
  /// `dataType`, and how many elements it has.
  mlir::FailureOr<mlir::RankedTensorType> getType(llvm::ArrayRef<int64_t> dims,
                                                  int64_t dataType,
                                                  int64_t &count,
                                                  EmitError emitError);

  /// The files of external data that were read, sorted by name.
  std::vector<std::string> getExternalFiles() const {
    return external.getLocations();
  }

private:
  mlir::FailureOr<mlir::ElementsAttr> convert(proto::TensorProto &tensor,
                                              EmitError emitError);
  mlir::FailureOr<mlir::ElementsAttr> mapExternal(proto::TensorProto &tensor,
                                                  mlir::RankedTensorType type,
                                                  int64_t count, int64_t size,
                                                  EmitError emitError);

  mlir::MLIRContext *context;
  ImportLimits limits;
  ExternalData external;
  llvm::DenseMap<const void *, mlir::ElementsAttr> cache;
};

} // namespace lathe::importer

#endif // LATHE_IMPORT_TENSORREADER_H
