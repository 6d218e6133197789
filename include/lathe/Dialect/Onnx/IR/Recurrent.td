// Part of the Lathe project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Recurrent networks.

#ifndef LATHE_DIALECT_ONNX_IR_RECURRENT_TD
#define LATHE_DIALECT_ONNX_IR_RECURRENT_TD

include "lathe/Dialect/Onnx/IR/OnnxBase.td"

def Onnx_LSTMOp
    : Onnx_Op<"LSTM", "recurrent(ctx, getDirection(), getLayout(), getHiddenSize())"> {
  let summary = "Runs a long short-term memory";
  let description = [{
    Gates in the order input, output, forget, cell. `X` is sequence, batch,
    features (batch first if `layout`); `Y` holds the state after every step,
    per direction. Activations that are omitted are ONNX's defaults.
    https://onnx.ai/onnx/operators/onnx__LSTM.html

    ```mlir
    %y, %h, %c = onnx.LSTM %x, %w, %r, %b, %n, %n, %n, %n {hidden_size = 4 : i64} : (tensor<5x?x3xf32>, tensor<1x16x3xf32>, tensor<1x16x4xf32>, tensor<1x32xf32>, none, none, none, none) -> (tensor<5x1x?x4xf32>, tensor<1x?x4xf32>, tensor<1x?x4xf32>)
    ```
  }];
  let arguments = (ins Onnx_FloatTensor:$X,
                       Onnx_FloatTensor:$W,
                       Onnx_FloatTensor:$R,
                       Onnx_Optional<Onnx_FloatTensor>:$B,
                       Onnx_Optional<Onnx_TensorOf<[I32]>>:$sequence_lens,
                       Onnx_Optional<Onnx_FloatTensor>:$initial_h,
                       Onnx_Optional<Onnx_FloatTensor>:$initial_c,
                       Onnx_Optional<Onnx_FloatTensor>:$P,
                       Onnx_OptFloats:$activation_alpha,
                       Onnx_OptFloats:$activation_beta,
                       OptionalAttr<StrArrayAttr>:$activations,
                       OptionalAttr<F32Attr>:$clip,
                       Onnx_DefaultWord<["forward", "reverse", "bidirectional"], "forward">:$direction,
                       OptionalAttr<ConfinedAttr<I64Attr, [IntPositive]>>:$hidden_size,
                       Onnx_Flag<"0">:$input_forget,
                       Onnx_Flag<"0">:$layout);
  let results = (outs Onnx_FloatTensor:$Y,
                      Onnx_FloatTensor:$Y_h,
                      Onnx_FloatTensor:$Y_c);
}

def Onnx_GRUOp
    : Onnx_Op<"GRU", "recurrent(ctx, getDirection(), getLayout(), getHiddenSize())"> {
  let summary = "Runs a gated recurrent unit";
  let description = [{
    Gates in the order update, reset, hidden. `X` is sequence, batch, features
    (batch first if `layout`); `Y` holds the state after every step, per
    direction. Activations that are omitted are ONNX's defaults.
    https://onnx.ai/onnx/operators/onnx__GRU.html

    ```mlir
    %y, %h = onnx.GRU %x, %w, %r, %n, %n, %n {hidden_size = 4 : i64} : (tensor<5x?x3xf32>, tensor<1x12x3xf32>, tensor<1x12x4xf32>, none, none, none) -> (tensor<5x1x?x4xf32>, tensor<1x?x4xf32>)
    ```
  }];
  let arguments = (ins Onnx_FloatTensor:$X,
                       Onnx_FloatTensor:$W,
                       Onnx_FloatTensor:$R,
                       Onnx_Optional<Onnx_FloatTensor>:$B,
                       Onnx_Optional<Onnx_TensorOf<[I32]>>:$sequence_lens,
                       Onnx_Optional<Onnx_FloatTensor>:$initial_h,
                       Onnx_OptFloats:$activation_alpha,
                       Onnx_OptFloats:$activation_beta,
                       OptionalAttr<StrArrayAttr>:$activations,
                       OptionalAttr<F32Attr>:$clip,
                       Onnx_DefaultWord<["forward", "reverse", "bidirectional"], "forward">:$direction,
                       OptionalAttr<ConfinedAttr<I64Attr, [IntPositive]>>:$hidden_size,
                       Onnx_Flag<"0">:$layout,
                       Onnx_Flag<"0">:$linear_before_reset);
  let results = (outs Onnx_FloatTensor:$Y, Onnx_FloatTensor:$Y_h);
}

def Onnx_RNNOp
    : Onnx_Op<"RNN", "recurrent(ctx, getDirection(), getLayout(), getHiddenSize())"> {
  let summary = "Runs a simple recurrent network";
  let description = [{
    `h = f(X * W' + h * R' + b)`. `X` is sequence, batch, features (batch first
    if `layout`); `Y` holds the state after every step, per direction.
    Activations that are omitted are ONNX's defaults.
    https://onnx.ai/onnx/operators/onnx__RNN.html

    ```mlir
    %y, %h = onnx.RNN %x, %w, %r, %n, %n, %n {hidden_size = 4 : i64} : (tensor<5x?x3xf32>, tensor<1x4x3xf32>, tensor<1x4x4xf32>, none, none, none) -> (tensor<5x1x?x4xf32>, tensor<1x?x4xf32>)
    ```
  }];
  let arguments = (ins Onnx_FloatTensor:$X,
                       Onnx_FloatTensor:$W,
                       Onnx_FloatTensor:$R,
                       Onnx_Optional<Onnx_FloatTensor>:$B,
                       Onnx_Optional<Onnx_TensorOf<[I32]>>:$sequence_lens,
                       Onnx_Optional<Onnx_FloatTensor>:$initial_h,
                       Onnx_OptFloats:$activation_alpha,
                       Onnx_OptFloats:$activation_beta,
                       DefaultValuedAttr<StrArrayAttr, "{\"Tanh\", \"Tanh\"}">:$activations,
                       OptionalAttr<F32Attr>:$clip,
                       Onnx_DefaultWord<["forward", "reverse", "bidirectional"], "forward">:$direction,
                       OptionalAttr<ConfinedAttr<I64Attr, [IntPositive]>>:$hidden_size,
                       Onnx_Flag<"0">:$layout);
  let results = (outs Onnx_FloatTensor:$Y, Onnx_FloatTensor:$Y_h);
}

#endif // LATHE_DIALECT_ONNX_IR_RECURRENT_TD
