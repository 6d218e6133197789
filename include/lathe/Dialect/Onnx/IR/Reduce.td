// Part of the Lathe project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Reductions along axes.

#ifndef LATHE_DIALECT_ONNX_IR_REDUCE_TD
#define LATHE_DIALECT_ONNX_IR_REDUCE_TD

include "lathe/Dialect/Onnx/IR/OnnxBase.td"

// Reduces along `axes`, or along all axes if they are omitted or empty.
class Onnx_ReduceOp<string mnemonic, Type type, string content = "nullptr">
    : Onnx_Op<mnemonic, "reduce(ctx, getKeepdims(), getNoopWithEmptyAxes(), "
                        # content # ")"> {
  let arguments = (ins type:$data, Onnx_Optional<Onnx_I64Tensor>:$axes,
                       Onnx_Flag<"1">:$keepdims,
                       Onnx_Flag<"0">:$noop_with_empty_axes);
  let results = (outs type:$reduced);
}

// Finds positions along one axis.
class Onnx_ArgReduceOp<string mnemonic>
    : Onnx_Op<mnemonic, "argReduce(ctx, getAxis(), getKeepdims())"> {
  let arguments = (ins Onnx_NumberTensor:$data, Onnx_Int<"0">:$axis,
                       Onnx_Flag<"1">:$keepdims,
                       Onnx_Flag<"0">:$select_last_index);
  let results = (outs Onnx_I64Tensor:$reduced);
}

def Onnx_ReduceL1Op : Onnx_ReduceOp<"ReduceL1", Onnx_WideNumberTensor> {
  let summary = "Sums absolute values";
  let description = [{
    `sum(|x|)` along `axes`. The axes stay with size 1 if `keepdims`. Without
    axes all are reduced, or none if `noop_with_empty_axes`.
    https://onnx.ai/onnx/operators/onnx__ReduceL1.html

    ```mlir
    %r = onnx.ReduceL1 %x, %axes : (tensor<2x?xf32>, tensor<1xi64>) -> tensor<2x1xf32>
    ```
  }];
}

def Onnx_ReduceL2Op : Onnx_ReduceOp<"ReduceL2", Onnx_WideNumberTensor> {
  let summary = "Takes the Euclidean norm";
  let description = [{
    `sqrt(sum(x^2))` along `axes`. The axes stay with size 1 if `keepdims`.
    Without axes all are reduced, or none if `noop_with_empty_axes`.
    https://onnx.ai/onnx/operators/onnx__ReduceL2.html

    ```mlir
    %r = onnx.ReduceL2 %x, %axes : (tensor<2x?xf32>, tensor<1xi64>) -> tensor<2x1xf32>
    ```
  }];
}

def Onnx_ReduceLogSumOp : Onnx_ReduceOp<"ReduceLogSum", Onnx_WideNumberTensor> {
  let summary = "Takes the logarithm of the sum";
  let description = [{
    `ln(sum(x))` along `axes`. The axes stay with size 1 if `keepdims`. Without
    axes all are reduced, or none if `noop_with_empty_axes`.
    https://onnx.ai/onnx/operators/onnx__ReduceLogSum.html

    ```mlir
    %r = onnx.ReduceLogSum %x, %axes : (tensor<2x?xf32>, tensor<1xi64>) -> tensor<2x1xf32>
    ```
  }];
}

def Onnx_ReduceLogSumExpOp
    : Onnx_ReduceOp<"ReduceLogSumExp", Onnx_WideNumberTensor> {
  let summary = "Takes the logarithm of the sum of exponentials";
  let description = [{
    `ln(sum(exp(x)))`, computed without overflow along `axes`. The axes stay
    with size 1 if `keepdims`. Without axes all are reduced, or none if
    `noop_with_empty_axes`.
    https://onnx.ai/onnx/operators/onnx__ReduceLogSumExp.html

    ```mlir
    %r = onnx.ReduceLogSumExp %x, %axes : (tensor<2x?xf32>, tensor<1xi64>) -> tensor<2x1xf32>
    ```
  }];
}

def Onnx_ReduceMaxOp
    : Onnx_ReduceOp<"ReduceMax", Onnx_TensorOf<!listconcat(Onnx_Numbers, [I1])>, "content::max"> {
  let summary = "Takes the greatest";
  let description = [{
    `max(x)` along `axes`. The axes stay with size 1 if `keepdims`. Without axes
    all are reduced, or none if `noop_with_empty_axes`.
    https://onnx.ai/onnx/operators/onnx__ReduceMax.html

    ```mlir
    %r = onnx.ReduceMax %x, %axes : (tensor<2x?xf32>, tensor<1xi64>) -> tensor<2x1xf32>
    ```
  }];
}

