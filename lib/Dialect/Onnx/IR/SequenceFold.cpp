// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Sequences whose elements are known when the model is compiled, as exporters
// write them for lists of tensors, need not be made: what takes an element gets
// the tensor itself, or cuts it out of the tensor that was split.

#include "lathe/Dialect/Onnx/IR/Math.h"
#include "lathe/Dialect/Onnx/IR/Sequence.h"
#include "lathe/Dialect/Onnx/IR/Tensor.h"
#include "mlir/IR/PatternMatch.h"

using namespace mlir;
using namespace lathe::onnx;

/// The elements of a constant of whole numbers.
static std::optional<SmallVector<int64_t>> getInts(Value value) {
  auto constant = value.getDefiningOp<ConstantOp>();
  auto dense = constant ? dyn_cast<DenseElementsAttr>(constant.getValue())
                        : DenseElementsAttr();
  if (!dense || !dense.getElementType().isInteger())
    return std::nullopt;
  return llvm::map_to_vector(dense.getValues<APInt>(),
                             [](const APInt &x) { return x.getSExtValue(); });
}

/// The one whole number in `value`, counted from the front of `count` things
/// and below `limit`.
static std::optional<int64_t> getPosition(Value value, int64_t count,
                                          int64_t limit) {
  auto ints = getInts(value);
  if (!ints || ints->size() != 1)
    return std::nullopt;
  int64_t position = ints->front() < 0 ? ints->front() + count : ints->front();
  if (position < 0 || position >= limit)
    return std::nullopt;
  return position;
}

/// The elements of a sequence that is made of known ones.
static std::optional<SmallVector<Value>> getElements(Value sequence) {
  // From the last change back to where the sequence begins.
  SmallVector<Operation *> changes;
  SmallVector<Value> elements;
  for (Operation *def = sequence.getDefiningOp();;
       def = def->getOperand(0).getDefiningOp()) {
    if (isa_and_present<SequenceInsertOp, SequenceEraseOp, IdentityOp>(def)) {
      changes.push_back(def);
      continue;
    }
    if (auto construct = dyn_cast_or_null<SequenceConstructOp>(def))
      llvm::append_range(elements, construct.getInputs());
    else if (!isa_and_present<SequenceEmptyOp>(def))
      return std::nullopt;
    break;
  }
  for (Operation *change : llvm::reverse(changes)) {
    int64_t count = elements.size();
    if (auto insert = dyn_cast<SequenceInsertOp>(change)) {
      int64_t position = count;
      if (!isOmitted(insert.getPosition())) {
        auto given = getPosition(insert.getPosition(), count, count + 1);
        if (!given)
          return std::nullopt;
        position = *given;
      }
      elements.insert(elements.begin() + position, insert.getTensor());
    } else if (auto erase = dyn_cast<SequenceEraseOp>(change)) {
      int64_t position = count - 1;
      if (!isOmitted(erase.getPosition())) {
        auto given = getPosition(erase.getPosition(), count, count);
        if (!given)
          return std::nullopt;
        position = *given;
      }
      if (position < 0)
        return std::nullopt;
      elements.erase(elements.begin() + position);
    }
  }
  return elements;
}

/// Makes an op that belongs to the node of `like`.
template <typename OpTy, typename... Args>
static OpTy createLike(PatternRewriter &rewriter, Operation *like,
                       Args &&...args) {
  auto made =
      OpTy::create(rewriter, like->getLoc(), std::forward<Args>(args)...);
  if (Attribute node = like->getAttr("lathe.node"))
    made->setAttr("lathe.node", node);
  return made;
}

static Value createInts(PatternRewriter &rewriter, Operation *like,
                        ArrayRef<int64_t> values) {
  ElementsAttr attr = rewriter.getI64TensorAttr(values);
  return createLike<ConstantOp>(rewriter, like, attr.getType(), attr);
}

namespace {
/// SequenceAt of known elements gives one of them.
struct TakeElement : OpRewritePattern<SequenceAtOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(SequenceAtOp op,
                                PatternRewriter &rewriter) const override {
    auto elements = getElements(op.getInputSequence());
    if (!elements)
      return rewriter.notifyMatchFailure(op, "expected known elements");
    auto position =
        getPosition(op.getPosition(), elements->size(), elements->size());
    if (!position)
      return rewriter.notifyMatchFailure(op, "expected a constant position");
    Value same = createLike<IdentityOp>(rewriter, op, op.getType(),
                                        (*elements)[*position]);
    rewriter.replaceOp(op, same);
    return success();
  }
};

