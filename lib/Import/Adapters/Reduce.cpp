// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Older forms of reductions and of what works along an axis.

#include "../AdapterRegistry.h"

using namespace llvm;
using namespace lathe::importer;
using mlir::LogicalResult;
using mlir::success;

static LogicalResult axesToInput(Node &node, AdapterContext &context) {
  context.intsToInput(node, "axes", 1);
  return success();
}

/// Before opset 13 softmax worked on a matrix: all dimensions from `axis` on
/// were one.
static LogicalResult flattenAroundSoftmax(Node &node, AdapterContext &context) {
  int64_t axis = node.getInt("axis", 1);
  context.set(node, context.intAttr("axis", -1));
  if (node.inputs.size() != 1 || node.outputs.size() != 1 || axis == -1)
    return success();
  std::optional<int64_t> rank = context.getRank(node.inputs[0]);
  if (rank && axis == *rank - 1)
    return success();
  std::string shape = context.emit("Shape", node.inputs[0]);
  node.inputs[0] =
      context.emit("Flatten", node.inputs[0], context.intAttr("axis", axis));
  std::string output = node.outputs[0];
  std::string flat = context.renameOutput(0);
  // The shape has the sizes of all dimensions, so a 0 in it is a 0.
  context.emitAfter("Reshape", {flat, shape}, output,
                    context.intAttr("allowzero", 1));
  return success();
}

static LogicalResult countToInput(Node &node, AdapterContext &context) {
  if (proto::AttributeProto *k = node.take("k"))
    node.setInput(1, context.constantInts(k->i()));
  return success();
}

void lathe::importer::registerReduceAdapters(AdapterRegistry &registry) {
  registry.add({"ReduceSum"}, 13, axesToInput);
  registry.add({"ReduceL1", "ReduceL2", "ReduceLogSum", "ReduceLogSumExp",
                "ReduceMax", "ReduceMean", "ReduceMin", "ReduceProd",
                "ReduceSumSquare"},
               18, axesToInput);
  registry.add({"Softmax", "LogSoftmax", "Hardmax"}, 13, flattenAroundSoftmax);
  registry.add({"TopK"}, 10, countToInput);
}
