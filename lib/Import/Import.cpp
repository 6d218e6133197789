// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Reading bytes. The model as a whole is checked here and while it is built,
// not by ONNX's checker: that names no node in its messages, wants all weights
// in memory, and walks function calls itself.

#include "lathe/Import/Import.h"

#include "GraphBuilder.h"
#include "lathe/Dialect/Lathe/IR/Lathe.h"
#include "lathe/Dialect/Onnx/IR/Onnx.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Verifier.h"
#include "llvm/Support/Endian.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"
#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/stubs/logging.h>
#include <onnx/defs/parser.h>

using namespace mlir;
using namespace lathe;
using namespace lathe::importer;

/// Messages within messages: a sub-graph takes three, so this allows about
/// thirty sub-graphs within each other.
static constexpr int maxNesting = 100;

static LogicalResult parseBinary(ArrayRef<char> bytes, proto::ModelProto &model,
                                 Location loc) {
  if (bytes.size() > INT_MAX)
    return emitError(loc) << "expected a model of at most 2 GiB (larger ones "
                             "keep their weights in external data), got "
                          << bytes.size() << " bytes";
  google::protobuf::LogSilencer silencer;
  google::protobuf::io::CodedInputStream stream(
      reinterpret_cast<const uint8_t *>(bytes.data()), (int)bytes.size());
  stream.SetRecursionLimit(maxNesting);
  if (!model.ParseFromCodedStream(&stream) || !stream.ConsumedEntireMessage())
    return emitError(loc)
           << "expected a serialized ONNX model, got bytes that are none";
  return success();
}

static LogicalResult parseText(ArrayRef<char> bytes, proto::ModelProto &model,
                               Location loc) {
  std::string message;
  try {
    proto::Common::Status status = proto::OnnxParser::Parse(
        model, std::string_view(bytes.data(), bytes.size()));
    if (status.IsOK())
      return success();
    message = status.ErrorMessage();
  } catch (const std::exception &exception) {
    message = exception.what();
  }
  llvm::replace(message, '\n', ' ');
  return emitError(loc) << "expected ONNX's text syntax, got: "
                        << StringRef(message).rtrim();
}

static StringRef getDomain(const std::string &domain) {
  return domain.empty() ? StringRef("ai.onnx") : StringRef(domain);
}

template <typename Nodes>
static void countNodes(const Nodes &nodes, ModelSummary &summary) {
  for (const proto::NodeProto &node : nodes) {
    ++summary.operators[{getDomain(node.domain()).str(), node.op_type()}];
    for (const proto::AttributeProto &attribute : node.attribute()) {
      if (attribute.has_g())
        countNodes(attribute.g().node(), summary);
      for (const proto::GraphProto &graph : attribute.graphs())
        countNodes(graph.node(), summary);
    }
  }
}

static void addMetadata(const proto::ModelProto &model, ModelSummary &summary) {
  auto add = [&](StringRef key, const std::string &value) {
    if (!value.empty())
      summary.metadata.emplace_back(key.str(), value);
  };
  add("producer_name", model.producer_name());
  add("producer_version", model.producer_version());
  add("domain", model.domain());
  if (model.model_version())
    add("model_version", std::to_string(model.model_version()));
  add("doc_string", model.doc_string());
  add("graph_name", model.graph().name());
  for (const proto::StringStringEntryProto &entry : model.metadata_props())
    add("metadata." + entry.key(), entry.value());
}

static void summarize(const proto::ModelProto &model, ModelSummary &summary) {
  addMetadata(model, summary);
  summary.irVersion = model.ir_version();
  summary.producer = model.producer_name();
  if (!model.producer_version().empty())
    summary.producer += " " + model.producer_version();
  for (const proto::OperatorSetIdProto &opset : model.opset_import())
    summary.opsets[getDomain(opset.domain()).str()] = opset.version();
  countNodes(model.graph().node(), summary);
  for (const proto::FunctionProto &function : model.functions())
    countNodes(function.node(), summary);
}

static OwningOpRef<ModuleOp> importBytes(ArrayRef<char> bytes, bool isText,
                                         MLIRContext *context,
                                         const ImportOptions &options,
                                         StringRef fileName,
                                         std::string baseDirectory) {
  context->loadDialect<func::FuncDialect, LatheDialect,
                       lathe::onnx::OnnxDialect>();
  Location loc = FileLineColLoc::get(context, fileName, 0, 0);
  if (llvm::endianness::native != llvm::endianness::little) {
    emitError(loc) << "expected a little-endian host, got another";
    return nullptr;
  }
  proto::ModelProto model;
  if (failed(isText ? parseText(bytes, model, loc)
                    : parseBinary(bytes, model, loc)))
    return nullptr;
  if (!model.has_graph() || model.ir_version() < 1) {
    emitError(loc) << "expected a model with an IR version and a graph, got "
                   << (model.has_graph() ? "no version" : "no graph");
    return nullptr;
  }
  if (options.summary)
    summarize(model, *options.summary);
  OwningOpRef<ModuleOp> module = ModuleOp::create(loc);
  GraphBuilder builder(context, options, std::move(baseDirectory), loc);
  if (failed(builder.importModel(model, *module)) || failed(verify(*module)))
    return nullptr;
  if (options.summary)
    options.summary->externalFiles = builder.getExternalFiles();
  return module;
}

std::string lathe::getBaseDirectory(StringRef path) {
  std::string base = llvm::sys::path::parent_path(path).str();
  return base.empty() ? "." : base;
}

OwningOpRef<ModuleOp> lathe::importModel(StringRef path, MLIRContext *context,
                                         const ImportOptions &options) {
  StringRef name =
      options.fileName.empty() ? path : StringRef(options.fileName);
  auto buffer = llvm::MemoryBuffer::getFile(path, /*IsText=*/false,
                                            /*RequiresNullTerminator=*/false);
  if (!buffer) {
    emitError(FileLineColLoc::get(context, name, 0, 0))
        << "expected a file that can be read, got: "
        << buffer.getError().message();
    return nullptr;
  }
  std::string base = options.baseDirectory;
  if (base.empty())
    base = getBaseDirectory(path);
  return importBytes((*buffer)->getBuffer(), path.ends_with(".onnxtxt"),
                     context, options, name, std::move(base));
}

OwningOpRef<ModuleOp>
lathe::importModelFromBytes(ArrayRef<char> bytes, MLIRContext *context,
                            const ImportOptions &options) {
  StringRef name = options.fileName.empty() ? StringRef("<memory>")
                                            : StringRef(options.fileName);
  return importBytes(bytes, /*isText=*/false, context, options, name,
                     options.baseDirectory);
}
