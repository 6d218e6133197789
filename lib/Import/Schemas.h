// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Questions to the operator schemas that the ONNX library ships.

#ifndef LATHE_IMPORT_SCHEMAS_H
#define LATHE_IMPORT_SCHEMAS_H

#include "llvm/ADT/StringRef.h"
#include <cstdint>
#include <optional>
#include <onnx/defs/schema.h>

namespace lathe::importer {
namespace proto = ::onnx;

/// The schema of the newest form of an operator that is not withdrawn, or null
/// where there is no such operator.
const proto::OpSchema *getNewestSchema(llvm::StringRef op,
                                       llvm::StringRef domain);

/// The newest opset of `domain`, or 0 where the domain is not ONNX's.
int64_t getNewestOpset(llvm::StringRef domain);

/// Whether the operator was there in opset `version`.
bool existsInOpset(llvm::StringRef op, llvm::StringRef domain, int64_t version);

/// What the names of the ops of a domain begin with; nothing for a domain that
/// has none.
std::optional<llvm::StringRef> getOpPrefix(llvm::StringRef domain);

/// How messages write a domain: the default one as `ai.onnx`.
llvm::StringRef getDomainName(llvm::StringRef domain);

} // namespace lathe::importer

#endif // LATHE_IMPORT_SCHEMAS_H
