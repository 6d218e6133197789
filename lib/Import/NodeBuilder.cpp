// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// From a node in its newest form to an op. Nothing here knows an operator but
// `Constant`: what an op is called, and how many inputs, results and which
// attributes it has, comes from the registered ops and from ONNX's schemas.

#include "GraphBuilder.h"
#include "lathe/Dialect/Lathe/IR/Lathe.h"
#include "lathe/Dialect/Onnx/IR/Onnx.h"

using namespace mlir;
using namespace lathe;
using namespace lathe::importer;
using FormalParameter = proto::OpSchema::FormalParameter;

void GraphBuilder::build(Node &node, Frame &frame, Scope &scope) {
  const proto::OpSchema *schema = schemas.getNewest(node.op, node.domain);
  if (!schema) {
    error(node) << "expected a known operator, got " << node.op << " of "
                << getDomainName(node.domain) << " opset " << node.version;
    return defineUnknown(node, scope);
  }
  if (failed(checkAgainstSchema(node, *schema)))
    return defineUnknown(node, scope);
  bool isDefault = node.domain.empty();
  if (isDefault && node.op == "Constant") {
    if (failed(buildConstant(node, scope)))
      defineUnknown(node, scope);
    return;
  }
  std::optional<RegisteredOperationName> name;
  if (std::optional<StringRef> prefix = getOpPrefix(node.domain))
    name = RegisteredOperationName::lookup((*prefix + node.op).str(),
                                           builder.getContext());
  if (name) {
    if (failed(buildOp(node, *name, *schema, frame, scope)))
      defineUnknown(node, scope);
    return;
  }
  if (inlineSchemaFunction(node, *schema, frame, scope))
    return;
  error(node) << "expected a supported operator, got " << node.op << " of "
              << getDomainName(node.domain) << " opset " << node.version;
  defineUnknown(node, scope);
}

/// How messages write a kind of attribute.
static std::string getKindName(proto::AttributeProto::AttributeType kind) {
  return StringRef(proto::AttributeProto::AttributeType_Name(kind)).lower();
}

/// Checks how many `names` there are against the formal parameters.
static std::string checkArity(ArrayRef<std::string> names,
                              const std::vector<FormalParameter> &formals,
                              StringRef what) {
  bool variadic = !formals.empty() &&
                  formals.back().GetOption() == proto::OpSchema::Variadic;
  if (!variadic && names.size() > formals.size())
    return ("expected at most " + Twine(formals.size()) + " " + what +
            ", got " + Twine(names.size()))
        .str();
  for (auto [i, formal] : llvm::enumerate(formals)) {
    bool given = i < names.size() && !names[i].empty();
    if (formal.GetOption() == proto::OpSchema::Single && !given)
      return ("expected " + what.drop_back() + " '" + formal.GetName() +
              "', got none")
          .str();
    if (formal.GetOption() == proto::OpSchema::Variadic &&
        (int64_t)names.size() < (int64_t)i + formal.GetMinArity())
      return ("expected at least " + Twine(i + formal.GetMinArity()) + " " +
              what + ", got " + Twine(names.size()))
          .str();
  }
  return {};
}

LogicalResult GraphBuilder::checkAgainstSchema(const Node &node,
                                               const proto::OpSchema &schema) {
  std::string wrong = checkArity(node.inputs, schema.inputs(), "inputs");
  // A required result may be left unnamed, as nobody has to use it.
  if (wrong.empty() && !node.outputs.empty() && !schema.outputs().empty() &&
      schema.outputs().back().GetOption() != proto::OpSchema::Variadic &&
      node.outputs.size() > schema.outputs().size())
    wrong = ("expected at most " + Twine(schema.outputs().size()) +
             " results, got " + Twine(node.outputs.size()))
                .str();
  if (!wrong.empty())
    return error(node) << wrong;
  for (auto &[name, value] : node.attributes) {
    auto known = schema.attributes().find(name);
    if (known == schema.attributes().end())
      return error(node) << "expected an attribute of the operator, got '"
                         << name << "'";
    if (known->second.type != value->type())
      return error(node) << "expected attribute '" << name << "' to be "
                         << getKindName(known->second.type) << ", got "
                         << getKindName(value->type());
  }
  // Deterministic order: the schema keeps its attributes in a hash map.
  std::vector<StringRef> required;
  for (auto &[name, attribute] : schema.attributes())
    if (attribute.required && !node.find(name))
      required.push_back(name);
  if (required.empty())
    return success();
  return error(node) << "expected attribute '" << *llvm::min_element(required)
                     << "', got none";
}

Value GraphBuilder::getNone() {
  // One for each block, at its beginning, so that it is defined before all uses
  // there.
  Block *block = builder.getInsertionBlock();
  Value &none = nones[block];
  if (!none) {
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPointToStart(block);
    OperationState state(builder.getUnknownLoc(), "onnx.None");
    state.addTypes(builder.getNoneType());
    none = builder.create(state)->getResult(0);
  }
  return none;
}

