// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Sequences and optionals.

#include "Families.h"
#include "Values.h"
#include "lathe/Dialect/Lathe/IR/Lathe.h"
#include "lathe/Dialect/Onnx/IR/Math.h"
#include "lathe/Dialect/Onnx/IR/Sequence.h"

using namespace mlir;
using namespace lathe;

static LogicalResult lowerConstruct(onnx::SequenceConstructOp op, Lowering &l) {
  LibraryCall call(l, op, "sequence");
  for (unsigned i = 0, e = op->getNumOperands(); i != e; ++i)
    call.operand(i);
  return call.replace();
}

static LogicalResult lowerEmpty(onnx::SequenceEmptyOp op, Lowering &l) {
  return LibraryCall(l, op, "sequence").replace();
}

static LogicalResult lowerInsert(onnx::SequenceInsertOp op, Lowering &l) {
  return LibraryCall(l, op, "sequence_insert")
      .operand(0)
      .operand(1)
      .operand(2)
      .replace();
}

static LogicalResult lowerErase(onnx::SequenceEraseOp op, Lowering &l) {
  return LibraryCall(l, op, "sequence_erase").operand(0).operand(1).replace();
}

static LogicalResult lowerAt(onnx::SequenceAtOp op, Lowering &l) {
  return LibraryCall(l, op, "sequence_at").operand(0).operand(1).replace();
}

static LogicalResult lowerLength(onnx::SequenceLengthOp op, Lowering &l) {
  return LibraryCall(l, op, "sequence_length").operand(0).replace();
}

static LogicalResult lowerSplit(onnx::SplitToSequenceOp op, Lowering &l) {
  auto type = dyn_cast<RankedTensorType>(op.getInput().getType());
  if (!type)
    return l.unsupported("expected a tensor of known rank as input 0");
  return LibraryCall(l, op, "split_to_sequence")
      .operand(0)
      .operand(1)
      .ints({normalizeAxis(static_cast<int64_t>(op.getAxis()), type.getRank()),
             static_cast<int64_t>(op.getKeepdims())})
      .replace();
}

static LogicalResult lowerConcat(onnx::ConcatFromSequenceOp op, Lowering &l) {
  return LibraryCall(l, op, "concat_from_sequence")
      .operand(0)
      .ints({static_cast<int64_t>(op.getAxis()),
             static_cast<int64_t>(op.getNewAxis())})
      .replace();
}

static LogicalResult lowerOptional(onnx::OptionalOp op, Lowering &l) {
  return LibraryCall(l, op, "optional").operand(0).replace();
}

static LogicalResult lowerHasElement(onnx::OptionalHasElementOp op,
                                     Lowering &l) {
  // What is no optional always has one.
  Type type = op.getInput().getType();
  if (isa<NoneType>(type) || !isa<onnx::OptionalType>(type))
    return l.replace(
        l.fill({}, l.b.getI8IntegerAttr(isa<NoneType>(type) ? 0 : 1)));
  return LibraryCall(l, op, "optional_has_element").operand(0).replace();
}

static LogicalResult lowerGetElement(onnx::OptionalGetElementOp op,
                                     Lowering &l) {
  if (!isa<onnx::OptionalType>(op.getInput().getType()))
    return l.replace(l.value(0));
  return LibraryCall(l, op, "optional_get_element").operand(0).replace();
}

static LogicalResult lowerIdentity(onnx::IdentityOp op, Lowering &l) {
  if (l.value(0).getType() == l.types.convertType(op.getY().getType()))
    return l.replace(l.value(0));
  return LibraryCall(l, op, "identity").operand(0).replace();
}

void lathe::populateSequencePatterns(RewritePatternSet &patterns,
                                     const TypeConverter &types) {
  addLowering(patterns, types, lowerConstruct, /*checkTypes=*/false);
  addLowering(patterns, types, lowerEmpty, /*checkTypes=*/false);
  addLowering(patterns, types, lowerInsert, /*checkTypes=*/false);
  addLowering(patterns, types, lowerErase, /*checkTypes=*/false);
  addLowering(patterns, types, lowerAt, /*checkTypes=*/false);
  addLowering(patterns, types, lowerLength, /*checkTypes=*/false);
  addLowering(patterns, types, lowerSplit, /*checkTypes=*/false);
  addLowering(patterns, types, lowerConcat, /*checkTypes=*/false);
  addLowering(patterns, types, lowerOptional, /*checkTypes=*/false);
  addLowering(patterns, types, lowerHasElement, /*checkTypes=*/false);
  addLowering(patterns, types, lowerGetElement, /*checkTypes=*/false);
  addValueLowering(patterns, types, lowerIdentity);
}
