// Part of the Lathe project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef LATHE_TRANSFORMS_PRECISION_PASSES_TD
#define LATHE_TRANSFORMS_PRECISION_PASSES_TD

include "mlir/Pass/PassBase.td"

def ChooseWinograd : Pass<"choose-winograd", "::mlir::func::FuncOp"> {
  let summary = "Decides which convolutions use a minimal filtering algorithm";
  let description = [{
    Writes `lathe.winograd`, the outputs along each side of a tile, on
    convolutions of two dimensions with channels last, strides and dilations of
    one and a constant square filter, where the estimated time is less than that
    of the convolution as it is. Times are in multiply-adds of a vector of `lanes`
    numbers: what a tile transforms and multiplies, and what goes through memory.
  }];
  let options = [
    Option<"tile", "tile", "int64_t", "0",
           "Outputs of a tile's side, whatever it costs; 0: the fastest, if one is">,
    Option<"lanes", "lanes", "int64_t", "16", "Numbers in a vector">,
    Option<"cacheBytes", "cache-bytes", "int64_t", "1 << 20",
           "Size of the cache that one core has for itself">,
    Option<"nearBytes", "near-bytes", "double", "8",
           "Bytes to or from shared caches per vector multiply-add">,
    Option<"farBytes", "far-bytes", "double", "5",
           "Bytes of weights from memory per vector multiply-add">,
    Option<"explain", "explain", "bool", "false",
           "Remark why a convolution stays as it is">
  ];
  let statistics = [
    Statistic<"numChosen", "num-chosen", "Convolutions chosen">
  ];
}

def ExpandWinograd : Pass<"expand-winograd", "::mlir::func::FuncOp"> {
  let summary = "Rewrites the convolutions that `choose-winograd` chose";
  let description = [{
    With a tile of `m`, a filter of `r` taps and `a = m + r - 1`, a convolution
    becomes (1) a transform of `a x a` pieces of the image, padding included, to
    `[a, a, n, tiles, tiles, c]`; (2) one product of matrices per point of a piece,
    `[a * a, tiles, c]` by the filters, transformed when the artifact is written;
    (3) a transform of the products to the image of the results, cut at its edges.

    Both transforms compute all points of a piece from what all of them read, and
    select the one at hand:

    ```mlir
    linalg.generic {indexing_maps = [
        affine_map<(n, h, w, k) -> (0, n, h floordiv 4, w floordiv 4, k)>, ...
        affine_map<(n, h, w, k) -> (n, h, w, k)>], ...}
    ```

    A target that computes the points of a piece together selects nothing.
  }];
  let options = [
    Option<"panelWidth", "panel-width", "int64_t", "32",
           "Columns of a panel of packed filters">
  ];
  let dependentDialects = ["::mlir::affine::AffineDialect",
    "::mlir::arith::ArithDialect", "::mlir::linalg::LinalgDialect",
    "::mlir::tensor::TensorDialect", "::lathe::LatheDialect"];
}

def NarrowFactors : Pass<"narrow-factors", "::mlir::func::FuncOp"> {
  let summary = "Stores the constant factors of sums of products as 16-bit floats";
  let description = [{
    Weights of `f32` that a contraction only multiplies get `#lathe.convert` in
    their recipe. The body extends what it reads; products and sums stay `f32`.
    Vectors, and filters of depthwise convolutions, are left as they are.

    ```mlir
    %w = lathe.weight ... : tensor<768x3072xf32>
    linalg.generic ... { ^bb0(%x: f32, %y: f32, %sum: f32): ...
    // becomes
    %w = lathe.weight ... recipe [#lathe.convert<bf16>] : tensor<768x3072xbf16>
    linalg.generic ... { ^bb0(%x: f32, %y: bf16, %sum: f32):
      %0 = arith.extf %y : bf16 to f32 ...
    ```

    With `pairs` the other factor is rounded, too, once and where it is computed,
    if the reduction that it reads by its last index has an even number of steps.
  }];
  let options = [
    Option<"element", "element", "std::string", "\"bf16\"",
           "What weights are stored as: bf16 or f16">,
    Option<"pairs", "pairs", "bool", "false",
           "Round the other factors, too, where sums can go in pairs">
  ];
  let dependentDialects = ["::mlir::arith::ArithDialect",
    "::mlir::linalg::LinalgDialect", "::mlir::tensor::TensorDialect",
    "::lathe::LatheDialect"];
  let statistics = [
    Statistic<"numNarrowed", "num-narrowed", "Factors stored as 16-bit floats">
  ];
}

#endif // LATHE_TRANSFORMS_PRECISION_PASSES_TD
