// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Values that are no plain tensors, in this program's memory: strings,
// sequences, maps and optionals.

#ifndef LATHE_TOOLS_LATHE_HOSTVALUE_H
#define LATHE_TOOLS_LATHE_HOSTVALUE_H

#include "HostTensor.h"
#include "lathe-rt/lathe.h"

namespace lathe::driver {

/// What a HostTensor holds that is no plain tensor. The tensor's shape is that
/// of strings.
struct HostValue {
  int32_t kind = LATHE_STRINGS;
  std::vector<std::string> strings;
  /// Of a sequence or an optional. Of a map: its keys and its values.
  std::vector<HostTensor> elements;
};

/// The DLPack type in which values travel.
inline constexpr DLDataType valueType = {kDLOpaqueHandle, 64, 1};

HostTensor makeHostValue(HostValue value, std::vector<int64_t> shape = {});

/// Makes a value of the runtime, to be released by the caller.
llvm::Expected<lathe_value *> createValue(const lathe_model *model,
                                          const HostTensor &tensor);
/// Copies a value of the runtime.
llvm::Expected<HostTensor> readValue(const lathe_model *model,
                                     const lathe_value *value);

/// Like "float32[2, 3]" or "strings[4]" or "map".
std::string describe(const HostTensor &tensor);
/// Like "seq[tensor float32[2, 3], …]", with strings in quotes.
std::string summarizeValue(const HostTensor &tensor);
/// As compareTensors, for values, element by element.
Mismatch compareValues(const HostTensor &expected, const HostTensor &got,
                       double rtol, double atol);

} // namespace lathe::driver

#endif // LATHE_TOOLS_LATHE_HOSTVALUE_H
