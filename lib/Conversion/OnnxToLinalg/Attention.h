// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Attention of heads: a softmax over the scores of what each query may see, and
// the sums of the values by it.

#ifndef LATHE_LIB_CONVERSION_ONNXTOLINALG_ATTENTION_H
#define LATHE_LIB_CONVERSION_ONNXTOLINALG_ATTENTION_H

#include "Indexing.h"

namespace lathe {

/// A tensor of four dimensions: batch, heads and steps (or steps and heads),
/// and the elements of a head.
struct Heads {
  Operand tensor;
  Dims dims;
  bool stepsFirst = true;

  mlir::OpFoldResult batch() const { return dims[0]; }
  mlir::OpFoldResult heads() const { return dims[stepsFirst ? 2 : 1]; }
  mlir::OpFoldResult steps() const { return dims[stepsFirst ? 1 : 2]; }
  mlir::OpFoldResult size() const { return dims[3]; }
};

/// `tensor` [batch, steps, heads * size] as heads.
Heads splitHeads(Lowering &l, Operand tensor, DimsRef dims, int64_t heads);

/// What is added to the scores, which broadcasts to
/// [batch, heads, steps, total].
struct ScoreBias {
  Operand tensor;
  Dims dims;
};

/// Sees one score: the loops of its batch, its query and its key.
using ScoreBody = llvm::function_ref<mlir::Value(
    const IndexMath &, mlir::Value score, mlir::Value batch, mlir::Value step,
    mlir::Value key)>;

struct Attention {
  Heads query, key, value;
  /// What products are multiplied with; 0 is 1 / sqrt(size of a head).
  double scale = 0;
  /// Limits scores to (-softcap, softcap), unless it is 0.
  double softcap = 0;
  std::optional<ScoreBias> bias = {};
  /// Masks scores, where not null.
  ScoreBody mask = {};
};

/// The result, [batch, steps, heads * size of a value], stored as `element`.
/// Several heads of the query, in order, may share one of the key.
mlir::Value attend(Lowering &l, const Attention &attention, mlir::Type element);

/// Heads in the order [batch, heads, steps, size].
Heads stepsLast(Lowering &l, const Heads &heads);

/// `past` and `fresh`, both [batch, heads, steps, size], one after the other.
Heads concatSteps(Lowering &l, const Heads &past, const Heads &fresh);

/// Pairs of elements that are turned by angles: the caches of cosines and
/// sines, their number of rows, how many elements of a head are turned, and the
/// position of a step.
struct Rotation {
  Operand cosines, sines;
  mlir::OpFoldResult numPositions;
  int64_t size;
  bool interleaved;
  llvm::function_ref<mlir::Value(const IndexMath &, mlir::Value batch,
                                 mlir::Value step)>
      locate;
};

Heads rotate(Lowering &l, const Heads &heads, const Rotation &rotation);

/// How many elements of a head are turned: `given`, or twice what a row of the
/// cache, operand `cache`, has. Reports where they do not agree.
mlir::FailureOr<int64_t> getRotarySize(Lowering &l, unsigned cache,
                                       int64_t given);

} // namespace lathe

#endif // LATHE_LIB_CONVERSION_ONNXTOLINALG_ATTENTION_H
