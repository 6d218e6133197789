// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// From a kernel in buffer form to PTX, in the process: no toolkit is asked.

#include "Lower.h"
#include "lathe/Target/CUDA/CUDA.h"

#include "lathe/Dialect/Lathe/IR/Lathe.h"
#include "lathe/Target/Kernel/Emission.h"
#include "llvm/IR/Function.h"

using namespace mlir;
using namespace lathe;

FailureOr<SmallVector<char, 0>>
cuda::emitKernel(KernelOp kernel, const Target &target, const Chip &chip,
                 StringRef symbol, Output output) {
  OwningOpRef<ModuleOp> lowered = lowerKernel(kernel, symbol);
  if (!lowered)
    return failure();
  std::string feature = getPtxFeature(chip);
  CodeOptions options;
  options.triple = getTripleName();
  options.cpu = chip.name;
  options.features = feature;
  options.optLevel = target.optLevel;
  options.unrollLoops = true;
  options.setAttributes = [&](llvm::Function &function) {
    function.addFnAttr("target-cpu", chip.name);
    function.addFnAttr(llvm::Attribute::NoUnwind);
  };
  std::optional<llvm::CodeGenFileType> type;
  if (output == Output::PTX)
    type = llvm::CodeGenFileType::AssemblyFile;
  return emitKernelCode(kernel, *lowered, symbol, options, type);
}