def Onnx_ReduceMeanOp : Onnx_ReduceOp<"ReduceMean", Onnx_WideNumberTensor> {
  let summary = "Takes the mean";
  let description = [{
    `sum(x) / n` along `axes`. The axes stay with size 1 if `keepdims`. Without
    axes all are reduced, or none if `noop_with_empty_axes`.
    https://onnx.ai/onnx/operators/onnx__ReduceMean.html

    ```mlir
    %r = onnx.ReduceMean %x, %axes : (tensor<2x?xf32>, tensor<1xi64>) -> tensor<2x1xf32>
    ```
  }];
}

def Onnx_ReduceMinOp
    : Onnx_ReduceOp<"ReduceMin", Onnx_TensorOf<!listconcat(Onnx_Numbers, [I1])>, "content::min"> {
  let summary = "Takes the least";
  let description = [{
    `min(x)` along `axes`. The axes stay with size 1 if `keepdims`. Without axes
    all are reduced, or none if `noop_with_empty_axes`.
    https://onnx.ai/onnx/operators/onnx__ReduceMin.html

    ```mlir
    %r = onnx.ReduceMin %x, %axes : (tensor<2x?xf32>, tensor<1xi64>) -> tensor<2x1xf32>
    ```
  }];
}

def Onnx_ReduceProdOp
    : Onnx_ReduceOp<"ReduceProd", Onnx_WideNumberTensor, "content::multiply"> {
  let summary = "Takes the product";
  let description = [{
    `x0 * x1 * ...` along `axes`. The axes stay with size 1 if `keepdims`.
    Without axes all are reduced, or none if `noop_with_empty_axes`.
    https://onnx.ai/onnx/operators/onnx__ReduceProd.html

    ```mlir
    %r = onnx.ReduceProd %x, %axes : (tensor<2x?xf32>, tensor<1xi64>) -> tensor<2x1xf32>
    ```
  }];
}

def Onnx_ReduceSumOp
    : Onnx_ReduceOp<"ReduceSum", Onnx_WideNumberTensor, "content::add"> {
  let summary = "Takes the sum";
  let description = [{
    `x0 + x1 + ...` along `axes`. The axes stay with size 1 if `keepdims`.
    Without axes all are reduced, or none if `noop_with_empty_axes`.
    https://onnx.ai/onnx/operators/onnx__ReduceSum.html

    ```mlir
    %r = onnx.ReduceSum %x, %axes : (tensor<2x?xf32>, tensor<1xi64>) -> tensor<2x1xf32>
    ```
  }];
}

def Onnx_ReduceSumSquareOp
    : Onnx_ReduceOp<"ReduceSumSquare", Onnx_WideNumberTensor> {
  let summary = "Takes the sum of squares";
  let description = [{
    `sum(x^2)` along `axes`. The axes stay with size 1 if `keepdims`. Without
    axes all are reduced, or none if `noop_with_empty_axes`.
    https://onnx.ai/onnx/operators/onnx__ReduceSumSquare.html

    ```mlir
    %r = onnx.ReduceSumSquare %x, %axes : (tensor<2x?xf32>, tensor<1xi64>) -> tensor<2x1xf32>
    ```
  }];
}

def Onnx_ArgMaxOp : Onnx_ArgReduceOp<"ArgMax"> {
  let summary = "Finds the greatest along an axis";
  let description = [{
    The position of the greatest element, the first of several unless
    `select_last_index`.
    https://onnx.ai/onnx/operators/onnx__ArgMax.html

    ```mlir
    %r = onnx.ArgMax %x {axis = 1 : i64} : (tensor<2x?xf32>) -> tensor<2x1xi64>
    ```
  }];
}

def Onnx_ArgMinOp : Onnx_ArgReduceOp<"ArgMin"> {
  let summary = "Finds the least along an axis";
  let description = [{
    The position of the least element, the first of several unless
    `select_last_index`.
    https://onnx.ai/onnx/operators/onnx__ArgMin.html

    ```mlir
    %r = onnx.ArgMin %x {axis = 1 : i64} : (tensor<2x?xf32>) -> tensor<2x1xi64>
    ```
  }];
}

#endif // LATHE_DIALECT_ONNX_IR_REDUCE_TD
