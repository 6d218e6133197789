// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Two kinds of changes. By protobuf's reflection: any field of any message gets
// a value that programs are known to trip over, or one from elsewhere in the
// model. By ONNX's schemas: a node of any operator is put in, with inputs that
// exist and with attributes of the kinds it has.

#include "ModelMutator.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <memory>
#include <onnx/defs/schema.h>
#include <onnx/onnx_pb.h>
#include <random>
#include <string>
#include <vector>

namespace proto = onnx;
using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

namespace {
class Mutator {
public:
  explicit Mutator(unsigned seed) : random(seed) {}

  void mutate(proto::ModelProto &model);
  void cross(proto::ModelProto &model, proto::ModelProto &other);

private:
  size_t below(size_t n) { return n ? random() % n : 0; }
  bool chance(unsigned percent) { return below(100) < percent; }
  template <typename T> const T &pick(const std::vector<T> &from) {
    return from[below(from.size())];
  }

  int64_t getInteger();
  double getFloat();
  std::string getString();
  void collect(Message &message);
  void changeField(Message &message);
  void changeValue(Message &message, const FieldDescriptor *field, int index);
  void addNode(proto::GraphProto &graph);
  void addAttribute(proto::NodeProto &node, const std::string &name,
                    proto::AttributeProto::AttributeType type);
  std::string addConstant(proto::GraphProto &graph);

  std::minstd_rand random;
  std::vector<Message *> messages;
  std::vector<std::string> strings;
};
} // namespace

int64_t Mutator::getInteger() {
  static const std::vector<int64_t> known = {0,
                                             1,
                                             -1,
                                             2,
                                             -2,
                                             3,
                                             4,
                                             5,
                                             7,
                                             8,
                                             10,
                                             16,
                                             31,
                                             32,
                                             33,
                                             63,
                                             64,
                                             127,
                                             128,
                                             255,
                                             256,
                                             -3,
                                             -128,
                                             1000,
                                             INT32_MIN,
                                             INT32_MAX,
                                             INT64_MIN,
                                             INT64_MAX,
                                             1LL << 31,
                                             1LL << 32,
                                             1LL << 40,
                                             1LL << 56,
                                             1LL << 62,
                                             -(1LL << 31),
                                             1000000000000LL,
                                             INT64_MAX - 1,
                                             INT64_MIN + 1};
  return chance(60) ? (int64_t)below(9) - 2 : pick(known);
}

double Mutator::getFloat() {
  static const std::vector<double> known = {
      0.0,
      -0.0,
      1.0,
      -1.0,
      0.5,
      2.0,
      1e-45,
      1e-38,
      3.4e38,
      1e300,
      1e9,
      -2.5e9,
      1e-10,
      0.333,
      1e19,
      std::nan(""),
      std::numeric_limits<double>::infinity(),
      -std::numeric_limits<double>::infinity()};
  return pick(known);
}

std::string Mutator::getString() {
  if (!strings.empty() && chance(80))
    return pick(strings);
  if (chance(30))
    return {};
  std::string made;
  for (size_t i = below(12); i > 0; --i)
    made += chance(70) ? (char)('a' + below(4)) : (char)below(256);
  return made;
}

/// Lists the messages within `message`, and the strings.
void Mutator::collect(Message &message) {
  messages.push_back(&message);
  const Reflection *reflection = message.GetReflection();
  std::vector<const FieldDescriptor *> fields;
  reflection->ListFields(message, &fields);
  for (const FieldDescriptor *field : fields) {
    int count =
        field->is_repeated() ? reflection->FieldSize(message, field) : 1;
    for (int i = 0; i < count; ++i) {
      if (field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE)
        collect(field->is_repeated()
                    ? *reflection->MutableRepeatedMessage(&message, field, i)
                    : *reflection->MutableMessage(&message, field));
      else if (field->cpp_type() == FieldDescriptor::CPPTYPE_STRING)
        strings.push_back(field->is_repeated()
                              ? reflection->GetRepeatedString(message, field, i)
                              : reflection->GetString(message, field));
    }
  }
}

