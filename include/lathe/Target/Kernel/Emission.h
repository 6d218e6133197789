// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// From LLVM's dialect to code.

#ifndef LATHE_TARGET_KERNEL_EMISSION_H
#define LATHE_TARGET_KERNEL_EMISSION_H

#include "lathe/Dialect/Lathe/IR/Lathe.h"

#include "mlir/IR/BuiltinOps.h"
#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/CodeGen.h"
#include "llvm/Support/LogicalResult.h"
#include <functional>
#include <optional>

namespace llvm {
class Function;
class Module;
} // namespace llvm

namespace lathe {

/// Makes LLVM's back ends known, once, whoever asks first.
void initializeBackEnds();

/// What LLVM makes code for, and how.
struct CodeOptions {
  llvm::StringRef triple, cpu, features;
  std::optional<llvm::Reloc::Model> relocation;
  /// Effort of LLVM, 0 to 3. Vectors and blocks are chosen before, so 3 is 2.
  unsigned optLevel = 3;
  bool unrollLoops = false;
  /// Gives a function that is defined the attributes that the target needs.
  std::function<void(llvm::Function &)> setAttributes;
};

/// Translates `lowered`, what `kernel` became in LLVM's dialect, into code of
/// this type, or into the text of the optimized LLVM IR. A call that is left is
/// an error: kernels are linked with nothing. Errors are reported at the
/// kernel. Each call has an LLVM context of its own.
llvm::FailureOr<llvm::SmallVector<char, 0>>
emitKernelCode(KernelOp kernel, mlir::ModuleOp lowered, llvm::StringRef symbol,
               const CodeOptions &options,
               std::optional<llvm::CodeGenFileType> type);

/// Translates a program in LLVM's dialect into an object; `complete` may add to
/// the LLVM module first.
llvm::FailureOr<llvm::SmallVector<char, 0>>
emitProgramCode(mlir::ModuleOp program, const CodeOptions &options,
                llvm::function_ref<void(llvm::Module &)> complete);

} // namespace lathe

#endif // LATHE_TARGET_KERNEL_EMISSION_H
