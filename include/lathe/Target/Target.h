// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the pipeline must know of a target. Levels 1 to 3 know none; from
// kernels in tensor form on, all that differs between targets is behind this
// interface (see docs/AddATarget.md).

#ifndef LATHE_TARGET_TARGET_H
#define LATHE_TARGET_TARGET_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/LogicalResult.h"
#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace llvm {
class Module;
} // namespace llvm

namespace mlir {
class ModuleOp;
class OpPassManager;
} // namespace mlir

namespace lathe {
class KernelOp;

/// What the driver was asked for, as far as targets are concerned. Each reads
/// its own part.
struct TargetOptions {
  std::string cpu = "native"; ///< `--cpu`: the processor of host code.
  std::string gpu;            ///< `--gpu`: chips, comma-separated.
  unsigned optLevel = 3;      ///< `-O`: effort of LLVM, 0 to 3.
};

/// A kernel's code on its way into an artifact.
struct KernelCode {
  std::string symbol;
  llvm::StringRef bytes; ///< As `emitKernel` made it.
};

/// What one core does in the time of one multiply-add of a vector; what a trade
/// of arithmetic against memory needs to know.
struct MachineRates {
  unsigned lanes;     ///< Numbers of f32 in a vector.
  int64_t cacheBytes; ///< Of the cache that one core has for itself.
  double nearBytes;   ///< To or from caches that cores share.
  double farBytes;    ///< Read in order from memory.
};

/// What a kernel may have; nothing by default.
struct KernelAbilities {
  /// The two contractions of an attention.
  bool attention = false;
  /// What a tile computes for a contraction to read, by the size of the cache
  /// that one core has for itself; 0: nothing.
  int64_t cacheBytes = 0;
};

/// Kernels that several may be of one launch.
struct MergeLimits {
  int64_t tiles;       ///< As many need no company.
  int64_t parameters;  ///< Inputs, results and sizes of one kernel.
  int64_t sharedBytes; ///< What tiles have in common.
};

/// One machine that code is generated for. Constant once it is made; all
/// methods may be called from several threads at once.
class TargetInterface {
public:
  using Bytes = llvm::SmallVector<char, 0>;

  virtual ~TargetInterface() = default;

  /// For people, in artifacts: "cpu:x86-64-v4".
  virtual std::string getDescription() const = 0;
  /// The triple of the host code, which launches kernels.
  virtual std::string getTriple() const = 0;
  /// Features that the host processor must have, comma-separated.
  virtual std::string getRequiredFeatures() const = 0;
  /// Equal for targets that make the same code of the same kernel, on whatever
  /// machine: all that the code depends on.
  virtual std::string getIdentity() const = 0;
  /// Columns of f32 in a panel of packed weights.
  virtual unsigned getPanelWidth() const = 0;
  /// Lanes of a vector of f32 that may belong to several groups of a
  /// convolution; 0 where groups had better stay apart.
  virtual unsigned getGroupLanes() const { return 0; }
  virtual KernelAbilities getAbilities() const { return {}; }

  /// How small kernels are that had better be one launch; none where a launch
  /// costs little.
  virtual std::optional<MergeLimits> getMergeLimits() const {
    return std::nullopt;
  }
  /// For decisions on level 3 that `--precision=relaxed` allows; none where
  /// nothing is gained by them.
  virtual std::optional<MachineRates> getRates() const { return std::nullopt; }
  /// Whether sums of products of bf16 are faster than those of f32, if weights
  /// are packed in pairs.
  virtual bool sumsPairs() const { return false; }
  /// Whether the passes below read `lathe.decisions` of kernels, and tell in
  /// `lathe.candidates` what else could be decided.
  virtual bool takesDecisions() const { return false; }
  /// Whether kernels work on memory that the host cannot address. Programs then
  /// read and copy through the runtime.
  virtual bool hasDeviceMemory() const { return false; }

  /// Adds the passes that bring one kernel from tensor form to buffer form with
  /// a grid (`lathe.grid`), for a pass manager nested on `lathe.kernel`.
  virtual void buildKernelPipeline(mlir::OpPassManager &onKernel) const = 0;

  /// Translates a kernel after `buildKernelPipeline`. `suffix` is one of the
  /// target's texts, or ".o" for what `emitProgram` takes. Errors are reported
  /// at the kernel.
  virtual llvm::FailureOr<Bytes> emitKernel(KernelOp kernel,
                                            llvm::StringRef symbol,
                                            llvm::StringRef suffix) const = 0;

  /// All kernels' texts of one suffix as one text.
  virtual std::string joinTexts(llvm::ArrayRef<llvm::StringRef> texts,
                                llvm::StringRef suffix) const {
    std::string joined;
    for (llvm::StringRef text : texts)
      joined += text.str() + "\n";
    return joined;
  }

  /// Whether the kernels' code is objects for the linker, one each.
  virtual bool makesObjects() const { return true; }

  /// Translates a program in the LLVM dialect into an object. `complete` adds
  /// the tables to the LLVM module first. Where kernels are no objects,
  /// `kernels` are put into it; where there is device memory, the symbol
  /// `<prefix>_device` that the tables refer to is defined.
  virtual llvm::FailureOr<Bytes>
  emitProgram(mlir::ModuleOp program, llvm::StringRef prefix,
              llvm::ArrayRef<KernelCode> kernels,
              llvm::function_ref<void(llvm::Module &)> complete) const = 0;
};

/// How a target is found by name.
struct TargetEntry {
  llvm::StringRef name; ///< For `--target`.
  /// Suffixes of outputs that are the text of all kernels.
  llvm::ArrayRef<llvm::StringRef> textSuffixes;
  /// The target for these options. Failure, with the reason in `error`, where
  /// there is none.
  std::function<llvm::FailureOr<std::unique_ptr<TargetInterface>>(
      const TargetOptions &options, std::string &error)>
      create;
};

} // namespace lathe

#endif // LATHE_TARGET_TARGET_H
