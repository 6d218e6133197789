// Part of the Lathe project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Control flow. Sub-graphs are regions, in the alphabetical order of ONNX's
// attributes; they may use values from around the op.

#ifndef LATHE_DIALECT_ONNX_IR_CONTROL_TD
#define LATHE_DIALECT_ONNX_IR_CONTROL_TD

include "lathe/Dialect/Onnx/IR/OnnxBase.td"

class Onnx_RegionOp<string mnemonic>
    : Onnx_BaseOp<mnemonic, "",
                  [SingleBlock, RecursiveMemoryEffects,
                   RecursivelySpeculatable]> {
  let assemblyFormat = [{
    operands attr-dict `:` functional-type(operands, results) regions
  }];
}

def Onnx_YieldOp : Onnx_BaseOp<"Yield", "none(ctx)", [Pure, Terminator]> {
  let summary = "Ends a sub-graph";
  let description = [{
    Its operands are the sub-graph's outputs.

    ```mlir
    onnx.Yield %x, %y : (tensor<2xf32>, tensor<i1>) -> ()
    ```
  }];
  let arguments = (ins Variadic<Onnx_AnyValue>:$values);
}

def Onnx_IfOp : Onnx_RegionOp<"If"> {
  let summary = "Runs one of two sub-graphs";
  let description = [{
    Gives what `then_branch` yields if `cond` (one bool) is true, else what
    `else_branch` does. [C1] Both yield one value per result. [C2] They have no
    arguments.
    https://onnx.ai/onnx/operators/onnx__If.html

    ```mlir
    %0 = onnx.If %cond : (tensor<i1>) -> tensor<2xf32> {
      onnx.Yield %a : (tensor<2xf32>) -> ()
    }, {
      onnx.Yield %b : (tensor<2xf32>) -> ()
    }
    ```
  }];
  let arguments = (ins Onnx_BoolTensor:$cond);
  let results = (outs Variadic<Onnx_AnyValue>:$outputs);
  let regions = (region SizedRegion<1>:$else_branch,
                        SizedRegion<1>:$then_branch);
  let extraClassDeclaration = [{
    /// Where the branches give tensors of different ranks and the condition is
    /// an equality of sizes known only at run time: the value that it must
    /// have. `get` gives what is known of values.
    std::optional<bool> getRequiredCondition(
        llvm::function_ref<const TensorInfo &(mlir::Value)> get);
  }];
  let hasRegionVerifier = 1;
}

def Onnx_RequireOp : Onnx_BaseOp<"Require", "none(ctx)", []> {
  let summary = "Refuses to go on unless a condition holds";
  let description = [{
    Not an ONNX operator. Stands where a branch was taken whose condition is
    known only at run time, because the branches give tensors of different
    ranks: exporters guard `squeeze` so. A model then serves the sizes for which
    the guard holds and reports others by the node's name. Also where the other
    branch contradicts the sizes, as it may when they were given to the compiler.

    ```mlir
    onnx.Require %cond, "expected ..." : (tensor<i1>) -> ()
    ```
  }];
  let arguments = (ins Onnx_BoolTensor:$cond, StrAttr:$message,
                       BoolAttr:$expected);
  let assemblyFormat = [{
    operands `,` $message `is` $expected attr-dict `:` functional-type(operands, results)
  }];
}

def Onnx_UpdateStateOp : Onnx_Op<"UpdateState"> {
  let summary = "Writes the next value of a state into its memory";
  let description = [{
    Not an ONNX operator. `state` is an argument of the program that the caller
    gives away. With `appends` the result is `state` with the steps of `value`
    after its own along the first dimension, for which there is room; else it is
    `value`, and nothing after it reads `state`.

    ```mlir
    %p = onnx.UpdateState %past, %new {appends = true} : (tensor<?x2x8xf32>, tensor<1x2x8xf32>) -> tensor<?x2x8xf32>
    ```
  }];
  let arguments = (ins Onnx_AnyTensor:$state, Onnx_AnyTensor:$value,
                       BoolAttr:$appends);
  let results = (outs Onnx_AnyTensor:$next);
}

def Onnx_LoopOp : Onnx_RegionOp<"Loop"> {
  let summary = "Repeats a sub-graph";
  let description = [{
    At most `M` times, and while `cond` and then the condition that `body` yields
    is true. Arguments of `body`: the iteration number, the condition, the
    carried values. It yields the condition, the carried values, and elements
    of the scan outputs, which are stacked along a new first dimension. Results:
    carried values, then scan outputs. [C1] `body` has two arguments and
    one per carried value. [C2] It yields one value and one per result.
    https://onnx.ai/onnx/operators/onnx__Loop.html

    ```mlir
    %0 = onnx.Loop %m, %none, %x : (tensor<i64>, none, tensor<2xf32>) -> tensor<2xf32> {
    ^bb0(%i: tensor<i64>, %c: tensor<i1>, %v: tensor<2xf32>):
      %w = onnx.Relu %v : (tensor<2xf32>) -> tensor<2xf32>
      onnx.Yield %c, %w : (tensor<i1>, tensor<2xf32>) -> ()
    }
    ```
  }];
  let arguments = (ins Onnx_Optional<Onnx_I64Tensor>:$M,
                       Onnx_Optional<Onnx_BoolTensor>:$cond,
                       Variadic<Onnx_AnyValue>:$v_initial);
  let results = (outs Variadic<Onnx_AnyValue>:$v_final_and_scan_outputs);
  let regions = (region SizedRegion<1>:$body);
  let hasRegionVerifier = 1;
}

def Onnx_ScanOp : Onnx_RegionOp<"Scan"> {
  let summary = "Runs a sub-graph over slices";
  let description = [{
    The last `num_scan_inputs` operands are cut along their scan axis, and
    `body` runs once per slice: its arguments are the states and then the slices,
    it yields the states and then slices of the scan outputs. [C1] `body` has
    one argument per operand. [C2] It yields one value per result.
    https://onnx.ai/onnx/operators/onnx__Scan.html

    ```mlir
    %0, %1 = onnx.Scan %s, %x {num_scan_inputs = 1 : i64} : (tensor<2xf32>, tensor<5x2xf32>) -> (tensor<2xf32>, tensor<5x2xf32>) {
    ^bb0(%a: tensor<2xf32>, %b: tensor<2xf32>):
      %c = onnx.Add %a, %b : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
      onnx.Yield %c, %c : (tensor<2xf32>, tensor<2xf32>) -> ()
    }
    ```
  }];
  let arguments = (ins
      Variadic<Onnx_AnyTensor>:$initial_state_and_scan_inputs,
      ConfinedAttr<I64Attr, [IntPositive]>:$num_scan_inputs,
      Onnx_OptInts:$scan_input_axes,
      Onnx_OptInts:$scan_input_directions,
      Onnx_OptInts:$scan_output_axes,
      Onnx_OptInts:$scan_output_directions);
  let results = (outs Variadic<Onnx_AnyTensor>:$final_state_and_scan_outputs);
  let regions = (region SizedRegion<1>:$body);
  let hasRegionVerifier = 1;
}

#endif // LATHE_DIALECT_ONNX_IR_CONTROL_TD
