// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "AdapterRegistry.h"

#include "llvm/ADT/STLExtras.h"

using namespace llvm;
using namespace lathe::importer;

AdapterRegistry::AdapterRegistry() {
  registerControlAdapters(*this);
  registerMathAdapters(*this);
  registerMlAdapters(*this);
  registerNnAdapters(*this);
  registerRecurrentAdapters(*this);
  registerReduceAdapters(*this);
  registerResizeAdapters(*this);
  registerTensorAdapters(*this);
}

void AdapterRegistry::add(ArrayRef<StringRef> ops, int64_t below,
                          Adapter adapter, StringRef domain) {
  for (StringRef op : ops) {
    auto &steps = entries[(domain + ":" + op).str()];
    auto place = llvm::find_if(
        steps, [&](const Entry &entry) { return entry.below > below; });
    steps.insert(place, {below, adapter});
  }
}

const AdapterRegistry::Entry *AdapterRegistry::find(const Node &node) const {
  auto found = entries.find(node.domain + ":" + node.op);
  if (found == entries.end())
    return nullptr;
  for (const Entry &entry : found->second)
    if (node.version < entry.below)
      return &entry;
  return nullptr;
}

proto::AttributeProto *AdapterContext::intAttr(StringRef name, int64_t value) {
  proto::AttributeProto *result = newAttribute(name);
  result->set_type(proto::AttributeProto::INT);
  result->set_i(value);
  return result;
}

proto::AttributeProto *AdapterContext::intsAttr(StringRef name,
                                                ArrayRef<int64_t> values) {
  proto::AttributeProto *result = newAttribute(name);
  result->set_type(proto::AttributeProto::INTS);
  for (int64_t value : values)
    result->add_ints(value);
  return result;
}

proto::AttributeProto *AdapterContext::floatAttr(StringRef name, float value) {
  proto::AttributeProto *result = newAttribute(name);
  result->set_type(proto::AttributeProto::FLOAT);
  result->set_f(value);
  return result;
}

proto::AttributeProto *AdapterContext::stringAttr(StringRef name,
                                                  StringRef value) {
  proto::AttributeProto *result = newAttribute(name);
  result->set_type(proto::AttributeProto::STRING);
  result->set_s(value.str());
  return result;
}

proto::AttributeProto *
AdapterContext::stringsAttr(StringRef name, ArrayRef<std::string> values) {
  proto::AttributeProto *result = newAttribute(name);
  result->set_type(proto::AttributeProto::STRINGS);
  for (const std::string &value : values)
    result->add_strings(value);
  return result;
}

void AdapterContext::set(Node &node, proto::AttributeProto *attribute) {
  node.take(attribute->name());
  node.attributes.push_back({attribute->name(), attribute});
}

std::string AdapterContext::constantInts(ArrayRef<int64_t> values) {
  return emit("Constant", {}, intsAttr("value_ints", values));
}

std::string AdapterContext::constantInt(int64_t value) {
  return emit("Constant", {}, intAttr("value_int", value));
}

std::string AdapterContext::constantFloats(ArrayRef<float> values) {
  proto::AttributeProto *attr = newAttribute("value_floats");
  attr->set_type(proto::AttributeProto::FLOATS);
  for (float value : values)
    attr->add_floats(value);
  return emit("Constant", {}, attr);
}

std::string AdapterContext::constantBool(bool value) {
  proto::AttributeProto *attr = newAttribute("value");
  attr->set_type(proto::AttributeProto::TENSOR);
  attr->mutable_t()->set_data_type(proto::TensorProto::BOOL);
  attr->mutable_t()->add_int32_data(value);
  return emit("Constant", {}, attr);
}

std::string AdapterContext::constantLike(float value, StringRef like) {
  int32_t type = getElementType(like);
  if (type == proto::TensorProto::DOUBLE) {
    proto::AttributeProto *attr = newAttribute("value");
    attr->set_type(proto::AttributeProto::TENSOR);
    attr->mutable_t()->set_data_type(proto::TensorProto::DOUBLE);
    attr->mutable_t()->add_double_data(value);
    return emit("Constant", {}, attr);
  }
  std::string constant = emit("Constant", {}, floatAttr("value_float", value));
  if (type == proto::TensorProto::FLOAT)
    return constant;
  if (type)
    return emit("Cast", constant, intAttr("to", type));
  return emit("CastLike", {constant, like.str()});
}

void AdapterContext::intsToInput(Node &node, StringRef attribute, size_t i) {
  if (proto::AttributeProto *attr = node.take(attribute))
    node.setInput(i, constantInts(ArrayRef<int64_t>(attr->ints().data(),
                                                    attr->ints().size())));
}

/// The tensor type within `type`, or null.
static const proto::TypeProto::Tensor *getTensor(const proto::TypeProto *type) {
  return type && type->has_tensor_type() ? &type->tensor_type() : nullptr;
}

std::optional<int64_t> AdapterContext::getRank(StringRef value) {
  const proto::TypeProto::Tensor *tensor = getTensor(getType(value));
  if (!tensor || !tensor->has_shape())
    return std::nullopt;
  return tensor->shape().dim_size();
}

int32_t AdapterContext::getElementType(StringRef value) {
  const proto::TypeProto::Tensor *tensor = getTensor(getType(value));
  return tensor ? tensor->elem_type() : 0;
}
