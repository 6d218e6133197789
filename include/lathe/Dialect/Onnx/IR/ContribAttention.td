// Part of the Lathe project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Attention as com.microsoft has it: with heads side by side, masks and caches.

#ifndef LATHE_DIALECT_ONNX_IR_CONTRIBATTENTION_TD
#define LATHE_DIALECT_ONNX_IR_CONTRIBATTENTION_TD

include "lathe/Dialect/Onnx/IR/OnnxBase.td"

def Onnx_MsRotaryEmbeddingOp : Onnx_MsOp<"RotaryEmbedding"> {
  let summary = "Turns pairs of elements by angles that depend on the position";
  let description = [{
    `input` is [batch, steps, heads * size] or [batch, heads, steps, size]. The
    first `rotary_embedding_dim` elements of a head (0: all) are pairs: `i` and
    `i + half`, or, if `interleaved`, `2 * i` and `2 * i + 1`; pair `i` is turned
    by the angle whose cosine and sine stand in row `position`, column `i`.
    Positions are `position_ids` [batch, steps], or count up from the one number
    there. [C1] Both caches have one shape. `is_packed_batching` is 0 and `scale`
    is 1.
    https://github.com/microsoft/onnxruntime/blob/main/docs/ContribOperators.md#com.microsoft.RotaryEmbedding

    ```mlir
    %y = onnx.ms.RotaryEmbedding %x, %p, %c, %s : (tensor<?x?x8xf32>, tensor<1xi64>, tensor<64x2xf32>, tensor<64x2xf32>) -> tensor<?x?x8xf32>
    ```
  }];
  let arguments = (ins Onnx_FloatTensor:$input,
                       Onnx_I64Tensor:$position_ids,
                       Onnx_FloatTensor:$cos_cache,
                       Onnx_FloatTensor:$sin_cache,
                       Onnx_Flag<"0">:$interleaved,
                       Onnx_Flag<"0">:$is_packed_batching,
                       Onnx_Int<"0">:$num_heads,
                       Onnx_Int<"0">:$rotary_embedding_dim,
                       Onnx_Float<"1.0f">:$scale);
  let results = (outs Onnx_FloatTensor:$output);
}

def Onnx_MsMultiHeadAttentionOp : Onnx_MsOp<"MultiHeadAttention"> {
  let summary = "Attention of heads that lie side by side";
  let description = [{
    `query` is [batch, steps, heads * size]; `key` and `value` are like it, with
    steps of their own, or [batch, heads, steps, size]. `bias` is added to all
    three first. Keys and values come behind the past ones, and are results 1 and
    2, [batch, heads, total, size]. Scores are multiplied by `scale` (0: one by the
    root of the size), `attention_bias` is added, and `mask_filter_value` where
    `key_padding_mask` (from the number of keys on, [batch]; or where it is 0,
    [batch, total] or [batch, steps, total]) says so; with `unidirectional` a query
    sees no key behind it. [C1] Queries, keys and values in one tensor, caches that
    are shared, and the scores (result 3) are not supported.
    https://github.com/microsoft/onnxruntime/blob/main/docs/ContribOperators.md#com.microsoft.MultiHeadAttention

    ```mlir
    %y, %k, %v, %s = onnx.ms.MultiHeadAttention %q, %q, %q, %none, %none, %none, %none, %none, %none, %none {num_heads = 2 : i64} : (tensor<?x?x8xf32>, tensor<?x?x8xf32>, tensor<?x?x8xf32>, none, none, none, none, none, none, none) -> (tensor<?x?x8xf32>, tensor<?x2x?x4xf32>, tensor<?x2x?x4xf32>, tensor<?x2x?x?xf32>)
    ```
  }];
  let arguments = (ins Onnx_FloatTensor:$query,
                       Onnx_Optional<Onnx_FloatTensor>:$key,
                       Onnx_Optional<Onnx_FloatTensor>:$value,
                       Onnx_Optional<Onnx_FloatTensor>:$bias,
                       Onnx_Optional<Onnx_TensorOf<[I32]>>:$key_padding_mask,
                       Onnx_Optional<Onnx_FloatTensor>:$attention_bias,
                       Onnx_Optional<Onnx_FloatTensor>:$past_key,
                       Onnx_Optional<Onnx_FloatTensor>:$past_value,
                       Onnx_Optional<Onnx_TensorOf<[I32]>>:$past_sequence_length,
                       Onnx_Optional<Onnx_TensorOf<[I32]>>:$cache_indirection,
                       Onnx_Float<"-10000.0f">:$mask_filter_value,
                       ConfinedAttr<I64Attr, [IntPositive]>:$num_heads,
                       Onnx_Float<"0.0f">:$scale,
                       Onnx_Flag<"0">:$unidirectional);
  let results = (outs Onnx_FloatTensor:$output, Onnx_FloatTensor:$present_key,
                      Onnx_FloatTensor:$present_value, Onnx_FloatTensor:$qk);
}

#endif // LATHE_DIALECT_ONNX_IR_CONTRIBATTENTION_TD
