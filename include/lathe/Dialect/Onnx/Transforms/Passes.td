// Part of the Lathe project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef LATHE_DIALECT_ONNX_TRANSFORMS_PASSES_TD
#define LATHE_DIALECT_ONNX_TRANSFORMS_PASSES_TD

include "mlir/Pass/PassBase.td"

def OnnxInferShapes : Pass<"onnx-infer-shapes", "::mlir::func::FuncOp"> {
  let summary = "Sets the types of all results";
  let description = [{
    Every op's shape rule gives the element types and shapes of its results;
    `?` stands for what is not constant. The function's result types follow. A
    result whose element type stays unknown, and operands that contradict each
    other, are errors on the op.

    ```mlir
    %0 = onnx.Relu %x : (tensor<?x4xf32>) -> tensor<*x!onnx.unknown>
    // becomes
    %0 = onnx.Relu %x : (tensor<?x4xf32>) -> tensor<?x4xf32>
    ```
  }];
}

def OnnxFoldShapes : Pass<"onnx-fold-shapes", "::mlir::func::FuncOp"> {
  let summary = "Replaces computed shapes by constants";
  let description = [{
    A small tensor all of whose elements the shape analysis knows becomes an
    `onnx.Constant`, an `onnx.If` whose condition is known becomes the branch
    taken, and what is not used any more is removed.

    ```mlir
    %0 = onnx.Shape %x : (tensor<2x3xf32>) -> tensor<2xi64>
    // becomes
    %0 = onnx.Constant {value = dense<[2, 3]> : tensor<2xi64>} : () -> tensor<2xi64>
    ```
  }];
  let dependentDialects = ["::lathe::onnx::OnnxDialect"];
  let statistics = [
    Statistic<"numFolded", "num-folded", "Results that became constants">,
    Statistic<"numBranches", "num-branches", "Conditionals with a known branch">
  ];
}

def BoundLoops : Pass<"onnx-bound-loops", "::mlir::func::FuncOp"> {
  let summary = "Counts the steps of loops whose condition is a computation on constants";
  let description = [{
    Exporters write `while` loops over a known number of steps. What the condition
    of an `onnx.Loop` depends on (a few ops on small tensors) is evaluated step by
    step; if it ends, the loop gets that number as `M` and a condition that is
    always true.
  }];
  let options = [
    Option<"maxSteps", "max-steps", "int64_t", "4096",
           "Give up after this many steps">
  ];
  let statistics = [
    Statistic<"numBounded", "num-bounded", "Loops with a number of steps found">
  ];
}

def OnnxFoldConstants : Pass<"onnx-fold-constants", "::mlir::ModuleOp"> {
  let summary = "Computes what depends on constants only";
  let description = [{
    What can be computed before the model runs is: all of it together, by one
    module that goes through the same levels as the model and runs on the machine
    that compiles. It is a pass on modules because that uses the context's
    threads. Kept for the model are results much larger than what they are made
    from, and reshapes and transposes of large weights, which are steps of the
    weight's recipe. Sub-graphs and ops with effects (random numbers) are not
    folded.

    ```mlir
    %0 = onnx.Constant {value = dense<2.0> : tensor<f32>} : () -> tensor<f32>
    %1 = onnx.Sqrt %0 : (tensor<f32>) -> tensor<f32>
    // becomes
    %1 = onnx.Constant {value = dense<1.41421354> : tensor<f32>} : () -> tensor<f32>
    ```
  }];
  let options = [
    Option<"freeBytes", "free-bytes", "int64_t", "1 << 16",
           "Results up to this many bytes are folded whatever they come from">,
    Option<"growth", "growth", "int64_t", "2",
           "Larger ones if they take at most this many times the bytes of the "
           "constants that they come from">,
    Option<"budget", "budget", "int64_t", "512 << 20",
           "Bytes of all results together, and of what each comes from">
  ];
  let dependentDialects = ["::mlir::func::FuncDialect",
                           "::lathe::onnx::OnnxDialect"];
  let statistics = [
    Statistic<"numFolded", "num-folded", "Results that became constants">,
    Statistic<"bytesFolded", "bytes-folded", "Bytes of these">
  ];
}

def ApplyStates : Pass<"onnx-apply-states", "::mlir::func::FuncOp"> {
  let summary = "Lets outputs lie in the memory of inputs";
  let description = [{
    Each state is `IN=OUT` or `IN=OUT:max=N`. With `max`, output `OUT` must be a
    concatenation of input `IN` and new steps: the argument's and the result's
    type then have the axis first, and the concatenation becomes an
    `onnx.UpdateState` that appends. Else the output is written over the input
    at the end of the program. The argument and the result get `lathe.state`.

    ```mlir
    func.func @main(%past: tensor<2x?x8xf32>, %new: tensor<2x1x8xf32>) -> tensor<2x?x8xf32> {
      %0 = onnx.Concat %past, %new {axis = 1 : i64} : …
      return %0
    // becomes
    func.func @main(%past: tensor<?x2x8xf32> {lathe.state = …}, %new: …) -> (tensor<?x2x8xf32> {lathe.state = …}) {
      %0 = onnx.Transpose %new {perm = array<i64: 1, 0, 2>} : …
      %1 = onnx.UpdateState %past, %0 {appends = true} : …
      return %1
    ```
  }];
  let options = [
    ListOption<"states", "states", "std::string", "Outputs in inputs' memory">
  ];
}