/// Sets entry `index` of a repeated field, appends where it is -1; the value of
/// a field that is not repeated.
void Mutator::changeValue(Message &message, const FieldDescriptor *field,
                          int index) {
  const Reflection *r = message.GetReflection();
  bool repeated = field->is_repeated(), append = repeated && index < 0;
  switch (field->cpp_type()) {
#define LATHE_CHANGE(KIND, TYPE, VALUE)                                        \
  case FieldDescriptor::CPPTYPE_##KIND: {                                      \
    auto value = VALUE;                                                        \
    if (append)                                                                \
      r->Add##TYPE(&message, field, value);                                    \
    else if (repeated)                                                         \
      r->SetRepeated##TYPE(&message, field, index, value);                     \
    else                                                                       \
      r->Set##TYPE(&message, field, value);                                    \
    break;                                                                     \
  }
    LATHE_CHANGE(INT32, Int32, (int32_t)getInteger())
    LATHE_CHANGE(INT64, Int64, getInteger())
    LATHE_CHANGE(UINT32, UInt32, (uint32_t)getInteger())
    LATHE_CHANGE(UINT64, UInt64, (uint64_t)getInteger())
    LATHE_CHANGE(FLOAT, Float, (float)getFloat())
    LATHE_CHANGE(DOUBLE, Double, getFloat())
    LATHE_CHANGE(BOOL, Bool, chance(50))
    LATHE_CHANGE(STRING, String, getString())
    LATHE_CHANGE(ENUM, EnumValue, (int)below(28))
#undef LATHE_CHANGE
  case FieldDescriptor::CPPTYPE_MESSAGE: {
    // One of the same kind from elsewhere, copied first: what it replaces may
    // hold it, and another member of a oneof goes away.
    std::vector<Message *> candidates;
    for (Message *other : messages)
      if (other->GetDescriptor() == field->message_type())
        candidates.push_back(other);
    std::unique_ptr<Message> copy;
    if (!candidates.empty() && chance(80)) {
      const Message *from = pick(candidates);
      copy.reset(from->New());
      copy->CopyFrom(*from);
    }
    Message *to = append     ? r->AddMessage(&message, field)
                  : repeated ? r->MutableRepeatedMessage(&message, field, index)
                             : r->MutableMessage(&message, field);
    if (copy)
      to->CopyFrom(*copy);
    break;
  }
  }
}

void Mutator::changeField(Message &message) {
  const Descriptor *type = message.GetDescriptor();
  const Reflection *r = message.GetReflection();
  if (type->field_count() == 0)
    return;
  const FieldDescriptor *field;
  std::vector<const FieldDescriptor *> present;
  r->ListFields(message, &present);
  // What is there matters more than what might be.
  if (!present.empty() && chance(75))
    field = pick(present);
  else
    field = type->field((int)below(type->field_count()));
  if (!field->is_repeated()) {
    if (r->HasField(message, field) && chance(15))
      r->ClearField(&message, field);
    else
      changeValue(message, field, 0);
    return;
  }
  int count = r->FieldSize(message, field);
  switch (count == 0 ? 0 : below(5)) {
  case 0:
    return changeValue(message, field, -1);
  case 1:
    r->SwapElements(&message, field, (int)below(count), count - 1);
    return r->RemoveLast(&message, field);
  case 2:
    return r->SwapElements(&message, field, (int)below(count),
                           (int)below(count));
  default:
    return changeValue(message, field, (int)below(count));
  }
}

//===----------------------------------------------------------------------===//
// Nodes
//===----------------------------------------------------------------------===//

std::string Mutator::addConstant(proto::GraphProto &graph) {
  proto::TensorProto &tensor = *graph.add_initializer();
  tensor.set_name("fuzz" + std::to_string(random()));
  int64_t count = (int64_t)below(4);
  if (chance(85))
    tensor.add_dims(count);
  else
    count = 1;
  if (chance(75)) {
    tensor.set_data_type(proto::TensorProto::INT64);
    for (int64_t i = 0; i < count; ++i)
      tensor.add_int64_data(getInteger());
  } else {
    tensor.set_data_type(proto::TensorProto::FLOAT);
    for (int64_t i = 0; i < count; ++i)
      tensor.add_float_data((float)getFloat());
  }
  return tensor.name();
}

void Mutator::addAttribute(proto::NodeProto &node, const std::string &name,
                           proto::AttributeProto::AttributeType type) {
  using Proto = proto::AttributeProto;
  Proto &attribute = *node.add_attribute();
  attribute.set_name(name);
  attribute.set_type(type);
  size_t count = below(6);
  switch (type) {
  case Proto::FLOAT:
    return attribute.set_f((float)getFloat());
  case Proto::INT:
    return attribute.set_i(getInteger());
  case Proto::STRING: {
    static const std::vector<std::string> known = {
        "NOTSET",     "SAME_UPPER", "SAME_LOWER", "VALID",   "constant",
        "reflect",    "edge",       "wrap",       "linear",  "nearest",
        "cubic",      "tanh",       "none",       "forward", "bidirectional",
        "reverse",    "ij,jk->ik",  "...i->...",  "ii",      "i,->",
        "half_pixel", "asymmetric", "DCR",        "CRD",     "align_corners"};
    return attribute.set_s(chance(80) ? pick(known) : getString());
  }
  case Proto::FLOATS:
    for (; count > 0; --count)
      attribute.add_floats((float)getFloat());
    return;
  case Proto::INTS:
    for (; count > 0; --count)
      attribute.add_ints(getInteger());
    return;
  case Proto::STRINGS:
    for (; count > 0; --count)
      attribute.add_strings(getString());
    return;
  case Proto::TENSOR: {
    proto::GraphProto graph;
    addConstant(graph);
    *attribute.mutable_t() = graph.initializer(0);
    return;
  }
  case Proto::GRAPH: {
    proto::GraphProto &graph = *attribute.mutable_g();
    graph.set_name(name);
    for (size_t i = below(3); i > 0; --i)
      graph.add_input()->set_name("in" + std::to_string(i) + name);
    addNode(graph);
    return;
  }
  default:
    return;
  }
}

