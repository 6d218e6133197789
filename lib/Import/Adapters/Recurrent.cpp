// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Older forms of recurrent layers.

#include "../AdapterRegistry.h"

using namespace llvm;
using namespace lathe::importer;
using mlir::LogicalResult;
using mlir::success;

/// Before opset 7 a flag said whether the whole sequence is a result, which the
/// list of results says as well.
static LogicalResult dropOutputSequence(Node &node, AdapterContext &context) {
  node.take("output_sequence");
  return success();
}

/// The schema of opset 1 misspelled the default.
static LogicalResult spellDirection(Node &node, AdapterContext &context) {
  if (proto::AttributeProto *direction = node.find("direction"))
    if (direction->s() == "foward")
      context.set(node, context.stringAttr("direction", "forward"));
  return success();
}

void lathe::importer::registerRecurrentAdapters(AdapterRegistry &registry) {
  registry.add({"RNN", "LSTM", "GRU"}, 7, dropOutputSequence);
  registry.add({"GRU"}, 3, spellDirection);
}
