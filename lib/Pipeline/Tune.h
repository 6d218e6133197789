// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Decides about kernels by measurements, or by a file of what was measured.

#ifndef LATHE_LIB_PIPELINE_TUNE_H
#define LATHE_LIB_PIPELINE_TUNE_H

#include "lathe/Conversion/LatheToLLVM/ProgramToLLVM.h"
#include "lathe/Target/Target.h"
#include "mlir/IR/BuiltinOps.h"
#include "llvm/Support/LogicalResult.h"
#include "llvm/Support/raw_ostream.h"
#include <string>

namespace lathe {
struct CompileOptions;

/// What tuning has done to a program.
struct TuningStatistics {
  int64_t measured = 0; ///< Kernels.
  int64_t known = 0;    ///< Kernels that were in the file.
  int64_t changed = 0;  ///< Kernels that are not what the model would make.
  int64_t unknown = 0;  ///< Kernels of sizes that nobody gave.
  double before = 0, after = 0; ///< Seconds of all launches of those decided.

  void print(llvm::raw_ostream &os) const;
};

/// Whether the options ask for any of it.
bool decidesKernels(const CompileOptions &options);

/// What is wrong with the options as far as tuning is concerned; empty where
/// nothing is.
std::string findWrongTuning(const CompileOptions &options,
                            const TargetInterface &target);

/// Writes `lathe.decisions` on kernels in tensor form, as `--tune` and
/// `--decisions` ask for it. Errors are reported at the module.
llvm::LogicalResult decideKernels(mlir::ModuleOp module,
                                  const TargetInterface &target,
                                  const CompileOptions &options,
                                  TuningStatistics &statistics);

/// Tells in the metadata of how many kernels something is decided.
void addDecisions(mlir::ModuleOp module, ProgramTables &tables);

} // namespace lathe

#endif // LATHE_LIB_PIPELINE_TUNE_H
