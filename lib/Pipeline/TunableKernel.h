// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Which kernels of a program are worth measuring, and at which sizes.

#ifndef LATHE_LIB_PIPELINE_TUNABLEKERNEL_H
#define LATHE_LIB_PIPELINE_TUNABLEKERNEL_H

#include "KernelTrial.h"
#include "lathe/Dialect/Lathe/IR/Lathe.h"
#include "lathe/Target/Target.h"
#include "mlir/IR/BuiltinOps.h"
#include "llvm/ADT/StringMap.h"
#include <string>
#include <vector>

namespace lathe {

/// A kernel in tensor form that has something to decide about.
struct TunableKernel {
  KernelOp kernel;
  LaunchOp launch;      ///< The first one.
  double launches = 0;  ///< In a run, or a guess.
  bool hasSizes = true; ///< Whether all sizes are known.
  KernelOperands operands;
};

/// The kernels of a program that take a part of its time by the target's rates,
/// in order. `dims` gives sizes of symbols.
std::vector<TunableKernel>
findTunableKernels(mlir::ModuleOp module, const TargetInterface &target,
                   const llvm::StringMap<int64_t> &dims);

/// The kernel's text, but for its name and the nodes that it comes from.
std::string getPlainText(KernelOp kernel);

/// Bytes of all weights of a program.
size_t getWeightBytes(mlir::ModuleOp module);

/// Result `i` of a map over sizes.
std::optional<int64_t> evaluateMap(mlir::AffineMap map, unsigned i,
                                   llvm::ArrayRef<int64_t> sizes);

} // namespace lathe

#endif // LATHE_LIB_PIPELINE_TUNABLEKERNEL_H
