// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Older forms of control flow.

#include "../AdapterRegistry.h"

using namespace llvm;
using namespace lathe::importer;
using mlir::LogicalResult;
using mlir::success;

/// A name in the graph that an adapter builds around `graph`'s.
static std::string wrapped(const std::string &name) { return "batch/" + name; }

/// Opset 8 scanned each element of a batch (dimension 0) along dimension 1.
/// That is a scan of today's form over the batch, without states, whose body is
/// a scan over the sequence:
///
///   Scan-8(states, inputs) = Scan(states, inputs) {
///     body(state, input) = Scan(state, input) { the old body }
///   }
static LogicalResult scanBatches(Node &node, AdapterContext &context) {
  if (node.hasInput(0))
    return context.error()
           << "expected Scan of opset 8 without sequence_lens, got one";
  proto::AttributeProto *body = node.find("body");
  int64_t scans = node.getInt("num_scan_inputs", 0);
  if (node.inputs.empty() || !body || !body->has_g())
    return context.error() << "expected a body and inputs, got none";
  node.inputs.erase(node.inputs.begin());
  proto::GraphProto &inner = *body->mutable_g();
  if (scans < 1 || scans > (int64_t)node.inputs.size() ||
      inner.input_size() != (int)node.inputs.size() ||
      inner.output_size() != (int)node.outputs.size())
    return context.error() << "expected num_scan_inputs in [1, "
                           << node.inputs.size()
                           << "] and a body with as many inputs and results as "
                              "the node, got "
                           << scans << ", " << inner.input_size() << " and "
                           << inner.output_size();
  for (const std::string &input : node.inputs)
    if (input.empty())
      return context.error() << "expected all inputs, got an omitted one";

  int64_t states = node.inputs.size() - scans;
  proto::AttributeProto *outerBody = context.newAttribute("body");
  outerBody->set_type(proto::AttributeProto::GRAPH);
  proto::GraphProto &outer = *outerBody->mutable_g();
  proto::NodeProto &scan = *outer.add_node();
  scan.set_op_type("Scan");
  context.hasNewForm(scan);
  for (auto [i, input] : llvm::enumerate(inner.input())) {
    std::string name = wrapped(std::to_string(i) + "/" + input.name());
    proto::ValueInfoProto &formal = *outer.add_input();
    formal.set_name(name);
    // The sequence is one more dimension of what is scanned.
    *formal.mutable_type() = input.type();
    if ((int64_t)i >= states && formal.type().has_tensor_type())
      formal.mutable_type()->mutable_tensor_type()->clear_shape();
    scan.add_input(name);
  }
  for (auto [i, output] : llvm::enumerate(inner.output())) {
    std::string name = wrapped("out" + std::to_string(i) + "/" + output.name());
    outer.add_output()->set_name(name);
    scan.add_output(name);
  }
  scan.add_attribute()->CopyFrom(*context.intAttr("num_scan_inputs", scans));
  if (proto::AttributeProto *directions = node.take("directions"))
    scan.add_attribute()->CopyFrom(*context.intsAttr(
        "scan_input_directions", ArrayRef<int64_t>(directions->ints().data(),
                                                   directions->ints().size())));
  scan.add_attribute()->CopyFrom(*body);
  scan.mutable_attribute(scan.attribute_size() - 1)->set_name("body");
  context.set(node, outerBody);
  context.set(node, context.intAttr("num_scan_inputs", node.inputs.size()));
  return success();
}

void lathe::importer::registerControlAdapters(AdapterRegistry &registry) {
  registry.add({"Scan"}, 9, scanBatches);
}
