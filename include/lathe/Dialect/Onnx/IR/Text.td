// Part of the Lathe project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Tensors of text.

#ifndef LATHE_DIALECT_ONNX_IR_TEXT_TD
#define LATHE_DIALECT_ONNX_IR_TEXT_TD

include "lathe/Dialect/Onnx/IR/OnnxBase.td"

def Onnx_StringConcatOp : Onnx_Op<"StringConcat", "broadcast(ctx)"> {
  let summary = "Joins texts pair by pair";
  let description = [{
    The shapes broadcast.
    https://onnx.ai/onnx/operators/onnx__StringConcat.html

    ```mlir
    %z = onnx.StringConcat %x, %y : (tensor<2x!onnx.string>, tensor<!onnx.string>) -> tensor<2x!onnx.string>
    ```
  }];
  let arguments = (ins Onnx_StringTensor:$X, Onnx_StringTensor:$Y);
  let results = (outs Onnx_StringTensor:$Z);
}

def Onnx_StringSplitOp : Onnx_Op<"StringSplit"> {
  let summary = "Cuts texts at a delimiter";
  let description = [{
    At each `delimiter`, or at whitespace without one, at most `maxsplit` times.
    The parts of a text lie along a new last dimension, filled up with empty ones;
    `Z` is how many there are.
    https://onnx.ai/onnx/operators/onnx__StringSplit.html

    ```mlir
    %y, %z = onnx.StringSplit %x {delimiter = ","} : (tensor<2x!onnx.string>) -> (tensor<2x?x!onnx.string>, tensor<2xi64>)
    ```
  }];
  let arguments = (ins Onnx_StringTensor:$X, OptionalAttr<StrAttr>:$delimiter,
                       OptionalAttr<I64Attr>:$maxsplit);
  let results = (outs Onnx_StringTensor:$Y, Onnx_I64Tensor:$Z);
}

def Onnx_RegexFullMatchOp : Onnx_Op<"RegexFullMatch", "test(ctx)"> {
  let summary = "Tells which texts match a pattern";
  let description = [{
    As a whole, with the syntax of RE2.
    https://onnx.ai/onnx/operators/onnx__RegexFullMatch.html

    ```mlir
    %y = onnx.RegexFullMatch %x {pattern = "a+"} : (tensor<2x!onnx.string>) -> tensor<2xi1>
    ```
  }];
  let arguments = (ins Onnx_StringTensor:$X, OptionalAttr<StrAttr>:$pattern);
  let results = (outs Onnx_BoolTensor:$Y);
}

def Onnx_StringNormalizerOp : Onnx_Op<"StringNormalizer"> {
  let summary = "Removes words and changes the case of the others";
  let description = [{
    Removes the texts that are in `stopwords`; the result is one empty text if
    none is left. `X` has one dimension, or two with a first size of 1.
    [C1] `X` has one or two dimensions.
    https://onnx.ai/onnx/operators/onnx__StringNormalizer.html

    ```mlir
    %y = onnx.StringNormalizer %x {case_change_action = "UPPER"} : (tensor<2x!onnx.string>) -> tensor<2x!onnx.string>
    ```
  }];
  let arguments = (ins Onnx_StringTensor:$X,
      Onnx_DefaultWord<["NONE", "LOWER", "UPPER"], "NONE">:$case_change_action,
      Onnx_Flag<"0">:$is_case_sensitive, OptionalAttr<StrAttr>:$locale,
      OptionalAttr<StrArrayAttr>:$stopwords);
  let results = (outs Onnx_StringTensor:$Y);
}

def Onnx_TfIdfVectorizerOp : Onnx_Op<"TfIdfVectorizer"> {
  let summary = "Counts n-grams of a pool";
  let description = [{
    Of each row of `X`: how often each n-gram of the pool occurs with up to
    `max_skip_count` elements skipped, weighed as `mode` says, at the place that
    `ngram_indexes` gives it. `ngram_counts` says where in the pool the n-grams of
    each length begin.
    [C1] `X` has one or two dimensions.
    [C2] There is one pool, of the type of `X`.
    [C3] `ngram_counts` are rising positions in the pool.
    [C4] `ngram_indexes` has one entry per n-gram, and `weights` too.
    https://onnx.ai/onnx/operators/onnx__TfIdfVectorizer.html

    ```mlir
    %y = onnx.TfIdfVectorizer %x {max_gram_length = 1 : i64, max_skip_count = 0 : i64, min_gram_length = 1 : i64, mode = "TF", ngram_counts = array<i64: 0>, ngram_indexes = array<i64: 0, 1>, pool_int64s = array<i64: 2, 3>} : (tensor<5xi64>) -> tensor<2xf32>
    ```
  }];
  let arguments = (ins Onnx_TensorOf<[I32, I64, Onnx_StringType]>:$X,
      I64Attr:$max_gram_length, I64Attr:$max_skip_count,
      I64Attr:$min_gram_length, Onnx_Word<["TF", "IDF", "TFIDF"]>:$mode,
      DenseI64ArrayAttr:$ngram_counts, DenseI64ArrayAttr:$ngram_indexes,
      Onnx_OptInts:$pool_int64s, OptionalAttr<StrArrayAttr>:$pool_strings,
      Onnx_OptFloats:$weights);
  let results = (outs Onnx_TensorOf<[F32]>:$Y);
}

#endif // LATHE_DIALECT_ONNX_IR_TEXT_TD
