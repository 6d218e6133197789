// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The function of the main graph: its arguments, results and their names.

#include "GraphBuilder.h"
#include "Schemas.h"
#include "lathe/Dialect/Lathe/IR/Lathe.h"
#include "lathe/Dialect/Onnx/IR/Onnx.h"
#include "lathe/Dialect/Onnx/IR/Tensor.h"
#include "lathe/Import/Diagnostics.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace lathe;
using namespace lathe::importer;

/// As for initializers: the bytes of a tensor must be representable.
static constexpr unsigned maxInputElementsLog2 = 56;

/// The names in `values`, for messages.
template <typename Range> static std::string listNames(const Range &values) {
  std::string list;
  for (StringRef name : values)
    list += (list.empty() ? "'" : ", '") + name.str() + "'";
  return list.empty() ? "none" : list;
}

/// The dimensions of a graph input, or null where the model gives none.
static const proto::TensorShapeProto *
getShape(const proto::ValueInfoProto &info) {
  if (!info.type().has_tensor_type() || !info.type().tensor_type().has_shape())
    return nullptr;
  return &info.type().tensor_type().shape();
}

/// The symbol of a dimension; empty where it has none. Exporters write `?` for
/// sizes that have nothing to do with each other.
static std::string getSymbol(const proto::TensorShapeProto::Dimension &dim) {
  return dim.dim_param() == "?" ? "" : dim.dim_param();
}

LogicalResult GraphBuilder::readDims(const proto::GraphProto &graph,
                                     const llvm::StringSet<> &constants) {
  SmallVector<StringRef> inputs;
  SetVector<StringRef> symbols;
  for (const proto::ValueInfoProto &info : graph.input()) {
    if (constants.contains(info.name()))
      continue;
    inputs.push_back(info.name());
    if (const proto::TensorShapeProto *shape = getShape(info))
      for (const auto &dim : shape->dim())
        if (!getSymbol(dim).empty())
          symbols.insert(dim.dim_param());
  }
  auto fix = [&](StringRef name, int64_t size) -> LogicalResult {
    auto [it, isNew] = fixedDims.try_emplace(name, size);
    if (!isNew && it->second != size)
      return error() << "expected one size of dimension '" << name << "', got "
                     << it->second << " and " << size;
    return success();
  };
  for (auto &[name, size] : options.dims) {
    if (!symbols.contains(name))
      return error() << "expected the name of a symbolic dimension ("
                     << listNames(symbols) << "), got '" << name << "'";
    if (size < 0)
      return error() << "expected a size of at least 0 for dimension '" << name
                     << "', got " << size;
    if (failed(fix(name, size)))
      return failure();
  }
  for (auto &[name, sizes] : options.shapes) {
    if (!llvm::is_contained(inputs, name))
      return error() << "expected the name of an input (" << listNames(inputs)
                     << "), got '" << name << "'";
    const proto::ValueInfoProto *info = nullptr;
    for (const proto::ValueInfoProto &input : graph.input())
      if (input.name() == name)
        info = &input;
    if ((int64_t)sizes.size() > options.limits.rank)
      return error() << "expected rank at most " << options.limits.rank
                     << " of input '" << name << "', got " << sizes.size();
    const proto::TensorShapeProto *shape = getShape(*info);
    if (!shape)
      continue;
    if (shape->dim_size() != (int)sizes.size())
      return error() << "expected a shape of rank " << shape->dim_size()
                     << " for input '" << name << "', got rank "
                     << sizes.size();
    for (auto [i, size] : llvm::enumerate(sizes)) {
      if (size == -1)
        continue;
      const auto &dim = shape->dim(i);
      if (size < 0 || (dim.has_dim_value() && dim.dim_value() >= 0 &&
                       dim.dim_value() != size))
        return error() << "expected size "
                       << (size < 0 ? "of at least 0"
                                    : std::to_string(dim.dim_value()))
                       << " of dimension " << i << " of input '" << name
                       << "', got " << size;
      if (!getSymbol(dim).empty() && failed(fix(dim.dim_param(), size)))
        return failure();
    }
  }
  return success();
}

