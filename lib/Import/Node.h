// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A node as it was read: what adapters rewrite before it becomes an op.

#ifndef LATHE_IMPORT_NODE_H
#define LATHE_IMPORT_NODE_H

#include "mlir/Support/LLVM.h"
#include "llvm/ADT/StringRef.h"
#include <cstdint>
#include <onnx/onnx_pb.h>
#include <string>
#include <utility>

namespace lathe::importer {
namespace proto = ::onnx;

struct Node {
  /// Operator and domain; the domain `ai.onnx` is written "".
  std::string op, domain;
  /// The opset of `domain` whose form the node has.
  int64_t version = 0;
  /// The node's name for messages and locations, never empty, and its position
  /// in the model.
  std::string name;
  int64_t index = 0;
  /// Names of values; "" where omitted.
  llvm::SmallVector<std::string> inputs, outputs;
  /// Attributes by name. The protos may have other names where they came
  /// through a reference; they live as long as the import.
  llvm::SmallVector<std::pair<std::string, proto::AttributeProto *>> attributes;

  /// Which overload of a model-local function is called.
  std::string overload;

  proto::AttributeProto *find(llvm::StringRef attribute) const {
    for (auto &[key, value] : attributes)
      if (key == attribute)
        return value;
    return nullptr;
  }

  /// Removes the attribute and returns it, or null.
  proto::AttributeProto *take(llvm::StringRef attribute) {
    proto::AttributeProto *result = find(attribute);
    llvm::erase_if(attributes,
                   [&](const auto &entry) { return entry.first == attribute; });
    return result;
  }

  int64_t getInt(llvm::StringRef attribute, int64_t otherwise) const {
    proto::AttributeProto *found = find(attribute);
    return found ? found->i() : otherwise;
  }

  bool hasInput(size_t i) const {
    return i < inputs.size() && !inputs[i].empty();
  }
  bool hasOutput(size_t i) const {
    return i < outputs.size() && !outputs[i].empty();
  }
  /// Sets input `i`, with omitted ones before it where there were fewer.
  void setInput(size_t i, std::string value) {
    if (inputs.size() <= i)
      inputs.resize(i + 1);
    inputs[i] = std::move(value);
  }
};

} // namespace lathe::importer

#endif // LATHE_IMPORT_NODE_H