Value GraphBuilder::createConstant(Location loc, ElementsAttr value,
                                   const proto::TensorProto *tensor) {
  OperationState state(loc, "onnx.Constant");
  state.addTypes(value.getType());
  state.addAttribute("value", value);
  Value result = builder.create(state)->getResult(0);
  proto::TypeProto type;
  auto *tensorType = type.mutable_tensor_type();
  tensorType->set_elem_type(
      (int32_t)lathe::onnx::getDataTypeOf(value.getElementType()));
  tensorType->mutable_shape();
  for (int64_t dim : value.getShapedType().getShape())
    tensorType->mutable_shape()->add_dim()->set_dim_value(dim);
  oracle.setType(result, std::move(type));
  // Only small tensors still have their bytes.
  if (tensor && isa<DenseElementsAttr>(value) &&
      tensor->data_location() != proto::TensorProto::EXTERNAL)
    oracle.setData(result, tensor);
  return result;
}

/// Turns the forms that `Constant` has beside a tensor into one.
static void makeTensor(const proto::AttributeProto &attribute,
                       proto::TensorProto &tensor) {
  using Proto = proto::AttributeProto;
  switch (attribute.type()) {
  case Proto::FLOAT:
    tensor.set_data_type(proto::TensorProto::FLOAT);
    tensor.add_float_data(attribute.f());
    break;
  case Proto::INT:
    tensor.set_data_type(proto::TensorProto::INT64);
    tensor.add_int64_data(attribute.i());
    break;
  case Proto::STRING:
    tensor.set_data_type(proto::TensorProto::STRING);
    tensor.add_string_data(attribute.s());
    break;
  case Proto::FLOATS:
    tensor.set_data_type(proto::TensorProto::FLOAT);
    tensor.add_dims(attribute.floats_size());
    *tensor.mutable_float_data() = attribute.floats();
    break;
  case Proto::INTS:
    tensor.set_data_type(proto::TensorProto::INT64);
    tensor.add_dims(attribute.ints_size());
    *tensor.mutable_int64_data() = attribute.ints();
    break;
  default:
    tensor.set_data_type(proto::TensorProto::STRING);
    tensor.add_dims(attribute.strings_size());
    *tensor.mutable_string_data() = attribute.strings();
    break;
  }
}

LogicalResult GraphBuilder::buildConstant(Node &node, Scope &scope) {
  if (node.attributes.size() != 1)
    return error(node) << "expected one attribute with a value, got "
                       << node.attributes.size();
  proto::AttributeProto &attribute = *node.attributes.front().second;
  auto emitError = [&] { return error(node); };
  FailureOr<ElementsAttr> value = failure();
  proto::TensorProto *tensor = nullptr;
  if (attribute.type() == proto::AttributeProto::SPARSE_TENSOR) {
    value = tensors.read(*attribute.mutable_sparse_tensor(), emitError);
  } else {
    if (attribute.type() == proto::AttributeProto::TENSOR) {
      tensor = attribute.mutable_t();
    } else {
      tensor = &ownTensors.emplace_back();
      makeTensor(attribute, *tensor);
    }
    value = tensors.read(*tensor, emitError);
  }
  if (failed(value))
    return failure();
  Value result = createConstant(getLoc(node), *value, tensor);
  result.getDefiningOp()->setAttr(nodeAttrName,
                                  builder.getI64IntegerAttr(node.index));
  if (!node.outputs.empty() && !node.outputs[0].empty())
    define(scope, node.outputs[0], result, emitError);
  return success();
}

LogicalResult GraphBuilder::getOperands(const Node &node, const Scope &scope,
                                        SmallVectorImpl<Value> &operands) {
  for (const std::string &name : node.inputs) {
    Value value = name.empty() ? getNone() : scope.lookup(name);
    if (!value)
      return error(node) << "expected a value that is defined before the node, "
                            "got '"
                         << name << "'";
    operands.push_back(value);
  }
  return success();
}

FailureOr<Attribute>
GraphBuilder::convertAttribute(const Node &node,
                               proto::AttributeProto &attribute) {
  using Proto = proto::AttributeProto;
  switch (attribute.type()) {
  case Proto::FLOAT:
    return Attribute(builder.getF32FloatAttr(attribute.f()));
  case Proto::INT:
    return Attribute(builder.getI64IntegerAttr(attribute.i()));
  case Proto::STRING:
    return Attribute(builder.getStringAttr(attribute.s()));
  case Proto::FLOATS:
    return Attribute(builder.getDenseF32ArrayAttr(
        ArrayRef<float>(attribute.floats().data(), attribute.floats().size())));
  case Proto::INTS:
    return Attribute(builder.getDenseI64ArrayAttr(
        ArrayRef<int64_t>(attribute.ints().data(), attribute.ints().size())));
  case Proto::STRINGS: {
    SmallVector<Attribute> strings;
    for (const std::string &string : attribute.strings())
      strings.push_back(builder.getStringAttr(string));
    return Attribute(builder.getArrayAttr(strings));
  }
  case Proto::TYPE_PROTO: {
    Type type = convertType(attribute.tp(), [&] { return error(node); });
    if (!type)
      return failure();
    return Attribute(TypeAttr::get(type));
  }
  case Proto::TENSOR: {
    auto value =
        tensors.read(*attribute.mutable_t(), [&] { return error(node); });
    if (failed(value))
      return failure();
    return Attribute(*value);
  }
  case Proto::SPARSE_TENSOR: {
    auto value = tensors.read(*attribute.mutable_sparse_tensor(),
                              [&] { return error(node); });
    if (failed(value))
      return failure();
    return Attribute(*value);
  }
  default:
    return FailureOr<Attribute>(error(node)
                                << "expected attribute '" << attribute.name()
                                << "' of a supported kind, got "
                                << getKindName(attribute.type()));
  }
}

