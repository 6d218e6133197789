// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Kernels run and timed in this process, with memory as in a model: what a
// kernel reads was just written, its weights are where those of other kernels
// have driven them.

#ifndef LATHE_LIB_PIPELINE_KERNELTRIAL_H
#define LATHE_LIB_PIPELINE_KERNELTRIAL_H

#include "lathe-rt/artifact.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ExecutionEngine/Orc/LLJIT.h"
#include "llvm/Support/Error.h"
#include <cstdint>
#include <memory>

namespace lathe {

/// Objects of kernels linked into the process, until this goes.
class KernelLibrary {
public:
  llvm::Error link(llvm::ArrayRef<llvm::SmallVector<char, 0>> objects);
  llvm::Expected<lathe_rt_kernel> find(llvm::StringRef symbol);

private:
  std::unique_ptr<llvm::orc::LLJIT> jit;
};

/// Memory that all weights are taken from in turn, so that those that were used
/// last are the last to be used again. It holds numbers that are normal in
/// every format of floats.
class WeightPool {
public:
  explicit WeightPool(size_t bytes);
  /// At most as many bytes as the pool has.
  char *take(size_t bytes);
  size_t size() const { return numBytes; }

private:
  std::unique_ptr<char, void (*)(void *)> memory;
  size_t numBytes, next = 0;
};

/// What a kernel is called with.
struct KernelOperands {
  enum class Kind { Input, Weight, Output };
  struct Buffer {
    size_t bytes;
    Kind kind;
    bool isWeight() const { return kind == Kind::Weight; }
  };
  llvm::SmallVector<Buffer> buffers; ///< Inputs, then outputs.
  llvm::SmallVector<int64_t> sizes;
};

/// A way to compute a kernel.
struct KernelCandidate {
  lathe_rt_kernel function;
  int64_t tiles;
  size_t scratchBytes;
};

struct KernelVerdict {
  unsigned best = 0;            ///< Of the candidates.
  double before = 0, after = 0; ///< Seconds of the first and of the best.
};

/// Times candidates in turn on this thread. The first one is the best unless
/// another is faster by more than the noise, twice.
KernelVerdict compareKernels(llvm::ArrayRef<KernelCandidate> candidates,
                             const KernelOperands &operands, WeightPool &pool);

} // namespace lathe

#endif // LATHE_LIB_PIPELINE_KERNELTRIAL_H
