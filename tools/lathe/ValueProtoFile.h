// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Values of any type in ONNX's own files: TensorProto, SequenceProto, MapProto
// and OptionalProto.

#ifndef LATHE_TOOLS_LATHE_VALUEPROTOFILE_H
#define LATHE_TOOLS_LATHE_VALUEPROTOFILE_H

#include "HostTensor.h"
#include "llvm/ADT/StringRef.h"

namespace lathe::driver {

/// Reads a value of type `type`, as ONNX writes it ("seq(tensor(float))"); an
/// empty `type` is a tensor's. Its name, often empty, goes to `name`.
llvm::Expected<HostTensor>
readValueProto(llvm::StringRef path, llvm::StringRef type, std::string &name);
/// Writes a file, or nothing at all.
llvm::Error writeValueProto(llvm::StringRef path, const HostTensor &tensor);

} // namespace lathe::driver

#endif // LATHE_TOOLS_LATHE_VALUEPROTOFILE_H
