// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Feeds bytes to the driver's readers of tensors. What they accept has as many
// bytes as its shape says.

#include "NumpyFiles.h"
#include "TensorProtoFile.h"
#include "llvm/Support/raw_ostream.h"
#include <cstdlib>

using namespace lathe::driver;
using llvm::Expected;
using llvm::StringRef;

static void check(const HostTensor &tensor) {
  // The sum reads every byte, so that the sanitizer sees each.
  uint64_t sum = 0;
  for (int64_t i = 0, e = tensor.getNumBytes(); i < e; ++i)
    sum += static_cast<unsigned char>(tensor.data.get()[i]);
  volatile uint64_t seen = sum;
  (void)seen;
  if (tensor.getNumElements() > 0)
    (void)getElementText(tensor, tensor.getNumElements() - 1);
  (void)summarize(tensor);
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size == 0)
    return 0;
  StringRef bytes(reinterpret_cast<const char *>(data), size);
  if (bytes.starts_with("PK")) {
    Expected<NamedTensors> tensors = parseNpz(bytes);
    if (!tensors)
      llvm::consumeError(tensors.takeError());
    else
      for (auto &[name, tensor] : *tensors)
        check(tensor);
    return 0;
  }
  std::string name;
  Expected<HostTensor> tensor = bytes.starts_with("\x93")
                                    ? parseNpy(bytes)
                                    : parseTensorProto(bytes, name);
  if (!tensor)
    llvm::consumeError(tensor.takeError());
  else
    check(*tensor);
  return 0;
}