Type GraphBuilder::convertType(const proto::TypeProto &type,
                               EmitError emitError, int depth) {
  using Proto = proto::TypeProto;
  MLIRContext *context = builder.getContext();
  auto getElement = [&](int64_t number) {
    Type element = lathe::onnx::getElementTypeOf(context, number);
    if (!element)
      emitError() << "expected an element type of ONNX, got number " << number;
    return element;
  };
  auto convert = [&](const proto::TypeProto &inner) {
    return convertType(inner, emitError, depth + 1);
  };
  // As deep as any sensible value, and no deeper: values are let go of
  // recursively.
  if (depth > 16) {
    emitError() << "expected a type of at most 16 levels, got more";
    return {};
  }
  switch (type.value_case()) {
  case Proto::kTensorType: {
    const Proto::Tensor &tensor = type.tensor_type();
    Type element = getElement(tensor.elem_type());
    if (!element)
      return {};
    if (!tensor.has_shape() || tensor.shape().dim_size() > options.limits.rank)
      return UnrankedTensorType::get(element);
    SmallVector<int64_t> sizes;
    for (const auto &dim : tensor.shape().dim())
      sizes.push_back(dim.has_dim_value() && dim.dim_value() >= 0
                          ? dim.dim_value()
                          : ShapedType::kDynamic);
    return RankedTensorType::get(sizes, element);
  }
  case Proto::kSequenceType: {
    Type element = convert(type.sequence_type().elem_type());
    return element ? lathe::onnx::SequenceType::get(context, element, -1)
                   : Type();
  }
  case Proto::kOptionalType: {
    Type element = convert(type.optional_type().elem_type());
    return element ? lathe::onnx::OptionalType::get(context, element) : Type();
  }
  case Proto::kMapType: {
    Type key = getElement(type.map_type().key_type());
    Type value = key ? convert(type.map_type().value_type()) : Type();
    return value ? lathe::onnx::MapType::get(context, key, value) : Type();
  }
  default:
    emitError() << "expected a tensor, a sequence, a map or an optional, got "
                << (type.value_case() == Proto::VALUE_NOT_SET
                        ? "no type"
                        : "another kind of value");
    return {};
  }
}

Type GraphBuilder::getValueType(const proto::ValueInfoProto &info,
                                SmallVectorImpl<Attribute> &dimNames) {
  if (!info.type().has_tensor_type())
    return convertType(info.type(), [&] {
      InFlightDiagnostic diag = error();
      diag << "input '" << info.name() << "': ";
      return diag;
    });
  const proto::TypeProto::Tensor &tensor = info.type().tensor_type();
  Type element =
      lathe::onnx::getElementTypeOf(builder.getContext(), tensor.elem_type());
  if (!element) {
    error() << "expected input '" << info.name()
            << "' to have an element type of ONNX, got number "
            << tensor.elem_type();
    return {};
  }
  const std::vector<int64_t> *given = nullptr;
  for (auto &[name, sizes] : options.shapes)
    if (name == info.name())
      given = &sizes;
  if (!tensor.has_shape() && !given)
    return UnrankedTensorType::get(element);
  int64_t rank = tensor.has_shape() ? tensor.shape().dim_size() : given->size();
  if (rank > options.limits.rank) {
    error() << "expected rank at most " << options.limits.rank << " of input '"
            << info.name() << "', got " << rank;
    return {};
  }
  SmallVector<int64_t> sizes;
  int64_t count = 1;
  for (int64_t i = 0; i < rank; ++i) {
    int64_t size = given ? (*given)[i] : -1;
    std::string name;
    if (tensor.has_shape()) {
      const auto &dim = tensor.shape().dim(i);
      // Exporters write -1 where a size is not known.
      if (dim.has_dim_value() && dim.dim_value() < -1) {
        error() << "expected dimensions of at least 0 for input '"
                << info.name() << "', got " << dim.dim_value();
        return {};
      }
      if (dim.has_dim_value() && dim.dim_value() >= 0)
        size = dim.dim_value();
      name = getSymbol(dim);
      auto fixed = fixedDims.find(name);
      if (!name.empty() && fixed != fixedDims.end())
        size = fixed->second;
    }
    if (size > 0 && (llvm::MulOverflow(count, size, count) ||
                     count >> maxInputElementsLog2 != 0)) {
      error() << "expected fewer than 2^" << maxInputElementsLog2
              << " elements of input '" << info.name() << "', got " << size
              << " in dimension " << i;
      return {};
    }
    sizes.push_back(size < 0 ? ShapedType::kDynamic : size);
    dimNames.push_back(builder.getStringAttr(size < 0 ? name : ""));
  }
  return RankedTensorType::get(sizes, element);
}

/// The type of a value as the ONNX library writes it.
static proto::TypeProto makeTypeProto(const proto::ValueInfoProto &info,
                                      Type type) {
  proto::TypeProto result = info.type();
  auto ranked = dyn_cast<RankedTensorType>(type);
  if (!ranked)
    return result;
  auto *shape = result.mutable_tensor_type()->mutable_shape();
  shape->clear_dim();
  for (int64_t size : ranked.getShape()) {
    auto *dim = shape->add_dim();
    if (!ShapedType::isDynamic(size))
      dim->set_dim_value(size);
  }
  return result;
}