SmallVector<Value> GraphBuilder::buildRegion(proto::GraphProto &graph,
                                             Region &region, Frame &frame,
                                             const Scope &scope) {
  OpBuilder::InsertionGuard guard(builder);
  Block *block = builder.createBlock(&region);
  Scope inner;
  inner.parent = &scope;
  Type unknown = lathe::onnx::getUninferredType(builder.getContext());
  for (const proto::ValueInfoProto &input : graph.input()) {
    Location loc = NameLoc::get(builder.getStringAttr(input.name()));
    Value argument = block->addArgument(unknown, loc);
    define(inner, input.name(), argument, [&] { return error(); });
    if (input.has_type())
      oracle.setType(argument, input.type());
  }
  importInitializers(graph, inner);
  importNodes(*graph.mutable_node(), frame, inner);
  SmallVector<Value> yields = importOutputs(graph, inner);
  OperationState yield(builder.getUnknownLoc(), "onnx.Yield");
  yield.addOperands(yields);
  builder.create(yield);
  return yields;
}

LogicalResult GraphBuilder::buildOp(Node &node, OperationName name,
                                    const proto::OpSchema &schema, Frame &frame,
                                    Scope &scope) {
  SmallVector<Value> operands;
  if (failed(getOperands(node, scope, operands)))
    return failure();
  for (auto [i, formal] : llvm::enumerate(schema.inputs()))
    if (i >= operands.size() && formal.GetOption() != proto::OpSchema::Variadic)
      operands.push_back(getNone());

  size_t numResults = node.outputs.size();
  for (auto [i, formal] : llvm::enumerate(schema.outputs()))
    if (formal.GetOption() != proto::OpSchema::Variadic)
      numResults = std::max(numResults, i + 1);

  NamedAttrList attributes;
  // Regions stand in alphabetical order.
  std::map<StringRef, proto::GraphProto *> graphs;
  ArrayRef<StringAttr> known = name.getAttributeNames();
  for (auto &[key, value] : node.attributes) {
    if (value->type() == proto::AttributeProto::GRAPH) {
      graphs[key] = value->mutable_g();
      continue;
    }
    FailureOr<Attribute> converted = convertAttribute(node, *value);
    if (failed(converted))
      return failure();
    if (llvm::is_contained(known, key)) {
      attributes.set(key, *converted);
      continue;
    }
    // An attribute that the op leaves out may still say what is the default.
    proto::AttributeProto standard = schema.attributes().at(key).default_value;
    FailureOr<Attribute> expected = failure();
    if (standard.type() == value->type())
      expected = convertAttribute(node, standard);
    if (failed(expected) || *expected != *converted)
      return error(node) << "expected no attribute '" << key
                         << "' or its default, as it is not supported, got "
                         << *converted;
  }

  OperationState state(getLoc(node), name);
  state.addOperands(operands);
  state.addTypes(SmallVector<Type>(
      numResults, lathe::onnx::getUninferredType(builder.getContext())));
  for (size_t i = 0; i < graphs.size(); ++i)
    state.addRegion();
  Operation *op = builder.create(state);
  for (NamedAttribute attribute : attributes) {
    op->setAttr(attribute.getName(), attribute.getValue());
    // An op takes only the kind of attribute that it declares.
    if (op->getAttr(attribute.getName()) != attribute.getValue())
      return error(node) << "expected another kind of attribute '"
                         << attribute.getName() << "', got "
                         << attribute.getValue();
  }
  op->setAttr(nodeAttrName, builder.getI64IntegerAttr(node.index));

  SmallVector<TypeOracle::Region> regions;
  for (auto [graph, region] : llvm::zip_equal(graphs, op->getRegions()))
    regions.push_back(
        {graph.first.str(), buildRegion(*graph.second, region, frame, scope)});

  SmallVector<Value> results(op->getResults());
  for (auto [output, result] : llvm::zip(node.outputs, results))
    if (!output.empty())
      define(scope, output, result, [&] { return error(node); });
  for (Value &operand : operands)
    if (lathe::onnx::isOmitted(operand))
      operand = nullptr;
  oracle.record(std::move(node), operands, results, std::move(regions));
  return success();
}
