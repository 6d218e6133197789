// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef LATHE_LIB_CONVERSION_LATHETOLLVM_SPLITFUNCTION_H
#define LATHE_LIB_CONVERSION_LATHETOLLVM_SPLITFUNCTION_H

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"

namespace lathe {

/// Moves what blocks of `function` have more than some hundred ops into
/// functions of their own, called one after the other. Works on scalars and
/// pointers, with control flow still in regions.
void splitFunction(mlir::LLVM::LLVMFuncOp function);

} // namespace lathe

#endif // LATHE_LIB_CONVERSION_LATHETOLLVM_SPLITFUNCTION_H
