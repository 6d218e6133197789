// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Tensors in ONNX's own files, as its node tests and model zoo keep their data:
// input_0.pb, output_0.pb.

#ifndef LATHE_TOOLS_LATHE_TENSORPROTOFILE_H
#define LATHE_TOOLS_LATHE_TENSORPROTOFILE_H

#include "HostTensor.h"
#include "llvm/ADT/StringRef.h"

namespace lathe::driver {

/// Parses a serialized TensorProto. Its name, often empty, goes to `name`.
llvm::Expected<HostTensor> parseTensorProto(llvm::StringRef contents,
                                            std::string &name);
llvm::Expected<HostTensor> readTensorProto(llvm::StringRef path,
                                           std::string &name);

} // namespace lathe::driver

#endif // LATHE_TOOLS_LATHE_TENSORPROTOFILE_H
