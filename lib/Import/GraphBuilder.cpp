// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "GraphBuilder.h"

#include "lathe/Dialect/Onnx/IR/Onnx.h"

using namespace mlir;
using namespace lathe;
using namespace lathe::importer;

/// The name of the operator in messages, as `emitOpError` writes it.
static std::string getOpName(const Node &node) {
  return (getOpPrefix(node.domain).value_or("onnx.") + node.op).str();
}

Location GraphBuilder::getLoc(const Node &node) {
  return NameLoc::get(builder.getStringAttr(node.name));
}

InFlightDiagnostic GraphBuilder::error(const Node &node) {
  hasFailed = true;
  return emitError(getLoc(node)) << "'" << getOpName(node) << "' op ";
}

InFlightDiagnostic GraphBuilder::error() {
  hasFailed = true;
  return emitError(fileLoc);
}

Value Scope::lookup(StringRef name) const {
  for (const Scope *scope = this; scope; scope = scope->parent)
    if (Value value = scope->values.lookup(name))
      return value;
  return {};
}

void GraphBuilder::define(Scope &scope, StringRef name, Value value,
                          EmitError emitError) {
  if (!scope.values.try_emplace(name, value).second)
    emitError() << "expected each value to be defined once, got '" << name
                << "' again";
}

LogicalResult GraphBuilder::readOpsets(
    const google::protobuf::RepeatedPtrField<proto::OperatorSetIdProto> &ids,
    Frame &frame, function_ref<InFlightDiagnostic()> emitError) {
  for (const proto::OperatorSetIdProto &id : ids) {
    StringRef domain = id.domain();
    if (domain == "ai.onnx")
      domain = "";
    int64_t newest = getNewestOpset(domain);
    if (id.version() < 1 || (newest && id.version() > newest))
      return emitError() << "expected an opset of " << getDomainName(domain)
                         << " in [1, " << newest << "], got " << id.version();
    auto [it, isNew] = frame.opsets.try_emplace(domain, id.version());
    if (!isNew && it->second != id.version())
      return emitError() << "expected one opset of " << getDomainName(domain)
                         << ", got " << it->second << " and " << id.version();
  }
  return success();
}

void GraphBuilder::importInitializers(proto::GraphProto &graph, Scope &scope) {
  for (proto::TensorProto &tensor : *graph.mutable_initializer()) {
    if (tensor.name().empty()) {
      error() << "expected initializers with names, got one without";
      continue;
    }
    auto value = tensors.read(tensor, [&] { return error(); });
    if (failed(value))
      value = cast<ElementsAttr>(DenseElementsAttr::get(
          RankedTensorType::get({}, builder.getI1Type()), false));
    Location loc = NameLoc::get(builder.getStringAttr(tensor.name()));
    define(scope, tensor.name(), createConstant(loc, *value, &tensor),
           [&] { return error(); });
  }
  for (proto::SparseTensorProto &sparse : *graph.mutable_sparse_initializer()) {
    std::string name = sparse.values().name();
    auto value = tensors.read(sparse, [&] { return error(); });
    if (failed(value))
      continue;
    Location loc = NameLoc::get(builder.getStringAttr(name));
    define(scope, name, createConstant(loc, *value, nullptr),
           [&] { return error(); });
  }
}

void GraphBuilder::importNodes(
    google::protobuf::RepeatedPtrField<proto::NodeProto> &nodes, Frame &frame,
    Scope &scope) {
  for (auto [i, node] : llvm::enumerate(nodes))
    importNode(node, i, frame, scope);
}

SmallVector<Value> GraphBuilder::importOutputs(const proto::GraphProto &graph,
                                               const Scope &scope) {
  SmallVector<Value> outputs;
  for (const proto::ValueInfoProto &info : graph.output()) {
    Value value = scope.lookup(info.name());
    if (!value)
      error() << "expected the graph to define its output '" << info.name()
              << "', got no such value";
    else
      outputs.push_back(value);
  }
  return outputs;
}

/// The kind of an attribute; models of the first version did not store it.
static proto::AttributeProto::AttributeType
getKind(const proto::AttributeProto &attribute) {
  using Proto = proto::AttributeProto;
  if (attribute.type() != Proto::UNDEFINED)
    return attribute.type();
  return attribute.has_f()               ? Proto::FLOAT
         : attribute.has_i()             ? Proto::INT
         : attribute.has_s()             ? Proto::STRING
         : attribute.has_t()             ? Proto::TENSOR
         : attribute.has_g()             ? Proto::GRAPH
         : attribute.floats_size() != 0  ? Proto::FLOATS
         : attribute.ints_size() != 0    ? Proto::INTS
         : attribute.strings_size() != 0 ? Proto::STRINGS
                                         : Proto::UNDEFINED;
}

LogicalResult GraphBuilder::readAttributes(proto::NodeProto &read, Node &node,
                                           const Frame &frame) {
  for (proto::AttributeProto &attribute : *read.mutable_attribute()) {
    if (attribute.name().empty())
      return error(node) << "expected attributes with names, got one without";
    if (node.find(attribute.name()))
      return error(node) << "expected attribute '" << attribute.name()
                         << "' once, got it again";
    attribute.set_type(getKind(attribute));
    if (attribute.ref_attr_name().empty()) {
      node.attributes.push_back({attribute.name(), &attribute});
      continue;
    }
    if (!frame.index)
      return error(node) << "expected a value for attribute '"
                         << attribute.name()
                         << "', got a reference outside of a function";
    // An attribute that the call leaves out is left out here.
    if (proto::AttributeProto *actual =
            frame.attributes.lookup(attribute.ref_attr_name()))
      node.attributes.push_back({attribute.name(), actual});
  }
  return success();
}