/// SequenceAt of a split tensor cuts one part out of it.
struct TakePart : OpRewritePattern<SequenceAtOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(SequenceAtOp op,
                                PatternRewriter &rewriter) const override {
    auto split = op.getInputSequence().getDefiningOp<SplitToSequenceOp>();
    auto type = split ? dyn_cast<RankedTensorType>(split.getInput().getType())
                      : RankedTensorType();
    auto parts = dyn_cast<SequenceType>(op.getInputSequence().getType());
    if (!type || !parts || parts.getLength() < 0)
      return rewriter.notifyMatchFailure(op, "expected a known split");
    auto position =
        getPosition(op.getPosition(), parts.getLength(), parts.getLength());
    if (!position)
      return rewriter.notifyMatchFailure(op, "expected a constant position");
    int64_t axis = static_cast<int64_t>(split.getAxis()), begin = *position,
            size = 1;
    axis += axis < 0 ? type.getRank() : 0;
    bool isWhole = isOmitted(split.getSplit());
    if (!isWhole) {
      auto sizes = getInts(split.getSplit());
      auto shape = dyn_cast<RankedTensorType>(split.getSplit().getType());
      if (!sizes || !shape || sizes->empty() || type.isDynamicDim(axis))
        return rewriter.notifyMatchFailure(op, "expected constant sizes");
      bool isOne = shape.getRank() == 0;
      size = isOne ? sizes->front() : (*sizes)[*position];
      begin = 0;
      for (int64_t i = 0; i < *position; ++i)
        begin += isOne ? size : (*sizes)[i];
      size = std::min(size, type.getDimSize(axis) - begin);
      // A wrong split is for the library function to report.
      if (size < 0 ||
          (!isOne && std::accumulate(sizes->begin(), sizes->end(),
                                     int64_t(0)) != type.getDimSize(axis)))
        return rewriter.notifyMatchFailure(op, "expected sizes that fit");
    }
    SmallVector<int64_t> shape(type.getShape());
    shape[axis] = size;
    Value axes = createInts(rewriter, op, axis);
    Value part = createLike<SliceOp>(
        rewriter, op, type.clone(shape), split.getInput(),
        createInts(rewriter, op, begin), createInts(rewriter, op, begin + size),
        axes, createInts(rewriter, op, 1));
    if (isWhole && !split.getKeepdims()) {
      shape.erase(shape.begin() + axis);
      part = createLike<SqueezeOp>(rewriter, op, type.clone(shape), part, axes);
    }
    Value same = createLike<IdentityOp>(rewriter, op, op.getType(), part);
    rewriter.replaceOp(op, same);
    return success();
  }
};

/// ConcatFromSequence of known elements is a Concat.
struct ConcatElements : OpRewritePattern<ConcatFromSequenceOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(ConcatFromSequenceOp op,
                                PatternRewriter &rewriter) const override {
    auto elements = getElements(op.getInputSequence());
    auto type = dyn_cast<RankedTensorType>(op.getType());
    if (!elements || elements->empty() || !type)
      return rewriter.notifyMatchFailure(op, "expected known elements");
    int64_t axis = static_cast<int64_t>(op.getAxis());
    axis += axis < 0 ? type.getRank() : 0;
    for (Value &element : *elements) {
      auto own = dyn_cast<RankedTensorType>(element.getType());
      if (!own || own.getRank() + (op.getNewAxis() ? 1 : 0) != type.getRank())
        return rewriter.notifyMatchFailure(op, "expected elements of one rank");
    }
    if (op.getNewAxis()) {
      Value axes = createInts(rewriter, op, axis);
      for (Value &element : *elements) {
        auto own = cast<RankedTensorType>(element.getType());
        SmallVector<int64_t> shape(own.getShape());
        shape.insert(shape.begin() + axis, 1);
        element = createLike<UnsqueezeOp>(rewriter, op, own.clone(shape),
                                          element, axes);
      }
    }
    Value joined = createLike<ConcatOp>(rewriter, op, type, *elements, axis);
    rewriter.replaceOp(op, joined);
    return success();
  }
};
} // namespace

void SequenceAtOp::getCanonicalizationPatterns(RewritePatternSet &patterns,
                                               MLIRContext *context) {
  patterns.add<TakeElement, TakePart>(context);
}

void ConcatFromSequenceOp::getCanonicalizationPatterns(
    RewritePatternSet &patterns, MLIRContext *context) {
  patterns.add<ConcatElements>(context);
}
