// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Schemas.h"

#include "lathe/Dialect/Onnx/IR/Onnx.h"

using namespace llvm;
using namespace lathe::importer;
using lathe::onnx::OperatorSchema;
using Arity = OperatorSchema::Arity;
using AttributeType = OperatorSchema::AttributeType;

const proto::OpSchema *Schemas::getNewest(StringRef op, StringRef domain) {
  std::string name = op.str(), domainName = domain.str();
  const proto::OpSchema *schema =
      proto::OpSchemaRegistry::Schema(name, domainName);
  while (schema && schema->Deprecated()) {
    int version = schema->since_version() - 1;
    if (version < 1)
      return nullptr;
    schema = proto::OpSchemaRegistry::Schema(name, version, domainName);
  }
  return schema ? schema : getOwn(op, domain);
}

static proto::OpSchema::FormalParameterOption getOption(Arity arity) {
  switch (arity) {
  case Arity::Single:
    return proto::OpSchema::Single;
  case Arity::Optional:
    return proto::OpSchema::Optional;
  case Arity::Variadic:
    return proto::OpSchema::Variadic;
  }
  llvm_unreachable("an arity is one of three");
}

static proto::AttributeProto::AttributeType getType(AttributeType type) {
  switch (type) {
  case AttributeType::Float:
    return proto::AttributeProto::FLOAT;
  case AttributeType::Int:
    return proto::AttributeProto::INT;
  case AttributeType::String:
    return proto::AttributeProto::STRING;
  case AttributeType::Floats:
    return proto::AttributeProto::FLOATS;
  case AttributeType::Ints:
    return proto::AttributeProto::INTS;
  case AttributeType::Strings:
    return proto::AttributeProto::STRINGS;
  }
  llvm_unreachable("a type is one of six");
}

const proto::OpSchema *Schemas::getOwn(StringRef op, StringRef domain) {
  std::optional<StringRef> prefix = getOpPrefix(domain);
  if (!prefix)
    return nullptr;
  std::string opName = (*prefix + op).str();
  auto name = mlir::RegisteredOperationName::lookup(opName, context);
  auto *described =
      name ? name->getInterface<lathe::onnx::OperatorSchemaOpInterface>()
           : nullptr;
  if (!described)
    return nullptr;
  std::unique_ptr<proto::OpSchema> &schema = own[opName];
  if (schema)
    return schema.get();
  schema = std::make_unique<proto::OpSchema>(op.str(), __FILE__, __LINE__);
  schema->SetDomain(domain.str()).SinceVersion(1);
  OperatorSchema made = described->getSchema();
  for (auto [i, input] : llvm::enumerate(made.inputs))
    schema->Input((int)i, input.name.str(), "", "T", getOption(input.arity));
  for (auto [i, result] : llvm::enumerate(made.results))
    schema->Output((int)i, result.name.str(), "", "T", getOption(result.arity));
  for (const OperatorSchema::Attribute &attribute : made.attributes)
    schema->Attr(attribute.name.str(), "", getType(attribute.type),
                 attribute.isRequired);
  return schema.get();
}

int64_t lathe::importer::getNewestOpset(StringRef domain) {
  const auto &map =
      proto::OpSchemaRegistry::DomainToVersionRange::Instance().Map();
  auto found = map.find(domain.str());
  return found == map.end() ? 0 : found->second.second;
}

bool Schemas::existsInOpset(StringRef op, StringRef domain, int64_t version) {
  return proto::OpSchemaRegistry::Schema(op.str(), (int)version,
                                         domain.str()) ||
         getOwn(op, domain);
}

std::optional<StringRef> lathe::importer::getOpPrefix(StringRef domain) {
  if (domain.empty())
    return "onnx.";
  if (domain == "ai.onnx.ml")
    return "onnx.ml.";
  if (domain == "ai.onnx.preview.training")
    return "onnx.training.";
  if (domain == "com.microsoft")
    return "onnx.ms.";
  return std::nullopt;
}

StringRef lathe::importer::getDomainName(StringRef domain) {
  return domain.empty() ? StringRef("ai.onnx") : domain;
}
