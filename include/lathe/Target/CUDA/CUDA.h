// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The CUDA target: from a kernel in tensor form to PTX in memory. A tile of the
// kernel's grid is a block of threads.

#ifndef LATHE_TARGET_CUDA_CUDA_H
#define LATHE_TARGET_CUDA_CUDA_H

#include "lathe/Target/Target.h"

namespace mlir {
class DialectRegistry;
class OpPassManager;
} // namespace mlir

namespace lathe::cuda {

/// A chip that code is generated for.
struct Chip {
  std::string name; ///< As LLVM and ptxas know it: "sm_80".
  int capability;   ///< Compute capability times ten.
};

struct Target {
  std::string name; ///< As given: "sm_80,sm_90".
  llvm::SmallVector<Chip, 2> chips;
  unsigned optLevel = 3;
};

/// The target of a list of chips; empty: sm_80. Failure, with the reason in
/// `error`, where LLVM does not know one or it is older than sm_70.
llvm::FailureOr<Target> parseTarget(llvm::StringRef gpu, std::string &error);

llvm::StringRef getTripleName();

/// The feature of LLVM's back end for the version of PTX that a chip needs.
std::string getPtxFeature(const Chip &chip);

/// The entry of this target in the list that the pipeline chooses from. `host`
/// makes the target of the program that launches kernels.
TargetEntry getTargetEntry(TargetEntry host);

/// The passes that bring one kernel from tensor form to loops over threads, for
/// a pass manager nested on `lathe.kernel`.
void buildKernelPipeline(mlir::OpPassManager &onKernel);

/// How the code of a kernel is written out.
enum class Output { PTX, LLVMIR };

/// Translates a kernel in buffer form, after `buildKernelPipeline`, for one
/// chip, into a module that defines one entry `symbol`. Its parameters are the
/// words of the launch's `args` (addresses, then sizes), the address of the
/// scratch memory, its bytes per block, and the number of tiles. Errors are
/// reported at the kernel. May be called from several threads at once.
llvm::FailureOr<llvm::SmallVector<char, 0>>
emitKernel(KernelOp kernel, const Target &target, const Chip &chip,
           llvm::StringRef symbol, Output output);

/// Machine code of PTX by the `ptxas` that is found on PATH, or an empty buffer
/// where none is or where it refuses.
llvm::SmallVector<char, 0> assemble(llvm::StringRef ptx, const Chip &chip);

/// The `ptxas` that `assemble` uses: its path, size and time; empty where there
/// is none.
std::string getAssembler();

/// Registers the dialects and translations that the pipeline and `emitKernel`
/// need.
void registerDialects(mlir::DialectRegistry &registry);

} // namespace lathe::cuda

#endif // LATHE_TARGET_CUDA_CUDA_H
