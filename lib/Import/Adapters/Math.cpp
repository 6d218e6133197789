// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Older forms of elementwise operators.

#include "../AdapterRegistry.h"

#include <limits>

using namespace llvm;
using namespace lathe::importer;
using mlir::failure;
using mlir::LogicalResult;
using mlir::success;

/// A hint on memory that opset 6 dropped.
static LogicalResult dropConsumedInputs(Node &node, AdapterContext &context) {
  node.take("consumed_inputs");
  return success();
}

/// Before opset 7 an operator broadcast only where `broadcast` said so, the
/// second input lying along the dimensions from `axis` on.
static LogicalResult alignBroadcast(Node &node, AdapterContext &context) {
  node.take("broadcast");
  proto::AttributeProto *axisAttr = node.take("axis");
  if (!axisAttr || node.inputs.size() != 2)
    return success();
  auto left = context.getRank(node.inputs[0]);
  auto right = context.getRank(node.inputs[1]);
  if (!left || !right)
    return context.error() << "expected inputs of known rank for broadcast "
                              "along an axis, got an unknown one";
  int64_t axis = axisAttr->i();
  if (axis < 0)
    axis += *left;
  int64_t missing = *left - axis - *right;
  if (axis < 0 || missing < 0)
    return context.error() << "expected axis in [" << -*left << ", "
                           << *left - *right << "], got " << axisAttr->i();
  if (missing == 0)
    return success();
  SmallVector<int64_t> axes;
  for (int64_t i = 0; i < missing; ++i)
    axes.push_back(*right + i);
  node.inputs[1] =
      context.emit("Unsqueeze", node.inputs[1], context.intsAttr("axes", axes));
  return success();
}

/// Before opset 7 a slope of one dimension lay along the channels.
static LogicalResult alignSlope(Node &node, AdapterContext &context) {
  if (node.inputs.size() != 2)
    return success();
  auto rank = context.getRank(node.inputs[0]);
  auto slope = context.getRank(node.inputs[1]);
  if (!rank || !slope)
    return context.error()
           << "expected inputs of known rank, got an unknown one";
  if (*slope != 1 || *rank < 3)
    return success();
  SmallVector<int64_t> axes;
  for (int64_t i = 1; i < *rank - 1; ++i)
    axes.push_back(i);
  node.inputs[1] =
      context.emit("Unsqueeze", node.inputs[1], context.intsAttr("axes", axes));
  return success();
}

/// Opset 6 made these defaults more exact.
static LogicalResult oldSeluDefaults(Node &node, AdapterContext &context) {
  node.take("consumed_inputs");
  if (!node.find("alpha"))
    context.set(node, context.floatAttr("alpha", 1.6732f));
  if (!node.find("gamma"))
    context.set(node, context.floatAttr("gamma", 1.0507f));
  return success();
}

static LogicalResult clipBoundsToInputs(Node &node, AdapterContext &context) {
  node.take("consumed_inputs");
  if (node.inputs.size() != 1)
    return success();
  for (auto [i, name] : {std::pair<size_t, StringRef>{1, "min"}, {2, "max"}})
    if (proto::AttributeProto *bound = node.take(name))
      node.setInput(i, context.constantLike(bound->f(), node.inputs[0]));
  return success();
}

/// Opset 1 spelled the type.
static LogicalResult castTypeToNumber(Node &node, AdapterContext &context) {
  proto::AttributeProto *to = node.find("to");
  if (!to || to->type() != proto::AttributeProto::STRING)
    return success();
  proto::TensorProto::DataType type;
  if (!proto::TensorProto::DataType_Parse(StringRef(to->s()).upper(), &type))
    return context.error() << "expected the name of a type, got '" << to->s()
                           << "'";
  context.set(node, context.intAttr("to", type));
  return success();
}

/// Opset 20 took the axis as an input and made the last one the default.
static LogicalResult dftAxisToInput(Node &node, AdapterContext &context) {
  int64_t axis = node.getInt("axis", 1);
  node.take("axis");
  node.setInput(2, context.constantInt(axis));
  return success();
}

void lathe::importer::registerMathAdapters(AdapterRegistry &registry) {
  registry.add({"Abs",
                "Add",
                "BatchNormalization",
                "Ceil",
                "Div",
                "Dropout",
                "Elu",
                "Exp",
                "Floor",
                "HardSigmoid",
                "InstanceNormalization",
                "LeakyRelu",
                "Log",
                "Max",
                "Mean",
                "Min",
                "Mul",
                "Neg",
                "PRelu",
                "Reciprocal",
                "Relu",
                "Sigmoid",
                "Sqrt",
                "Sub",
                "Sum",
                "Tanh"},
               6, dropConsumedInputs);
  registry.add({"Add", "And", "Div", "Equal", "Greater", "Less", "Mul", "Or",
                "Pow", "Sub", "Xor"},
               7, alignBroadcast);
  registry.add({"PRelu"}, 7, alignSlope);
  registry.add({"Selu"}, 6, oldSeluDefaults);
  registry.add({"Clip"}, 11, clipBoundsToInputs);
  registry.add({"Cast"}, 6, castTypeToNumber);
  registry.add({"DFT"}, 20, dftAxisToInput);
}
