// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The CPU target: from a kernel in tensor form to an object in memory.

#ifndef LATHE_TARGET_CPU_CPU_H
#define LATHE_TARGET_CPU_CPU_H

#include "lathe/Target/Target.h"
#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/LogicalResult.h"
#include <cstdint>
#include <string>

namespace llvm {
class Module;
} // namespace llvm

namespace mlir {
class DialectRegistry;
class ModuleOp;
class OpPassManager;
} // namespace mlir

namespace lathe {
class KernelOp;
} // namespace lathe

namespace lathe::cpu {

/// What code is generated for. Everything the cost model may know of a machine.
struct Target {
  std::string name;
  std::string triple;
  std::string cpu;
  std::string features;
  /// Bytes of a vector register that code should use.
  unsigned vectorBytes = 16;
  unsigned numVectorRegisters = 16;
  int64_t l1Bytes = 32 << 10;
  int64_t l2Bytes = 1 << 20;
  /// Columns of f32 in a panel of packed weights: two vector registers, so that
  /// a register block reads one panel, whole cache lines at a time.
  unsigned panelWidth = 32;
  /// Effort of LLVM, 0 to 3. Vectors and blocks are chosen before, so 3 is 2.
  unsigned optLevel = 3;
  /// Features that the processor must have for the code to run, as LLVM names
  /// them, comma-separated.
  std::string requiredFeatures;

  bool hasFeature(llvm::StringRef name) const;
  /// Whether the widest vectors go through units of half the width, so that
  /// half of a vector takes half the time. By Agner Fog's tables.
  bool halvesVectors() const {
    return vectorBytes == 64 && llvm::StringRef(cpu) == "znver4";
  }
  /// Whether one instruction adds two products of bf16 to each lane of a
  /// vector.
  bool sumsPairs() const {
    return vectorBytes == 64 && hasFeature("avx512bf16");
  }
  /// Whether one instruction moves the words of a vector to computed places.
  bool permutes() const {
    return vectorBytes == 64 || (vectorBytes == 32 && hasFeature("avx2"));
  }
  /// Whether there are registers of matrices, and one instruction adds a
  /// product of two of `bf16`, or of bytes, to a third.
  bool multipliesMatrices(bool floats) const {
    return vectorBytes == 64 && hasFeature("amx-tile") &&
           hasFeature(floats ? "amx-bf16" : "amx-int8");
  }
};

/// The target of a name: `native`, or a CPU that LLVM knows (`x86-64-v3`,
/// `x86-64-v4`, `sapphirerapids`, `cortex-a76`, ...), which names of features may
/// follow: `znver4+amx-int8`. Failure, with the reason in `error`, where there is
/// none or it is an x86 processor without FMA.
llvm::FailureOr<Target> parseTarget(llvm::StringRef name, std::string &error);
/// The same for a pass: sets `target`, or reports the reason.
llvm::LogicalResult parseTarget(mlir::MLIRContext *context,
                                llvm::StringRef name, Target &target);

/// Text that is equal for targets that are equal in every field.
std::string getIdentity(const Target &target);

/// The entry of this target in the list that the pipeline chooses from.
TargetEntry getTargetEntry();

/// The passes that bring one kernel from tensor form to loops over vectors, for
/// a pass manager nested on `lathe.kernel`.
void buildKernelPipeline(mlir::OpPassManager &onKernel, const Target &target);

/// How the code of a kernel is written out.
enum class Output { Object, Assembly, LLVMIR };

/// Translates a kernel in buffer form, after `buildKernelPipeline`, into code
/// that defines one function named `symbol`:
/// `int32_t symbol(const int64_t *args, int64_t begin, int64_t end, void
/// *scratch)`. Errors are reported at the kernel. May be called from several
/// threads at once: each call has an LLVM context of its own.
llvm::FailureOr<llvm::SmallVector<char, 0>>
emitKernel(KernelOp kernel, const Target &target, llvm::StringRef symbol,
           Output output = Output::Object);

/// Translates a module of the LLVM dialect (a program) into an object;
/// `complete` may add to the LLVM module first.
llvm::FailureOr<llvm::SmallVector<char, 0>>
emitModule(mlir::ModuleOp module, const Target &target,
           llvm::function_ref<void(llvm::Module &)> complete);

/// Registers the dialects, interfaces and translations that the pipeline and
/// `emitKernel` need. They must be loaded before kernels are compiled in
/// parallel.
void registerDialects(mlir::DialectRegistry &registry);

} // namespace lathe::cpu

#endif // LATHE_TARGET_CPU_CPU_H