void Mutator::addNode(proto::GraphProto &graph) {
  static const std::vector<proto::OpSchema> schemas = [] {
    std::vector<proto::OpSchema> all =
        proto::OpSchemaRegistry::get_all_schemas_with_history();
    // Only those that our opsets mean: a sorted list of the newest.
    std::map<std::string, proto::OpSchema> newest;
    for (const proto::OpSchema &schema : all) {
      std::string key = schema.domain() + ":" + schema.Name();
      auto found = newest.find(key);
      if (found == newest.end())
        newest.emplace(key, schema);
      else if (found->second.since_version() < schema.since_version())
        found->second = schema;
    }
    std::vector<proto::OpSchema> list;
    for (auto &[key, schema] : newest)
      if (schema.domain().empty() || schema.domain() == "ai.onnx.ml")
        list.push_back(schema);
    return list;
  }();
  const proto::OpSchema &schema = pick(schemas);

  std::vector<std::string> values;
  for (const proto::ValueInfoProto &input : graph.input())
    values.push_back(input.name());
  for (const proto::TensorProto &tensor : graph.initializer())
    values.push_back(tensor.name());
  for (const proto::NodeProto &node : graph.node())
    values.insert(values.end(), node.output().begin(), node.output().end());
  proto::NodeProto node;
  node.set_op_type(schema.Name());
  node.set_domain(schema.domain());
  size_t inputs = schema.min_input(), more = schema.max_input() - inputs;
  inputs += below(std::min<size_t>(more, 4) + 1);
  for (size_t i = 0; i < inputs; ++i) {
    if (i >= (size_t)schema.min_input() && chance(25))
      node.add_input("");
    else if (values.empty() || chance(35))
      node.add_input(addConstant(graph));
    else
      node.add_input(pick(values));
  }
  size_t outputs = std::max(schema.min_output(), 1);
  outputs += below(std::min<size_t>(schema.max_output() - outputs, 2) + 1);
  for (size_t i = 0; i < outputs; ++i)
    node.add_output("out" + std::to_string(random()));
  for (auto &[name, attribute] : schema.attributes())
    if (attribute.required ? chance(95) : chance(40))
      addAttribute(node, name, attribute.type);
  // Where all its inputs are defined already.
  *graph.add_node() = node;
  graph.add_output()->set_name(node.output(0));
}

void Mutator::mutate(proto::ModelProto &model) {
  if (model.opset_import_size() < 2 && chance(10)) {
    auto *ml = model.add_opset_import();
    ml->set_domain("ai.onnx.ml");
    ml->set_version(5);
  }
  for (size_t count = 1 + below(3); count > 0; --count) {
    messages.clear();
    strings.clear();
    collect(model);
    if (chance(25)) {
      std::vector<proto::GraphProto *> graphs;
      for (Message *message : messages)
        if (message->GetDescriptor() == proto::GraphProto::descriptor())
          graphs.push_back(static_cast<proto::GraphProto *>(message));
      if (!graphs.empty()) {
        addNode(*pick(graphs));
        continue;
      }
    }
    changeField(*pick(messages));
  }
}

void Mutator::cross(proto::ModelProto &model, proto::ModelProto &other) {
  collect(other);
  std::vector<Message *> parts = std::move(messages);
  messages.clear();
  collect(model);
  for (int tries = 0; tries < 20; ++tries) {
    Message *from = pick(parts), *to = pick(messages);
    if (to == &model || from->GetDescriptor() != to->GetDescriptor())
      continue;
    to->CopyFrom(*from);
    break;
  }
  // Nodes in a row: what they compute may now feed each other.
  if (chance(50) && other.graph().node_size() > 0)
    *model.mutable_graph()->add_node() =
        other.graph().node((int)below(other.graph().node_size()));
}

static bool parse(const uint8_t *data, size_t size, proto::ModelProto &model) {
  return size <= INT_MAX && model.ParseFromArray(data, (int)size);
}

static size_t write(const proto::ModelProto &model, uint8_t *out,
                    size_t maxSize) {
  size_t size = model.ByteSizeLong();
  if (size > maxSize || size > INT_MAX ||
      !model.SerializeToArray(out, (int)size))
    return 0;
  return size;
}

size_t lathe::fuzz::mutateModel(uint8_t *data, size_t size, size_t maxSize,
                                unsigned seed) {
  proto::ModelProto model;
  if (!parse(data, size, model))
    return 0;
  Mutator(seed).mutate(model);
  return write(model, data, maxSize);
}

size_t lathe::fuzz::crossModels(const uint8_t *first, size_t firstSize,
                                const uint8_t *second, size_t secondSize,
                                uint8_t *out, size_t maxSize, unsigned seed) {
  proto::ModelProto model, other;
  if (!parse(first, firstSize, model) || !parse(second, secondSize, other))
    return 0;
  Mutator(seed).cross(model, other);
  return write(model, out, maxSize);
}
