// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Schemas.h"

using namespace llvm;
using namespace lathe::importer;

const proto::OpSchema *lathe::importer::getNewestSchema(StringRef op,
                                                        StringRef domain) {
  std::string name = op.str(), domainName = domain.str();
  const proto::OpSchema *schema =
      proto::OpSchemaRegistry::Schema(name, domainName);
  while (schema && schema->Deprecated()) {
    int version = schema->since_version() - 1;
    if (version < 1)
      return nullptr;
    schema = proto::OpSchemaRegistry::Schema(name, version, domainName);
  }
  return schema;
}

int64_t lathe::importer::getNewestOpset(StringRef domain) {
  const auto &map =
      proto::OpSchemaRegistry::DomainToVersionRange::Instance().Map();
  auto found = map.find(domain.str());
  return found == map.end() ? 0 : found->second.second;
}

bool lathe::importer::existsInOpset(StringRef op, StringRef domain,
                                    int64_t version) {
  return proto::OpSchemaRegistry::Schema(op.str(), (int)version,
                                         domain.str()) != nullptr;
}

std::optional<StringRef> lathe::importer::getOpPrefix(StringRef domain) {
  if (domain.empty())
    return "onnx.";
  if (domain == "ai.onnx.ml")
    return "onnx.ml.";
  if (domain == "ai.onnx.preview.training")
    return "onnx.training.";
  return std::nullopt;
}

StringRef lathe::importer::getDomainName(StringRef domain) {
  return domain.empty() ? StringRef("ai.onnx") : domain;
}
