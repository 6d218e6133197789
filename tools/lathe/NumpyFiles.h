// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// NumPy's file formats: .npy (one array) and .npz (a zip of them).

#ifndef LATHE_TOOLS_LATHE_NUMPYFILES_H
#define LATHE_TOOLS_LATHE_NUMPYFILES_H

#include "HostTensor.h"
#include "llvm/ADT/StringRef.h"

namespace lathe::driver {

/// Tensors by name, in the order of the file.
using NamedTensors = std::vector<std::pair<std::string, HostTensor>>;

/// Parses the contents of an .npy file. Two-byte "void" elements are bfloat16,
/// as NumPy writes them; those of one byte, which NumPy writes for all types
/// narrower than that, are bytes of no type (see `readAs`).
llvm::Expected<HostTensor> parseNpy(llvm::StringRef contents);
llvm::Expected<HostTensor> readNpy(llvm::StringRef path);
/// Writes a file, or nothing at all. Elements narrower than a byte take one, as
/// in NumPy's arrays.
llvm::Error writeNpy(llvm::StringRef path, const HostTensor &tensor);

/// Parses all arrays of an .npz file, stored or deflated.
llvm::Expected<NamedTensors> parseNpz(llvm::StringRef contents);
llvm::Expected<NamedTensors> readNpz(llvm::StringRef path);

} // namespace lathe::driver

#endif // LATHE_TOOLS_LATHE_NUMPYFILES_H
