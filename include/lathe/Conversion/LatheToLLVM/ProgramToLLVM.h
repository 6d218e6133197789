// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Level 5 for the program: launches become calls of the runtime, sizes become
// the `eval` function, and what the runtime must know of the model becomes
// tables (include/lathe-rt/artifact.h).

#ifndef LATHE_CONVERSION_LATHETOLLVM_PROGRAMTOLLVM_H
#define LATHE_CONVERSION_LATHETOLLVM_PROGRAMTOLLVM_H

#include "lathe/Dialect/Lathe/IR/Lathe.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"
#include <optional>
#include <string>

namespace llvm {
class Module;
} // namespace llvm

namespace lathe {

/// A size in the tables: a constant, or `~i` for entry `i` of the values that
/// `eval` computes.
using TableSize = int64_t;

/// What the runtime must know of a program beside its code.
struct ProgramTables {
  struct Tensor {
    std::string name;
    mlir::Type elementType; ///< As in the model: signedness and i1 kept.
    llvm::SmallVector<TableSize> dims;
    llvm::SmallVector<std::string> dimNames;
    uint64_t dataDims = 0; ///< Bit d: dimension d depends on data.
    /// Of what is no plain tensor: its type as ONNX writes it. `elementType` is
    /// then that type in the `onnx` dialect.
    std::string valueType = {};
    bool hasRank = false; ///< Of a value: whether `dims` is its shape.
  };
  struct Slot {
    int64_t first, last;
    TableSize bytes;
  };
  struct Launch {
    std::string kernel, nodes;
    TableSize flops, bytes;
  };
  struct Weight {
    WeightOp op; ///< One of the equal ones.
    int64_t offset, bytes;
  };
  struct Check {
    std::string node, message;
  };
  /// An output in the memory of an input; `axis` is -1 where it is not longer.
  struct State {
    int64_t input, output, axis, max;
  };
  /// An input or a result of a library call; `kind` as in artifact.h.
  struct Operand {
    int kind;
    int64_t index;
    mlir::Type elementType; ///< Of a tensor, as in the model.
    llvm::SmallVector<int64_t> dims;
  };
  struct Call {
    std::string node;
    int64_t numInputs = 0, numResults = 0, numSizes = 0;
    llvm::SmallVector<Operand> operands;
    llvm::SmallVector<int64_t> ints;
  };
  std::string prefix;
  llvm::SmallVector<Tensor> inputs, outputs;
  llvm::SmallVector<std::string> symbols;
  int64_t numValues = 0;
  llvm::SmallVector<Slot> slots;
  int64_t numGrowables = 0;
  int64_t numBinds = 0; ///< Symbols that the program binds.
  std::optional<llvm::SmallVector<int64_t>> offsets;
  int64_t arenaBytes = 0;
  TableSize scratchBytes = 0;
  llvm::SmallVector<Launch> launches;
  llvm::SmallVector<Weight> weights;
  int64_t weightsBytes = 0;
  llvm::SmallVector<Check> checks;
  llvm::SmallVector<State> states;
  llvm::SmallVector<Call> calls;
  llvm::SmallVector<mlir::ElementsAttr> literals;
  int64_t numValueSlots = 0; ///< 0 where there are no values.
  llvm::SmallVector<std::pair<std::string, std::string>> metadata;
};

/// The symbol of a kernel's code: `<prefix>_<kernel>`.
std::string getKernelSymbol(llvm::StringRef prefix, llvm::StringRef kernel);

/// Lowers the program of `module` (its function `main`, after memory planning,
/// with kernels in buffer form) to a new module in the LLVM dialect that
/// defines `<prefix>_eval` and `<prefix>_program`, and fills `tables`. Weights
/// that `tables` has already, from another variant of the program, keep their
/// places. Errors
/// are reported at the ops that cannot be lowered. With `deviceMemory` the host
/// cannot address tensors: the program reads and copies through the runtime.
mlir::OwningOpRef<mlir::ModuleOp> lowerProgramToLLVM(mlir::ModuleOp module,
                                                     llvm::StringRef prefix,
                                                     ProgramTables &tables,
                                                     bool deviceMemory = false);

/// Registers `lathe-lower-program`, which does that to a module for prefix
/// `model`.
void registerLowerProgramPass();

/// What the tables say about the machine code beside them.
struct TableTarget {
  std::string target;      ///< For people, e.g. "cpu:x86-64-v4".
  std::string cpuFeatures; ///< LLVM's names, comma-separated.
  bool hasWeights;         ///< Whether `<model>_weights` is linked in.
  bool hasDevice = false;  ///< Whether `<prefix>_device` is: code for a device.
  /// The model's name; the prefix of all that its variants share.
  std::string model;
  /// The prefixes of all variants, best first, this one's among them. The first
  /// one defines the exported function.
  llvm::SmallVector<std::string> variants;
};

/// Adds the tables as constants to a translated program, and, to that of the
/// first variant, the exported function `<model>_lathe_model`.
void addTables(llvm::Module &module, const ProgramTables &tables,
               const TableTarget &target);

} // namespace lathe

#endif // LATHE_CONVERSION_LATHETOLLVM_PROGRAMTOLLVM_H
