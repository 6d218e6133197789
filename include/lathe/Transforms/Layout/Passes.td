// Part of the Lathe project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef LATHE_TRANSFORMS_LAYOUT_PASSES_TD
#define LATHE_TRANSFORMS_LAYOUT_PASSES_TD

include "mlir/Pass/PassBase.td"

def ChooseLayouts : Pass<"choose-layouts", "::mlir::func::FuncOp"> {
  let summary = "Decides which values are stored with channels last";
  let description = [{
    Writes `lathe.layout` on ops: for each result the permutation in which it is
    stored (`array<i64: 0, 2, 3, 1>`: dimension `i` in memory is dimension
    `perm[i]` of the value), or `unit` where it stays as it is.

    What an op with windows (convolution, pooling) makes has its spatial
    dimensions moved before the channels; elementwise ops, paddings, slices,
    concatenations, views, and ops whose bodies read whole channels at computed
    places follow the layout of what they read.
  }];
  let statistics = [
    Statistic<"numChosen", "num-chosen", "Values stored in another layout">
  ];
}

def MaterializeLayouts : Pass<"materialize-layouts", "::mlir::func::FuncOp"> {
  let summary = "Rewrites a program to the layouts that were chosen";
  let description = [{
    Ops compute on permuted tensors and read them through permuted maps; a
    transpose is inserted where a value is needed in another layout, a weight gets a
    step in its recipe instead. A transpose that ends where it began is dropped.
  }];
  let dependentDialects = ["::mlir::linalg::LinalgDialect",
    "::mlir::tensor::TensorDialect", "::lathe::LatheDialect"];
  let statistics = [
    Statistic<"numTransposes", "num-transposes", "Transposes inserted">
  ];
}

def MergeGroups : Pass<"merge-groups", "::mlir::func::FuncOp"> {
  let summary = "Makes one loop of a convolution's groups and filters";
  let description = [{
    Where groups have fewer filters than a vector has lanes, the lanes go over
    the filters of several groups. The input is read at the quotient of the
    channel; a target reads it once per vector and spreads it over the lanes.

    ```mlir
    linalg.generic {indexing_maps = [
        affine_map<(n, g, f, w, c, k) -> (n, g, c, w + k)>,
        affine_map<(n, g, f, w, c, k) -> (g, f, c, k)>,
        affine_map<(n, g, f, w, c, k) -> (n, g, f, w)>]}
    // becomes, with 4 filters in a group
    linalg.generic {indexing_maps = [
        affine_map<(n, o, w, c, k) -> (n, o floordiv 4, c, w + k)>,
        affine_map<(n, o, w, c, k) -> (o, c, k)>,
        affine_map<(n, o, w, c, k) -> (n, o, w)>]}
    ```

    Left alone: weights that are not constant, and numbers of filters that only
    many vectors together are a multiple of.
  }];
  let options = [
    Option<"lanes", "lanes", "int64_t", "16",
           "Lanes of a vector of f32; 0 merges nothing">
  ];
  let dependentDialects = ["::mlir::linalg::LinalgDialect",
    "::mlir::tensor::TensorDialect", "::lathe::LatheDialect"];
  let statistics = [
    Statistic<"numMerged", "num-merged", "Convolutions whose groups were merged">
  ];
}

def PackWeights : Pass<"pack-weights", "::mlir::func::FuncOp"> {
  let summary = "Stores the constant operands of contractions as their loops read them";
  let description = [{
    The dimension along which the result is contiguous comes last, split into
    panels of `panel-width` columns that move outermost; before it the reduction
    dimensions in the order of the loops. Steps are added to the weight's recipe.

    ```mlir
    %w = lathe.weight ... : tensor<768x3072xf32>
    linalg.generic {indexing_maps = [..., affine_map<(m, n, k) -> (k, n)>, ...]}
    // becomes
    %w = lathe.weight ... recipe [#lathe.panel<32>] : tensor<96x768x32xf32>
    linalg.generic {indexing_maps = [...,
        affine_map<(m, n, k) -> (n floordiv 32, k, n mod 32)>, ...]}
    ```

    Where one lane sums several products at once, those of a group of steps lie
    side by side: `(n floordiv 32, k floordiv 4, n mod 32, k mod 4)`.
  }];
  let options = [
    Option<"panelWidth", "panel-width", "int64_t", "32",
           "Columns of a panel; 0 makes none">,
    Option<"pairs", "pairs", "bool", "false",
           "Whether products of bf16 are summed in pairs, like those of bytes in fours">
  ];
  let dependentDialects = ["::lathe::LatheDialect"];
  let statistics = [
    Statistic<"numPacked", "num-packed", "Weights stored in another order">
  ];
}

#endif // LATHE_TRANSFORMS_LAYOUT_PASSES_TD
