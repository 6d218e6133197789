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

#endif // LATHE_DIALECT_ONNX_IR_CONTRIBATTENTION_TD
