// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Older forms of operators that move, cut and join tensors.

#include "../AdapterRegistry.h"

using namespace llvm;
using namespace lathe::importer;
using mlir::LogicalResult;
using mlir::success;

static LogicalResult shapeToInput(Node &node, AdapterContext &context) {
  node.take("consumed_inputs");
  context.intsToInput(node, "shape", 1);
  return success();
}

static LogicalResult concatAxisWasOptional(Node &node,
                                           AdapterContext &context) {
  if (!node.find("axis"))
    context.set(node, context.intAttr("axis", 1));
  return success();
}

/// Opset 1 took the sizes as an attribute or an input; so does opset 13, but
/// the steps between know the attribute only.
static LogicalResult splitSizesToInput(Node &node, AdapterContext &context) {
  if (!node.hasInput(1))
    context.intsToInput(node, "split", 1);
  return success();
}

/// Opset 18 wants to be told the number of equal parts.
static LogicalResult splitCount(Node &node, AdapterContext &context) {
  if (!node.hasInput(1) && !node.find("num_outputs"))
    context.set(node, context.intAttr("num_outputs", node.outputs.size()));
  return success();
}

static LogicalResult sliceToInputs(Node &node, AdapterContext &context) {
  context.intsToInput(node, "starts", 1);
  context.intsToInput(node, "ends", 2);
  context.intsToInput(node, "axes", 3);
  return success();
}

static LogicalResult axesToInput(Node &node, AdapterContext &context) {
  context.intsToInput(node, "axes", 1);
  return success();
}

static LogicalResult renamePaddings(Node &node, AdapterContext &context) {
  if (proto::AttributeProto *paddings = node.take("paddings"))
    context.set(node, context.intsAttr(
                          "pads", ArrayRef<int64_t>(paddings->ints().data(),
                                                    paddings->ints().size())));
  return success();
}

static LogicalResult padsToInputs(Node &node, AdapterContext &context) {
  context.intsToInput(node, "pads", 1);
  if (proto::AttributeProto *value = node.take("value"))
    if (!node.inputs.empty())
      node.setInput(2, context.constantLike(value->f(), node.inputs[0]));
  return success();
}

/// Opset 1 repeated along one axis, given by inputs.
static LogicalResult refuseTileAlongAxis(Node &node, AdapterContext &context) {
  return context.error()
         << "expected Tile of opset 6 or newer, got the form of opset "
         << node.version;
}

static LogicalResult scatterElements(Node &node, AdapterContext &context) {
  node.op = "ScatterElements";
  return success();
}

/// Opset 20 renamed the modes and the default with them.
static LogicalResult renameGridModes(Node &node, AdapterContext &context) {
  proto::AttributeProto *mode = node.find("mode");
  if (!mode || mode->s() == "bilinear")
    context.set(node, context.stringAttr("mode", "linear"));
  else if (mode->s() == "bicubic")
    context.set(node, context.stringAttr("mode", "cubic"));
  return success();
}

/// Opset 16 shifted coordinates by half a pixel unless told otherwise.
static LogicalResult oldRoiCoordinates(Node &node, AdapterContext &context) {
  context.set(node, context.stringAttr("coordinate_transformation_mode",
                                       "output_half_pixel"));
  return success();
}

void lathe::importer::registerTensorAdapters(AdapterRegistry &registry) {
  registry.add({"Reshape"}, 5, shapeToInput);
  registry.add({"Concat"}, 4, concatAxisWasOptional);
  registry.add({"Split"}, 13, splitSizesToInput);
  registry.add({"Split"}, 18, splitCount);
  registry.add({"Slice"}, 10, sliceToInputs);
  registry.add({"Squeeze", "Unsqueeze"}, 13, axesToInput);
  registry.add({"Pad"}, 2, renamePaddings);
  registry.add({"Pad"}, 11, padsToInputs);
  registry.add({"Tile"}, 6, refuseTileAlongAxis);
  registry.add({"Scatter"}, 11, scatterElements);
  registry.add({"GridSample"}, 20, renameGridModes);
  registry.add({"RoiAlign"}, 16, oldRoiCoordinates);
}