def FoldBatchNorm : Pass<"onnx-fold-batch-norm", "::mlir::func::FuncOp"> {
  let summary = "Folds batch normalizations into the convolutions before them";
  let description = [{
    With constant statistics a normalization is `y = s * x + t` per channel. After
    a convolution with constant weights that nothing else reads, `s` scales the
    weights (a step in the weight's recipe, run when the artifact is written) and
    `s * b + t` becomes the bias.
  }];
  let dependentDialects = ["::lathe::LatheDialect"];
  let statistics = [
    Statistic<"numFolded", "num-folded", "Normalizations folded">
  ];
}

def RaiseGroupNorm : Pass<"onnx-raise-group-norm", "::mlir::func::FuncOp"> {
  let summary = "Finds normalizations of groups of channels";
  let description = [{
    Exporters without the operator write one as a normalization of instances
    between two reshapes, whose channels are groups. In the image's own shape it
    can have any layout.

    ```mlir
    %0 = onnx.Reshape %x, %grouped : (tensor<2x8x4x4xf32>, tensor<3xi64>) -> tensor<2x4x32xf32>
    %1 = onnx.InstanceNormalization %0, %scale, %b : (tensor<2x4x32xf32>, tensor<4xf32>, tensor<4xf32>) -> tensor<2x4x32xf32>
    %2 = onnx.Reshape %1, %shape : (tensor<2x4x32xf32>, tensor<4xi64>) -> tensor<2x8x4x4xf32>
    // becomes, with the constants repeated for each channel of a group
    %2 = onnx.GroupNormalization %x, %scale, %b {num_groups = 4 : i64} : (tensor<2x8x4x4xf32>, tensor<8xf32>, tensor<8xf32>) -> tensor<2x8x4x4xf32>
    ```
  }];
  let dependentDialects = ["::lathe::onnx::OnnxDialect"];
}

def RaiseQuantized : Pass<"onnx-raise-quantized", "::mlir::func::FuncOp"> {
  let summary = "Turns products of dequantized bytes into products of integers";
  let description = [{
    A convolution or matrix product whose factors are dequantized from 8-bit
    integers, with scales that do not change along its sums, becomes a sum of
    integers, scaled. `QuantizeLinear` of what was dequantized with the same scale
    and only moved, or taken the maximum of, goes away.

    ```mlir
    %0 = onnx.DequantizeLinear %a, %sa, %za : (tensor<2x8xui8>, tensor<f32>, tensor<ui8>) -> tensor<2x8xf32>
    %1 = onnx.DequantizeLinear %b, %sb, %zb : (tensor<8x4xi8>, tensor<f32>, tensor<i8>) -> tensor<8x4xf32>
    %2 = onnx.MatMul %0, %1 : (tensor<2x8xf32>, tensor<8x4xf32>) -> tensor<2x4xf32>
    // becomes
    %0 = onnx.MatMulInteger %a, %b, %za, %zb : (tensor<2x8xui8>, tensor<8x4xi8>, tensor<ui8>, tensor<i8>) -> tensor<2x4xi32>
    %1 = onnx.Mul %sa, %sb : (tensor<f32>, tensor<f32>) -> tensor<f32>
    %2 = onnx.Cast %0 {to = 1 : i64} : (tensor<2x4xi32>) -> tensor<2x4xf32>
    %3 = onnx.Mul %2, %1 : (tensor<2x4xf32>, tensor<f32>) -> tensor<2x4xf32>
    ```
  }];
  let dependentDialects = ["::lathe::onnx::OnnxDialect"];
}

def AnnotateShapes : Pass<"annotate-shapes", "::mlir::func::FuncOp"> {
  let summary = "Writes what is known of shapes on the ops";
  let description = [{
    Every op of the `onnx` dialect gets `lathe.shapes`, a dictionary of arrays of
    affine maps `()[symbols] -> (...)`: `operands` and `results` hold dimensions
    (`unit` where a value is no ranked tensor), `contents` the elements of each
    operand (`unit` where not all are known whole numbers).

    The function gets `lathe.symbols`, the names of the symbols in order;
    `lathe.entry_symbols`, how many of them, from the first, the arguments bind
    (the others depend on data); `lathe.constraints`, maps `()[symbols] -> (a, b)`
    of expressions that have to be equal for the shapes to be right (those that
    only a branch of an `onnx.If` supposes are its `lathe.then_constraints` and
    `lathe.else_constraints`); and on its
    arguments `lathe.dims` with a name for every dimension that is not constant.

    ```mlir
    %0 = onnx.Relu %x {lathe.shapes = {contents = [unit],
           operands = [affine_map<()[s0] -> (s0, 4)>],
           results = [affine_map<()[s0] -> (s0, 4)>]}}
         : (tensor<?x4xf32>) -> tensor<?x4xf32>
    ```
  }];
}

#endif // LATHE_DIALECT_ONNX_TRANSFORMS_PASSES_TD
