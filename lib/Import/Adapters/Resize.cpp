// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Upsample, which became Resize, and older forms of Resize.

#include "../AdapterRegistry.h"

using namespace llvm;
using namespace lathe::importer;
using mlir::LogicalResult;
using mlir::success;

/// Opset 1 gave two factors for images.
static LogicalResult upsampleFactors(Node &node, AdapterContext &context) {
  proto::AttributeProto *height = node.take("height_scale");
  proto::AttributeProto *width = node.take("width_scale");
  if (!height || !width)
    return context.error()
           << "expected attributes height_scale and width_scale, got "
           << (height || width ? "one of them" : "none");
  proto::AttributeProto *scales = context.newAttribute("scales");
  scales->set_type(proto::AttributeProto::FLOATS);
  for (float scale : {1.0f, 1.0f, height->f(), width->f()})
    scales->add_floats(scale);
  context.set(node, scales);
  return success();
}

static LogicalResult scalesToInput(Node &node, AdapterContext &context) {
  if (proto::AttributeProto *scales = node.take("scales"))
    node.setInput(1, context.constantFloats(ArrayRef<float>(
                         scales->floats().data(), scales->floats().size())));
  return success();
}

static LogicalResult upsampleToResize(Node &node, AdapterContext &context) {
  node.op = "Resize";
  return success();
}

/// Opset 10 scaled coordinates without shifting them.
static LogicalResult nameCoordinates(Node &node, AdapterContext &context) {
  if (node.hasInput(1)) {
    node.setInput(2, node.inputs[1]);
    node.inputs[1].clear();
  }
  if (proto::AttributeProto *mode = node.find("mode"))
    if (mode->s() == "bilinear")
      context.set(node, context.stringAttr("mode", "linear"));
  context.set(
      node, context.stringAttr("coordinate_transformation_mode", "asymmetric"));
  context.set(node, context.stringAttr("nearest_mode", "floor"));
  return success();
}

/// Opset 11 required all inputs, empty ones where they had no meaning.
static LogicalResult omitUnusedInputs(Node &node, AdapterContext &context) {
  if (node.hasInput(3))
    node.inputs[2].clear();
  proto::AttributeProto *mode = node.find("coordinate_transformation_mode");
  if (node.hasInput(1) && (!mode || mode->s() != "tf_crop_and_resize"))
    node.inputs[1].clear();
  return success();
}

void lathe::importer::registerResizeAdapters(AdapterRegistry &registry) {
  registry.add({"Upsample"}, 7, upsampleFactors);
  registry.add({"Upsample"}, 9, scalesToInput);
  registry.add({"Upsample"}, 10, upsampleToResize);
  registry.add({"Resize"}, 11, nameCoordinates);
  registry.add({"Resize"}, 13, omitUnusedInputs);
}
