// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Older forms of normalization, pooling and regularization.

#include "../AdapterRegistry.h"

using namespace llvm;
using namespace lathe::importer;
using mlir::LogicalResult;
using mlir::success;

static LogicalResult dropBroadcast(Node &node, AdapterContext &context) {
  node.take("broadcast");
  return success();
}

/// Until opset 6 a flag chose between test and training. Training shows in the
/// results that a node asks for.
static LogicalResult dropIsTest(Node &node, AdapterContext &context) {
  proto::AttributeProto *isTest = node.take("is_test");
  bool training = node.outputs.size() > 1;
  if (isTest && isTest->i() != 0 && training)
    return context.error() << "expected one result with is_test, got "
                           << node.outputs.size();
  return success();
}

static LogicalResult normalizeChannels(Node &node, AdapterContext &context) {
  if (proto::AttributeProto *spatial = node.take("spatial"))
    if (spatial->i() == 0)
      return context.error() << "expected spatial = 1, got 0";
  return success();
}

/// Before opset 14 further results meant training. The saved statistics were
/// for the gradient alone.
static LogicalResult nameTraining(Node &node, AdapterContext &context) {
  if (node.hasOutput(3) || node.hasOutput(4))
    return context.error()
           << "expected results Y, mean and var, got saved_mean or saved_var";
  if (node.hasOutput(1) || node.hasOutput(2))
    context.set(node, context.intAttr("training_mode", 1));
  if (node.outputs.size() > 3)
    node.outputs.resize(3);
  return success();
}

/// Opsets 1 and 6 dropped values unless `is_test` was set.
static LogicalResult dropoutTraining(Node &node, AdapterContext &context) {
  bool isTest = node.getInt("is_test", 0) != 0;
  node.take("is_test");
  if (!isTest)
    context.set(node, context.intAttr("training_mode", 1));
  return success();
}

/// Before opset 10 the mask had the type of the data.
static LogicalResult dropoutMaskType(Node &node, AdapterContext &context) {
  if (!node.hasOutput(1) || node.inputs.empty())
    return success();
  std::string output = node.outputs[1];
  std::string mask = context.renameOutput(1);
  if (int32_t type = context.getElementType(node.inputs[0]))
    context.emitAfter("Cast", mask, output, context.intAttr("to", type));
  else
    context.emitAfter("CastLike", {mask, node.inputs[0]}, output);
  return success();
}

static LogicalResult dropoutRatioToInput(Node &node, AdapterContext &context) {
  if (proto::AttributeProto *ratio = node.take("ratio"))
    node.setInput(1,
                  context.emit("Constant", {},
                               context.floatAttr("value_float", ratio->f())));
  if (proto::AttributeProto *training = node.take("training_mode"))
    node.setInput(2, context.constantBool(training->i() != 0));
  return success();
}

/// Opset 1 gave the order of the norm as a float.
static LogicalResult normOrderToInt(Node &node, AdapterContext &context) {
  proto::AttributeProto *p = node.find("p");
  if (!p || p->type() != proto::AttributeProto::FLOAT)
    return success();
  if (!(p->f() >= 1 && p->f() <= 1024) || p->f() != (int64_t)p->f())
    return context.error() << "expected a whole number as p, got " << p->f();
  context.set(node, context.intAttr("p", (int64_t)p->f()));
  return success();
}

/// Before opset 21 scale and bias had one value a group, now one a channel.
static LogicalResult repeatPerChannel(Node &node, AdapterContext &context) {
  if (node.inputs.size() != 3 || !node.find("num_groups"))
    return success();
  std::string groups = context.constantInts(node.getInt("num_groups", 1));
  std::string channels =
      context.emit("Shape", node.inputs[0],
                   {context.intAttr("start", 1), context.intAttr("end", 2)});
  std::string each = context.emit("Div", {channels, groups});
  std::string shape =
      context.emit("Concat", {groups, each}, context.intAttr("axis", 0));
  std::string last = context.constantInts(1);
  std::string flat = context.constantInts(-1);
  for (std::string *input : {&node.inputs[1], &node.inputs[2]}) {
    std::string column = context.emit("Unsqueeze", {*input, last});
    std::string matrix = context.emit("Expand", {column, shape});
    *input = context.emit("Reshape", {matrix, flat});
  }
  return success();
}

void lathe::importer::registerNnAdapters(AdapterRegistry &registry) {
  registry.add({"Gemm"}, 7, dropBroadcast);
  registry.add({"BatchNormalization"}, 7, dropIsTest);
  registry.add({"BatchNormalization"}, 9, normalizeChannels);
  registry.add({"BatchNormalization"}, 14, nameTraining);
  registry.add({"Dropout"}, 7, dropoutTraining);
  registry.add({"Dropout"}, 10, dropoutMaskType);
  registry.add({"Dropout"}, 12, dropoutRatioToInput);
  registry.add({"LpPool", "GlobalLpPool"}, 2, normOrderToInt);
  registry.add({"GroupNormalization"}, 21, repeatPerChannel);
}
