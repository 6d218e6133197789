// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Older forms of the operators of domain ai.onnx.ml.

#include "../AdapterRegistry.h"

using namespace llvm;
using namespace lathe::importer;
using mlir::LogicalResult;
using mlir::success;

/// Opset 1 mapped the strings of a list to their positions and back, as the
/// type of the input said.
static LogicalResult labelLists(Node &node, AdapterContext &context) {
  proto::AttributeProto *classes = node.take("classes_strings");
  if (!classes || node.inputs.empty())
    return success();
  std::vector<std::string> names(classes->strings().begin(),
                                 classes->strings().end());
  SmallVector<int64_t> positions =
      llvm::to_vector(llvm::seq<int64_t>(0, names.size()));
  int32_t type = context.getElementType(node.inputs[0]);
  if (type != proto::TensorProto::STRING && type != proto::TensorProto::INT64)
    return context.error()
           << "expected an input of strings or 64-bit integers, got "
           << (type ? "another type" : "an unknown type");
  bool fromStrings = type == proto::TensorProto::STRING;
  context.set(
      node, context.stringsAttr(fromStrings ? "keys_strings" : "values_strings",
                                names));
  context.set(node,
              context.intsAttr(fromStrings ? "values_int64s" : "keys_int64s",
                               positions));
  return success();
}

void lathe::importer::registerMlAdapters(AdapterRegistry &registry) {
  registry.add({"LabelEncoder"}, 2, labelLists, "ai.onnx.ml");
}