SmallVector<Attribute> GraphBuilder::exposeNodes(proto::GraphProto &graph,
                                                 const Scope &scope) {
  SmallVector<Attribute> producers;
  graph.clear_output();
  for (const proto::NodeProto &node : graph.node()) {
    for (const std::string &name : node.output()) {
      Value value = name.empty() ? Value() : scope.lookup(name);
      if (!value || value.getDefiningOp<lathe::onnx::ConstantOp>())
        continue;
      graph.add_output()->set_name(name);
      producers.push_back(builder.getStringAttr(
          "node '" +
          (node.name().empty() ? getNodeName(value.getLoc())
                               : StringRef(node.name())) +
          "' (" + node.op_type() + ")"));
    }
  }
  return producers;
}

LogicalResult GraphBuilder::importModel(proto::ModelProto &model,
                                        ModuleOp module) {
  Frame frame;
  if (failed(readOpsets(model.opset_import(), frame, [&] { return error(); })))
    return failure();
  // Models of the first two versions do not say which operators they mean.
  if (model.ir_version() < 3)
    frame.opsets.try_emplace("", 1);
  for (proto::FunctionProto &function : *model.mutable_functions()) {
    StringRef domain = function.domain();
    if (domain == "ai.onnx")
      domain = "";
    std::string key =
        (domain + ":" + function.name() + ":" + function.overload()).str();
    if (!functions.try_emplace(key, &function).second)
      return error() << "expected each function to be defined once, got '"
                     << function.name() << "' of " << getDomainName(domain)
                     << " again";
  }

  proto::GraphProto &graph = *model.mutable_graph();
  llvm::StringSet<> constants;
  for (const proto::TensorProto &tensor : graph.initializer())
    constants.insert(tensor.name());
  for (const proto::SparseTensorProto &sparse : graph.sparse_initializer())
    constants.insert(sparse.values().name());
  if (failed(readDims(graph, constants)))
    return failure();

  builder.setInsertionPointToEnd(module.getBody());
  auto func = func::FuncOp::create(builder, fileLoc, "main",
                                   builder.getFunctionType({}, {}));
  Block *entry = func.addEntryBlock();
  builder.setInsertionPointToEnd(entry);

  Scope scope;
  SmallVector<Type> argumentTypes;
  SmallVector<Attribute> argumentAttrs;
  for (const proto::ValueInfoProto &info : graph.input()) {
    if (constants.contains(info.name()))
      continue;
    SmallVector<Attribute> dimNames;
    Type type = getValueType(info, dimNames);
    if (!type)
      type = lathe::onnx::getUninferredType(builder.getContext());
    Location loc = NameLoc::get(builder.getStringAttr(info.name()));
    Value argument = entry->addArgument(type, loc);
    define(scope, info.name(), argument, [&] { return error(); });
    oracle.setType(argument, makeTypeProto(info, type));
    argumentTypes.push_back(type);
    argumentAttrs.push_back(builder.getDictionaryAttr(
        {builder.getNamedAttr(nameAttrName, builder.getStringAttr(info.name())),
         builder.getNamedAttr(dimsAttrName, builder.getArrayAttr(dimNames))}));
  }
  importInitializers(graph, scope);
  importNodes(*graph.mutable_node(), frame, scope);
  SmallVector<Attribute> producers;
  if (options.intermediates)
    producers = exposeNodes(graph, scope);
  SmallVector<Value> outputs = importOutputs(graph, scope);
  func::ReturnOp::create(builder, builder.getUnknownLoc(), outputs);
  if (hasFailed)
    return failure();

  SmallVector<Attribute> resultAttrs;
  llvm::StringSet<> names;
  for (const proto::ValueInfoProto &info : graph.output()) {
    if (!names.insert(info.name()).second)
      return error() << "expected outputs with different names, got '"
                     << info.name() << "' again";
    SmallVector<NamedAttribute> attrs = {
        builder.getNamedAttr(nameAttrName, builder.getStringAttr(info.name()))};
    if (options.intermediates)
      attrs.push_back(builder.getNamedAttr(producerAttrName,
                                           producers[resultAttrs.size()]));
    resultAttrs.push_back(builder.getDictionaryAttr(attrs));
  }
  func.setType(builder.getFunctionType(
      argumentTypes, SmallVector<Type>(ValueRange(outputs).getTypes())));
  func.setAllArgAttrs(argumentAttrs);
  func.setAllResultAttrs(resultAttrs);
  return success();
}
