// Part of the Lathe project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef LATHE_PIPELINE_PASSES_TD
#define LATHE_PIPELINE_PASSES_TD

include "mlir/Pass/PassBase.td"

def KeepNumericResults : Pass<"keep-numeric-results", "::mlir::func::FuncOp"> {
  let summary = "Drops results that are no ranked tensors of numbers";
  let description = [{
    For programs that return what every node computes: only tensors of numbers can
    be compared.
  }];
}

def VerifyGraphLevel : Pass<"verify-graph-level", "::mlir::ModuleOp"> {
  let summary = "Checks what level 2 may leave behind";
  let description = [{
    Functions hold `onnx` ops only, each with its `lathe.shapes`.
  }];
}

def VerifyTensorLevel : Pass<"verify-tensor-level", "::mlir::ModuleOp"> {
  let summary = "Checks what level 3 may leave behind";
  let description = [{
    Programs hold launches, storage ops of `lathe`, control flow, scalar
    arithmetic and reads of single elements; kernels are in tensor form and hold
    structured ops and scalar arithmetic.
  }];
}

def VerifyBufferLevel : Pass<"verify-buffer-level", "::mlir::ModuleOp"> {
  let summary = "Checks what level 4 may leave behind";
  let description = [{
    Kernels are in buffer form, with a grid and without tensors; every launch has
    storage for its results.
  }];
}

#endif // LATHE_PIPELINE_PASSES_TD