void GraphBuilder::importNode(proto::NodeProto &read, int64_t position,
                              Frame &frame, Scope &scope) {
  Node node;
  node.op = read.op_type();
  node.domain = read.domain() == "ai.onnx" ? "" : read.domain();
  node.overload = read.overload();
  node.index = frame.index ? *frame.index : nextIndex++;
  node.name = read.name();
  if (node.name.empty())
    node.name =
        node.op + "_" + std::to_string(frame.index ? position : node.index);
  if (!frame.prefix.empty())
    node.name = frame.prefix + "/" + node.name;
  node.inputs.assign(read.input().begin(), read.input().end());
  node.outputs.assign(read.output().begin(), read.output().end());
  if (++numNodes > options.limits.nodes) {
    if (numNodes == options.limits.nodes + 1)
      error(node) << "expected at most " << options.limits.nodes
                  << " nodes with functions inlined, got more";
    return;
  }
  if (failed(readAttributes(read, node, frame)))
    return defineUnknown(node, scope);

  auto function =
      functions.find(node.domain + ":" + node.op + ":" + node.overload);
  if (function != functions.end())
    return inlineFunction(node, *function->second, nullptr, frame, scope);

  if (int64_t version = newForms.lookup(&read)) {
    node.version = version;
    return process(std::move(node), frame, scope);
  }
  auto opset = frame.opsets.find(node.domain);
  if (opset == frame.opsets.end()) {
    error(node) << "expected the model to import an opset of "
                << getDomainName(node.domain) << ", got none";
    return defineUnknown(node, scope);
  }
  node.version = opset->second;
  if (const proto::OpSchema *schema = schemas.getNewest(node.op, node.domain)) {
    if (!schemas.existsInOpset(node.op, node.domain, node.version)) {
      error(node) << "expected an opset that has the operator (the newest form "
                     "is of opset "
                  << schema->since_version() << "), got "
                  << getDomainName(node.domain) << " opset " << node.version;
      return defineUnknown(node, scope);
    }
  }
  process(std::move(node), frame, scope);
}

void GraphBuilder::defineUnknown(const Node &node, Scope &scope) {
  hasFailed = true;
  for (const std::string &name : node.outputs) {
    if (name.empty())
      continue;
    auto cast = UnrealizedConversionCastOp::create(
        builder, getLoc(node),
        lathe::onnx::getUninferredType(builder.getContext()), ValueRange());
    scope.values.try_emplace(name, cast.getResult(0));
  }
}

/// Lets an adapter work on one node.
class GraphBuilder::NodeAdapterContext : public AdapterContext {
public:
  NodeAdapterContext(GraphBuilder &parent, Node &node, int64_t version,
                     Frame &frame, Scope &scope)
      : parent(parent), node(node), version(version), frame(frame),
        scope(scope) {}

  std::string emit(StringRef op, ArrayRef<std::string> inputs,
                   ArrayRef<proto::AttributeProto *> attributes) override {
    std::string name = getFreshName();
    parent.process(makeNode(op, inputs, name, attributes), frame, scope);
    return name;
  }
  std::string renameOutput(size_t i) override {
    return node.outputs[i] = getFreshName();
  }
  void emitAfter(StringRef op, ArrayRef<std::string> inputs, std::string output,
                 ArrayRef<proto::AttributeProto *> attributes) override {
    after.push_back(makeNode(op, inputs, std::move(output), attributes));
  }
  proto::AttributeProto *newAttribute(StringRef name) override {
    parent.ownAttributes.emplace_back().set_name(name.str());
    return &parent.ownAttributes.back();
  }
  void hasNewForm(const proto::NodeProto &inner) override {
    parent.newForms[&inner] = version;
  }
  const proto::TypeProto *getType(StringRef name) override {
    Value value = scope.lookup(name);
    return value ? parent.oracle.getType(value) : nullptr;
  }
  InFlightDiagnostic error() override { return parent.error(node); }

  std::vector<Node> after;

private:
  /// A name that no model has any reason to use.
  std::string getFreshName() {
    return "\x01"
           "adapted/" +
           std::to_string(parent.numFresh++);
  }
  Node makeNode(StringRef op, ArrayRef<std::string> inputs, std::string output,
                ArrayRef<proto::AttributeProto *> attributes) {
    Node made;
    made.op = op.str();
    made.version = version;
    made.name = node.name;
    made.index = node.index;
    made.inputs.assign(inputs.begin(), inputs.end());
    made.outputs.push_back(std::move(output));
    for (proto::AttributeProto *attribute : attributes)
      made.attributes.push_back({attribute->name(), attribute});
    return made;
  }

  GraphBuilder &parent;
  Node &node;
  int64_t version;
  Frame &frame;
  Scope &scope;
};

void GraphBuilder::process(Node node, Frame &frame, Scope &scope) {
  std::vector<Node> after;
  while (const AdapterRegistry::Entry *step = adapters.find(node)) {
    NodeAdapterContext context(*this, node, step->below, frame, scope);
    if (failed(step->adapter(node, context))) {
      defineUnknown(node, scope);
      break;
    }
    node.version = step->below;
    // What a later step adds comes before what an earlier one did.
    after.insert(after.begin(), context.after.begin(), context.after.end());
  }
  if (!adapters.find(node))
    build(node, frame, scope);
  for (Node &next : after)
    process(std::move(next), frame, scope);
}
