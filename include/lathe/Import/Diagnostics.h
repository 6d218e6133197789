// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// How diagnostics are shown to users: one line each, with the ONNX node.

#ifndef LATHE_IMPORT_DIAGNOSTICS_H
#define LATHE_IMPORT_DIAGNOSTICS_H

#include "mlir/IR/Diagnostics.h"
#include "llvm/ADT/StringRef.h"

namespace llvm {
class raw_ostream;
} // namespace llvm

namespace lathe {

/// The name of the ONNX node that `loc` stands for (of the first one where
/// several were fused), or "" where there is none.
llvm::StringRef getNodeName(mlir::Location loc);

/// Prints `diag` as `file: node 'name' (Op): message`. The operator is known
/// where the message begins with `'onnx.Op' op`, as those of `emitOpError` do;
/// the node where the location has a name. Notes follow on lines of their own.
void printDiagnostic(const mlir::Diagnostic &diag, llvm::StringRef file,
                     llvm::raw_ostream &os);

} // namespace lathe

#endif // LATHE_IMPORT_DIAGNOSTICS_H
