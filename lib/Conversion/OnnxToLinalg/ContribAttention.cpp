// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Attention of com.microsoft: scores, a softmax over what each query may see,
// and the sums of the values. Heads stay where they are; maps find them.

#include "lathe/Dialect/Onnx/IR/ContribAttention.h"
#include "Attention.h"
#include "Checks.h"
#include "Families.h"
#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace lathe;

static LogicalResult lowerRotaryEmbedding(onnx::MsRotaryEmbeddingOp op,
                                          Lowering &l) {
  if (op.getIsPackedBatching())
    return l.unsupported("expected is_packed_batching of 0, got 1");
  if (op.getScale().convertToFloat() != 1)
    return l.unsupported("expected scale of 1, got another");
  FailureOr<int64_t> size = getRotarySize(l, 2, op.getRotaryEmbeddingDim());
  if (failed(size))
    return failure();
  Dims dims = l.dims(0);
  bool isFlat = dims.size() == 3;
  unsigned step = isFlat ? 1 : 2;
  Dims steps = {dims[0], dims[step]};
  int64_t hidden = l.type(0).getShape().back(), head = hidden;
  if (isFlat) {
    int64_t heads = op.getNumHeads();
    head = op.getRotaryEmbeddingDim() == 0 ? *size
           : heads > 0                     ? hidden / heads
                                           : 0;
    if (ShapedType::isDynamic(hidden) || head < *size || hidden % head != 0)
      return l.unsupported("expected heads of at least " + Twine(*size) +
                           " elements that fill the last dimension, got " +
                           Twine(hidden));
    dims = {dims[0], dims[1], l.index(hidden / head), l.index(head)};
  } else if (hidden < *size) {
    return l.unsupported("expected heads of at least " + Twine(*size) +
                         " elements, got " + Twine(hidden));
  }
  OpFoldResult rows = l.dims(2)[0];
  bool isOffset = l.rank(1) == 1;
  Value positions = l.value(1);
  Type positionType = l.element(1);
  if (isOffset) {
    Value first = l.readIndex(positions, 0);
    Value room =
        arith::SubIOp::create(l.b, l.toValue(rows), l.toValue(steps[1]));
    Value zero = arith::ConstantIndexOp::create(l.b, 0);
    Value ok = arith::AndIOp::create(
        l.b, arith::CmpIOp::create(l.b, arith::CmpIPredicate::sge, first, zero),
        arith::CmpIOp::create(l.b, arith::CmpIPredicate::sle, first, room));
    check(l, ok, "expects positions in the caches, got others");
  } else if (failed(checkIndices(l, 1, rows, 0, /*fromEnd=*/false))) {
    return failure();
  }
  auto locate = [&](const IndexMath &m, Value batch, Value s) -> Value {
    if (!isOffset)
      return m.fromInt(m.read(positions, {batch, s}, positionType));
    return m.add(s, m.fromInt(m.read(positions, m.constant(0), positionType)));
  };
  Heads x{l.operand(0), dims, /*stepsFirst=*/isFlat};
  x.tensor.value = l.view(x.tensor.value, dims);
  Rotation rotation{
      l.operand(2), l.operand(3), rows, *size, op.getInterleaved() != 0,
      locate};
  Value y = rotate(l, x, rotation).tensor.value;
  return l.replace(l.view(y, l.resultDims()));
}

void lathe::populateContribAttentionPatterns(RewritePatternSet &patterns,
                                             const TypeConverter &types) {
  addLowering(patterns, types, lowerRotaryEmbedding);
}
