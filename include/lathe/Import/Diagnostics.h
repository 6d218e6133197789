// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// How diagnostics are shown to users: one line each, with the ONNX node.

#ifndef LATHE_IMPORT_DIAGNOSTICS_H
#define LATHE_IMPORT_DIAGNOSTICS_H

#include "mlir/IR/Diagnostics.h"
#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/ADT/StringRef.h"
#include <string>

namespace llvm {
class raw_ostream;
} // namespace llvm

namespace lathe {

enum class Severity { Error, Warning, Note };

/// A diagnostic in the terms of the model.
struct UserDiagnostic {
  Severity severity = Severity::Error;
  std::string file;
  std::string node; ///< Name of the ONNX node; empty where there is none.
  std::string op;   ///< Its operator; empty where it is not known.
  std::string message;
};

/// Prints `file: node 'name' (Op): message` and a newline, without the parts
/// that are empty.
void printDiagnostic(const UserDiagnostic &diag, llvm::raw_ostream &os);

/// Calls `use` for `diag`, then for each of its notes. The operator is known
/// where a message begins with `'onnx.Op' op`, as those of `emitOpError` do,
/// the node where the location has a name; or both are, where the message
/// begins with `node 'name' (Op): `.
void describeDiagnostic(const mlir::Diagnostic &diag, llvm::StringRef file,
                        llvm::function_ref<void(const UserDiagnostic &)> use);

/// The name of the ONNX node that `loc` stands for (of the first one where
/// several were fused), or "" where there is none.
llvm::StringRef getNodeName(mlir::Location loc);

/// Prints a diagnostic and its notes, as they are described.
void printDiagnostic(const mlir::Diagnostic &diag, llvm::StringRef file,
                     llvm::raw_ostream &os);

} // namespace lathe

#endif // LATHE_IMPORT_DIAGNOSTICS_H
