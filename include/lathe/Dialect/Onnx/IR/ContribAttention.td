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

def Onnx_MsGroupQueryAttentionOp : Onnx_MsOp<"GroupQueryAttention"> {
  let summary = "Causal attention whose keys and values have fewer heads";
  let description = [{
    `query` is [batch, steps, num_heads * size]; `key` and `value` have
    `kv_num_heads` heads, or are omitted and stand behind the query in one tensor.
    `seqlens_k[b]` is the number of keys of batch `b`, past ones included, less
    one; `total_sequence_length` is the largest number. Keys are written behind the
    past ones of their batch into results 1 and 2, [batch, kv_num_heads, n, size]
    with `n` the larger of the past's size and the total; what follows is zero.
    Where there are as many steps as the total, there is no past. With
    `do_rotary` queries and keys are turned, at their positions, as by
    `onnx.ms.RotaryEmbedding`. With `local_window_size` (not -1) a query sees that
    many keys, up to its own. `attention_bias` is added to the scores, which
    `softcap` (not 0) limits before. [C1] Quantized caches, sinks, norms,
    positions, other than causal attention and the scores are not supported.
    https://github.com/microsoft/onnxruntime/blob/main/docs/ContribOperators.md#com.microsoft.GroupQueryAttention

    ```mlir
    %y, %k, %v, %s = onnx.ms.GroupQueryAttention %q, %x, %x, %none, %none, %l, %t, %none, %none, %none, %none, %none, %none, %none, %none, %none {kv_num_heads = 1 : i64, num_heads = 2 : i64}
       : (tensor<?x?x8xf32>, tensor<?x?x4xf32>, tensor<?x?x4xf32>, none, none, tensor<?xi32>, tensor<i32>, none, none, none, none, none, none, none, none, none) -> (tensor<?x?x8xf32>, tensor<?x1x?x4xf32>, tensor<?x1x?x4xf32>, tensor<*xf32>)
    ```
  }];
  let arguments = (ins Onnx_FloatTensor:$query,
                       Onnx_Optional<Onnx_FloatTensor>:$key,
                       Onnx_Optional<Onnx_FloatTensor>:$value,
                       Onnx_Optional<Onnx_FloatTensor>:$past_key,
                       Onnx_Optional<Onnx_FloatTensor>:$past_value,
                       Onnx_TensorOf<[I32]>:$seqlens_k,
                       Onnx_TensorOf<[I32]>:$total_sequence_length,
                       Onnx_Optional<Onnx_FloatTensor>:$cos_cache,
                       Onnx_Optional<Onnx_FloatTensor>:$sin_cache,
                       Onnx_Optional<Onnx_I64Tensor>:$position_ids,
                       Onnx_Optional<Onnx_FloatTensor>:$attention_bias,
                       Onnx_Optional<Onnx_FloatTensor>:$head_sink,
                       Onnx_Optional<Onnx_FloatTensor>:$k_scale,
                       Onnx_Optional<Onnx_FloatTensor>:$v_scale,
                       Onnx_Optional<Onnx_FloatTensor>:$q_norm_weight,
                       Onnx_Optional<Onnx_FloatTensor>:$k_norm_weight,
                       Onnx_Flag<"1">:$causal,
                       Onnx_Flag<"0">:$do_rotary,
                       Onnx_DefaultWord<["NONE"], "NONE">:$k_quant_type,
                       Onnx_Int<"0">:$kv_cache_bit_width,
                       ConfinedAttr<I64Attr, [IntPositive]>:$kv_num_heads,
                       Onnx_Int<"-1">:$local_window_size,
                       ConfinedAttr<I64Attr, [IntPositive]>:$num_heads,
                       Onnx_Float<"1e-06f">:$qk_norm_epsilon,
                       Onnx_Int<"0">:$qk_output,
                       Onnx_Flag<"0">:$rotary_interleaved,
                       Onnx_Float<"0.0f">:$scale,
                       Onnx_Flag<"0">:$sliding_window_cache,
                       Onnx_Int<"0">:$smooth_softmax,
                       Onnx_Float<"0.0f">:$softcap,
                       Onnx_DefaultWord<["NONE"], "NONE">:$v_quant_type);
  let results = (outs Onnx_FloatTensor:$output, Onnx_FloatTensor:$present_key,
                      Onnx_FloatTensor:$present_value,
                      Onnx_FloatTensor:$output_qk);
}

def Onnx_MsAttentionOp : Onnx_MsOp<"Attention"> {
  let summary = "Attention of one tensor to itself, with its projection";
  let description = [{
    Queries, keys and values are the parts of `input * weights + bias`, of
    `qkv_hidden_sizes` elements (by default a third each), in `num_heads` heads.
    `past` and `present` are [2, batch, heads, steps, size], of keys and values.
    The rest is as for `onnx.ms.MultiHeadAttention`; a mask `mask_index` of
    [2 * batch] gives the ends of the keys and then their beginnings. [C1] Rotary
    embeddings and caches that are shared are not supported.
    https://github.com/microsoft/onnxruntime/blob/main/docs/ContribOperators.md#com.microsoft.Attention

    ```mlir
    %y, %p = onnx.ms.Attention %x, %w, %b, %none, %none, %none, %none {num_heads = 2 : i64} : (tensor<?x?x8xf32>, tensor<8x24xf32>, tensor<24xf32>, none, none, none, none) -> (tensor<?x?x8xf32>, tensor<2x?x2x?x4xf32>)
    ```
  }];
  let arguments = (ins Onnx_FloatTensor:$input,
                       Onnx_FloatTensor:$weights,
                       Onnx_Optional<Onnx_FloatTensor>:$bias,
                       Onnx_Optional<Onnx_TensorOf<[I32]>>:$mask_index,
                       Onnx_Optional<Onnx_FloatTensor>:$past,
                       Onnx_Optional<Onnx_FloatTensor>:$attention_bias,
                       Onnx_Optional<Onnx_TensorOf<[I32]>>:$past_sequence_length,
                       Onnx_Flag<"0">:$do_rotary,
                       Onnx_Float<"-10000.0f">:$mask_filter_value,
                       ConfinedAttr<I64Attr, [IntPositive]>:$num_heads,
                       Onnx_Flag<"0">:$past_present_share_buffer,
                       Onnx_OptInts:$qkv_hidden_sizes,
                       Onnx_Int<"0">:$rotary_embedding_dim,
                       Onnx_Float<"0.0f">:$scale,
                       Onnx_Flag<"0">:$unidirectional);
  let results = (outs Onnx_FloatTensor:$output, Onnx_FloatTensor:$present);
}

#endif // LATHE_DIALECT_ONNX_IR_CONTRIBATTENTION_TD
