// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "TypeOracle.h"

#include "Schemas.h"
#include <onnx/defs/schema.h>
#include <onnx/defs/shape_inference.h>

using namespace mlir;
using namespace lathe::importer;

namespace {
/// Answers for a sub-graph: its body is inferred before the node it belongs to.
class RegionInferencer : public proto::GraphInferencer {
public:
  explicit RegionInferencer(std::vector<const proto::TypeProto *> types)
      : types(std::move(types)) {}
  std::vector<const proto::TypeProto *>
  doInferencing(const std::vector<const proto::TypeProto *> &,
                const std::vector<const proto::TensorProto *> &) override {
    return types;
  }

private:
  std::vector<const proto::TypeProto *> types;
};
} // namespace

namespace lathe::importer {
/// The view on one node that an inference function of the ONNX library gets.
class OracleContext : public proto::InferenceContext {
public:
  OracleContext(const TypeOracle &oracle, const TypeOracle::Pending &pending,
                const proto::OpSchema &schema)
      : oracle(oracle), pending(pending), schema(schema),
        outputs(pending.results.size()) {}

  const proto::AttributeProto *
  getAttribute(const std::string &name) const override {
    return pending.node.find(name);
  }
  size_t getNumInputs() const override { return pending.operands.size(); }
  const proto::TypeProto *getInputType(size_t i) const override {
    Value operand = getOperand(i);
    const proto::TypeProto *type = operand ? oracle.find(operand) : nullptr;
    // Rules take it for granted that an input that must be there has a type.
    bool isOptional =
        i >= schema.inputs().size() ||
        schema.inputs()[i].GetOption() == proto::OpSchema::Optional;
    return type || (!operand && isOptional) ? type : &unknown;
  }
  bool hasInput(size_t i) const override { return (bool)getOperand(i); }
  const proto::TensorProto *getInputData(size_t i) const override {
    Value operand = getOperand(i);
    return operand ? oracle.getData(operand) : nullptr;
  }
  size_t getNumOutputs() const override { return outputs.size(); }
  proto::TypeProto *getOutputType(size_t i) override {
    // Rules look at results of a sub-graph that the node has no result for.
    return i < outputs.size() ? &outputs[i] : &noOutput;
  }
  proto::GraphInferencer *
  getGraphAttributeInferencer(const std::string &name) override {
    for (const TypeOracle::Region &region : pending.regions) {
      if (region.attribute != name)
        continue;
      std::vector<const proto::TypeProto *> types;
      for (Value value : region.yields) {
        const proto::TypeProto *type = oracle.find(value);
        types.push_back(type ? type : &unknown);
      }
      inferencers.push_back(
          std::make_unique<RegionInferencer>(std::move(types)));
      return inferencers.back().get();
    }
    return nullptr;
  }
  const proto::SparseTensorProto *getInputSparseData(size_t) const override {
    return nullptr;
  }
  const proto::TensorShapeProto *getSymbolicInput(size_t) const override {
    return nullptr;
  }
  std::string getDisplayName() const override { return pending.node.name; }

private:
  Value getOperand(size_t i) const {
    return i < pending.operands.size() ? pending.operands[i] : Value();
  }

  const TypeOracle &oracle;
  const TypeOracle::Pending &pending;
  const proto::OpSchema &schema;
  std::vector<proto::TypeProto> outputs;
  proto::TypeProto unknown, noOutput;
  std::vector<std::unique_ptr<proto::GraphInferencer>> inferencers;
};
} // namespace lathe::importer

void TypeOracle::record(Node node, ArrayRef<Value> operands,
                        ArrayRef<Value> results, SmallVector<Region> regions) {
  queue.push_back({std::move(node), SmallVector<Value>(operands),
                   SmallVector<Value>(results), std::move(regions)});
}

void TypeOracle::setType(Value value, proto::TypeProto type) {
  types[value] = std::make_unique<proto::TypeProto>(std::move(type));
}

void TypeOracle::setData(Value value, const proto::TensorProto *tensor) {
  data[value] = tensor;
}

const proto::TypeProto *TypeOracle::find(Value value) const {
  auto found = types.find(value);
  return found == types.end() ? nullptr : found->second.get();
}

const proto::TypeProto *TypeOracle::getType(Value value) {
  while (!queue.empty()) {
    infer(queue.front());
    queue.pop_front();
  }
  return find(value);
}

void TypeOracle::infer(Pending &pending) {
  const proto::OpSchema *schema =
      schemas.getNewest(pending.node.op, pending.node.domain);
  if (!schema || !schema->has_type_and_shape_inference_function())
    return;
  OracleContext context(*this, pending, *schema);
  // The model may be wrong in ways that the dialect's own inference reports;
  // here a contradiction only means that nothing is known.
  try {
    schema->GetTypeAndShapeInferenceFunction()(context);
  } catch (const std::exception &) {
  }
  for (auto [i, result] : llvm::enumerate(pending.results))
    if (context.getOutputType(i)->value_case() !=
        proto::TypeProto::VALUE_NOT_SET)
      setType(result, *context.getOutputType(i));
}
