// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "lathe/Dialect/Onnx/Transforms/Passes.h"

namespace lathe {
#define GEN_PASS_DEF_ONNXINFERSHAPES
#include "lathe/Dialect/Onnx/Transforms/Passes.h.inc"
} // namespace lathe

namespace {
struct OnnxInferShapes
    : public lathe::impl::OnnxInferShapesBase<OnnxInferShapes> {
  using Base::Base;

  void runOnOperation() override {
    if (failed(lathe::onnx::inferShapes(getOperation())))
      signalPassFailure();
  }
};
} // namespace
