// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Operators that are functions: those that the model defines, and those of ONNX
// that no op of the dialect stands for. Their bodies become nodes in the place
// of the call, named `call/node`, which share its index.

#include "GraphBuilder.h"

#include <onnx/defs/schema.h>

using namespace mlir;
using namespace lathe::importer;

/// The node as the ONNX library wants to see it.
static proto::NodeProto makeProto(const Node &node) {
  proto::NodeProto result;
  result.set_op_type(node.op);
  result.set_domain(node.domain);
  result.set_name(node.name);
  for (const std::string &input : node.inputs)
    result.add_input(input);
  for (const std::string &output : node.outputs)
    result.add_output(output);
  for (auto &[name, value] : node.attributes) {
    proto::AttributeProto &attribute = *result.add_attribute();
    attribute = *value;
    attribute.set_name(name);
  }
  return result;
}

namespace {
/// The library's builders of bodies look into types without a look at whether
/// they are known: one that is not is a type without anything in it.
class BodyContext : public proto::FunctionBodyBuildContextImpl {
public:
  using FunctionBodyBuildContextImpl::FunctionBodyBuildContextImpl;
  const proto::TypeProto *getInputType(int index) const override {
    const proto::TypeProto *type =
        FunctionBodyBuildContextImpl::getInputType(index);
    return type ? type : &unknown;
  }

private:
  proto::TypeProto unknown;
};
} // namespace

bool GraphBuilder::inlineSchemaFunction(const Node &node,
                                        const proto::OpSchema &schema,
                                        Frame &frame, Scope &scope) {
  int64_t newest = getNewestOpset(node.domain);
  // Attributes left out have their defaults in the body.
  Node call = node;
  for (auto &[name, attribute] : schema.attributes())
    if (!call.find(name) &&
        attribute.default_value.type() != proto::AttributeProto::UNDEFINED)
      call.attributes.push_back(
          {name, &ownAttributes.emplace_back(attribute.default_value)});

  // The library reports what it does not like about a body by exceptions.
  try {
    if (schema.HasFunction()) {
      proto::FunctionProto *&function =
          schemaFunctions[node.domain + ":" + node.op];
      if (!function) {
        const proto::FunctionProto *found = schema.GetFunction((int)newest);
        if (!found)
          return false;
        function = &ownFunctions.emplace_back(*found);
      }
      inlineFunction(call, *function, &schema, frame, scope);
      return true;
    }
    if (!schema.HasContextDependentFunction())
      return false;
    std::vector<proto::TypeProto> types;
    for (const std::string &input : node.inputs) {
      Value value = input.empty() ? Value() : scope.lookup(input);
      const proto::TypeProto *type = value ? oracle.getType(value) : nullptr;
      types.push_back(type ? *type : proto::TypeProto());
    }
    // The context points into the proto that it is made from.
    proto::NodeProto callProto = makeProto(call);
    BodyContext context(callProto, types);
    proto::FunctionProto &function = ownFunctions.emplace_back();
    if (!schema.BuildContextDependentFunction(context, function, (int)newest))
      return false;
    inlineFunction(call, function, &schema, frame, scope);
    return true;
  } catch (const std::exception &) {
    return false;
  }
}

void GraphBuilder::inlineFunction(const Node &node,
                                  proto::FunctionProto &function,
                                  const proto::OpSchema *schema,
                                  const Frame &frame, Scope &scope) {
  Frame inner;
  inner.prefix = node.name;
  inner.index = node.index;
  inner.depth = frame.depth + 1;
  auto fail = [&] { defineUnknown(node, scope); };
  if (inner.depth > options.limits.functionDepth) {
    error(node) << "expected functions called within each other at most "
                << options.limits.functionDepth << " deep, got more";
    return fail();
  }
  if (failed(readOpsets(function.opset_import(), inner,
                        [&] { return error(node); })))
    return fail();
  if (schema)
    inner.opsets.try_emplace("", getNewestOpset(""));

  auto isFormal = [&](StringRef name) {
    return llvm::is_contained(function.attribute(), name) ||
           llvm::any_of(function.attribute_proto(),
                        [&](const proto::AttributeProto &attribute) {
                          return attribute.name() == name;
                        });
  };
  for (proto::AttributeProto &attribute : *function.mutable_attribute_proto())
    inner.attributes[attribute.name()] = &attribute;
  for (auto &[name, value] : node.attributes) {
    if (!schema && !isFormal(name)) {
      error(node) << "expected an attribute of the function, got '" << name
                  << "'";
      return fail();
    }
    inner.attributes[name] = value;
  }
  for (const std::string &name : function.attribute()) {
    if (!schema && !inner.attributes.count(name)) {
      error(node) << "expected attribute '" << name << "' of the function, got "
                  << "none";
      return fail();
    }
  }

  if ((int)node.inputs.size() > function.input_size() ||
      (int)node.outputs.size() > function.output_size()) {
    error(node) << "expected at most " << function.input_size()
                << " inputs and " << function.output_size()
                << " results of the function, got " << node.inputs.size()
                << " and " << node.outputs.size();
    return fail();
  }
  SmallVector<Value> operands;
  if (failed(getOperands(node, scope, operands)))
    return fail();
  Scope body;
  for (auto [i, formal] : llvm::enumerate(function.input()))
    define(body, formal, i < operands.size() ? operands[i] : getNone(),
           [&] { return error(node); });
  importNodes(*function.mutable_node(), inner, body);
  for (auto [formal, actual] : llvm::zip(function.output(), node.outputs)) {
    if (actual.empty())
      continue;
    Value value = body.lookup(formal);
    if (!value) {
      if (!hasFailed)
        error(node) << "expected the function to define its output '" << formal
                    << "', got no such value";
      return fail();
    }
    define(scope, actual, value, [&] { return error(node); });
  }
}
