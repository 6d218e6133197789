// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Builds ops from nodes: graphs, sub-graphs and function bodies.

#ifndef LATHE_IMPORT_GRAPHBUILDER_H
#define LATHE_IMPORT_GRAPHBUILDER_H

#include "AdapterRegistry.h"
#include "Schemas.h"
#include "TensorReader.h"
#include "TypeOracle.h"
#include "lathe/Import/Import.h"
#include "mlir/IR/Builders.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/ADT/StringSet.h"
#include <deque>
#include <optional>

namespace lathe::importer {

/// The values that nodes of one graph can name; a sub-graph's scope has that of
/// the graph around it as parent, and its own names hide those of the parent.
struct Scope {
  const Scope *parent = nullptr;
  llvm::StringMap<mlir::Value> values;

  mlir::Value lookup(llvm::StringRef name) const;
};

/// What nodes of one body share: that of the model or of a function.
struct Frame {
  /// Opsets by domain.
  llvm::StringMap<int64_t> opsets;
  /// In a function: the attributes of the call, which its nodes may refer to.
  llvm::StringMap<proto::AttributeProto *> attributes;
  /// In a function: the name and the index of the node that calls it.
  std::string prefix;
  std::optional<int64_t> index;
  int64_t depth = 0;
};

class GraphBuilder {
public:
  GraphBuilder(mlir::MLIRContext *context, const ImportOptions &options,
               std::string baseDirectory, mlir::Location fileLoc)
      : options(options), builder(context), fileLoc(fileLoc),
        tensors(context, options.limits, std::move(baseDirectory)),
        schemas(context), oracle(schemas) {}

  /// Reads the model's main graph into the body of a new function `main`.
  mlir::LogicalResult importModel(proto::ModelProto &model,
                                  mlir::ModuleOp module);

  /// The files of external data that were read, sorted by name.
  std::vector<std::string> getExternalFiles() const {
    return tensors.getExternalFiles();
  }

private:
  class NodeAdapterContext;

  // GraphBuilder.cpp: graphs and nodes as read.
  mlir::LogicalResult readOpsets(
      const google::protobuf::RepeatedPtrField<proto::OperatorSetIdProto> &ids,
      Frame &frame, llvm::function_ref<mlir::InFlightDiagnostic()> emitError);
  void importInitializers(proto::GraphProto &graph, Scope &scope);
  void importNodes(google::protobuf::RepeatedPtrField<proto::NodeProto> &nodes,
                   Frame &frame, Scope &scope);
  llvm::SmallVector<mlir::Value> importOutputs(const proto::GraphProto &graph,
                                               const Scope &scope);
  void importNode(proto::NodeProto &read, int64_t position, Frame &frame,
                  Scope &scope);
  mlir::LogicalResult readAttributes(proto::NodeProto &read, Node &node,
                                     const Frame &frame);
  /// Takes the node to its newest form and builds it.
  void process(Node node, Frame &frame, Scope &scope);
  void define(Scope &scope, llvm::StringRef name, mlir::Value value,
              EmitError emitError);
  /// Defines the results of a node that cannot be built, so that what uses them
  /// is not reported too.
  void defineUnknown(const Node &node, Scope &scope);

  // Signature.cpp: the function and its arguments.
  mlir::LogicalResult readDims(const proto::GraphProto &graph,
                               const llvm::StringSet<> &constants);
  /// Makes every value that a node computes an output; returns what makes each.
  llvm::SmallVector<mlir::Attribute> exposeNodes(proto::GraphProto &graph,
                                                 const Scope &scope);
  mlir::Type getValueType(const proto::ValueInfoProto &info,
                          llvm::SmallVectorImpl<mlir::Attribute> &dimNames);
  /// Any type, of a value or of what it holds; null with an error where it is
  /// none of ONNX's.
  mlir::Type convertType(const proto::TypeProto &type, EmitError emitError,
                         int depth = 0);

  // NodeBuilder.cpp: nodes in their newest form.
  void build(Node &node, Frame &frame, Scope &scope);
  mlir::LogicalResult checkAgainstSchema(const Node &node,
                                         const proto::OpSchema &schema);
  mlir::LogicalResult buildConstant(Node &node, Scope &scope);
  mlir::LogicalResult buildOp(Node &node, mlir::OperationName name,
                              const proto::OpSchema &schema, Frame &frame,
                              Scope &scope);
  mlir::LogicalResult getOperands(const Node &node, const Scope &scope,
                                  llvm::SmallVectorImpl<mlir::Value> &operands);
  mlir::FailureOr<mlir::Attribute>
  convertAttribute(const Node &node, proto::AttributeProto &attribute);
  llvm::SmallVector<mlir::Value> buildRegion(proto::GraphProto &graph,
                                             mlir::Region &region, Frame &frame,
                                             const Scope &scope);
  mlir::Value createConstant(mlir::Location loc, mlir::ElementsAttr value,
                             const proto::TensorProto *tensor);
  mlir::Value getNone();

  // FunctionInliner.cpp
  bool inlineSchemaFunction(const Node &node, const proto::OpSchema &schema,
                            Frame &frame, Scope &scope);
  void inlineFunction(const Node &node, proto::FunctionProto &function,
                      const proto::OpSchema *schema, const Frame &frame,
                      Scope &scope);

  mlir::Location getLoc(const Node &node);
  /// An error at the node, which counts.
  mlir::InFlightDiagnostic error(const Node &node);
  /// An error at the model.
  mlir::InFlightDiagnostic error();

  const ImportOptions &options;
  mlir::OpBuilder builder;
  mlir::Location fileLoc;
  TensorReader tensors;
  AdapterRegistry adapters;
  Schemas schemas;
  TypeOracle oracle;

  /// Model-local functions by domain, name and overload.
  llvm::StringMap<proto::FunctionProto *> functions;
  /// Protos made here; what they own lives as long as the import.
  std::deque<proto::FunctionProto> ownFunctions;
  std::deque<proto::AttributeProto> ownAttributes;
  std::deque<proto::TensorProto> ownTensors;
  llvm::StringMap<proto::FunctionProto *> schemaFunctions;
  llvm::DenseMap<const proto::NodeProto *, int64_t> newForms;
  /// Sizes of symbolic dimensions that the options fix.
  llvm::StringMap<int64_t> fixedDims;

  mlir::DenseMap<mlir::Block *, mlir::Value> nones;
  int64_t nextIndex = 0, numNodes = 0, numFresh = 0;
  bool hasFailed = false;
};

} // namespace lathe::importer

#endif // LATHE_IMPORT_GRAPHBUILDER_H
