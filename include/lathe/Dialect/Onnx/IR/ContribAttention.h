// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef LATHE_DIALECT_ONNX_IR_CONTRIBATTENTION_H
#define LATHE_DIALECT_ONNX_IR_CONTRIBATTENTION_H

#include "lathe/Dialect/Onnx/IR/Onnx.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinAttributes.h"

#define GET_OP_CLASSES
#include "lathe/Dialect/Onnx/IR/ContribAttention.h.inc"

#endif // LATHE_DIALECT_ONNX_IR_CONTRIBATTENTION_H
