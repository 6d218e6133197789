// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Questions to the schemas of operators: those that the ONNX library ships, and
// for operators that it does not know (of `com.microsoft`, mostly) what the
// registered ops say of themselves.

#ifndef LATHE_IMPORT_SCHEMAS_H
#define LATHE_IMPORT_SCHEMAS_H

#include "mlir/IR/MLIRContext.h"
#include "llvm/ADT/StringMap.h"
#include <cstdint>
#include <onnx/defs/schema.h>
#include <optional>

namespace lathe::importer {
namespace proto = ::onnx;

class Schemas {
public:
  explicit Schemas(mlir::MLIRContext *context) : context(context) {}

  /// The schema of the newest form of an operator that is not withdrawn, or
  /// null where there is no such operator.
  const proto::OpSchema *getNewest(llvm::StringRef op, llvm::StringRef domain);

  /// Whether the operator was there in opset `version`.
  bool existsInOpset(llvm::StringRef op, llvm::StringRef domain,
                     int64_t version);

private:
  /// The schema of an operator whose op is it, or null.
  const proto::OpSchema *getOwn(llvm::StringRef op, llvm::StringRef domain);

  mlir::MLIRContext *context;
  /// Made from ops, by the ops' names.
  llvm::StringMap<std::unique_ptr<proto::OpSchema>> own;
};

/// The newest opset of `domain`, or 0 where the domain is not ONNX's.
int64_t getNewestOpset(llvm::StringRef domain);

/// What the names of the ops of a domain begin with; nothing for a domain that
/// has none.
std::optional<llvm::StringRef> getOpPrefix(llvm::StringRef domain);

/// How messages write a domain: the default one as `ai.onnx`.
llvm::StringRef getDomainName(llvm::StringRef domain);

} // namespace lathe::importer

#endif // LATHE_IMPORT_SCHEMAS_H
