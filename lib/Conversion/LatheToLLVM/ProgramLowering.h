// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The state of one lowering of a program. ProgramToLLVM.cpp lowers launches and
// collects the tables, ProgramControl.cpp lowers control flow and scalars.

#ifndef LATHE_LIB_CONVERSION_LATHETOLLVM_PROGRAMLOWERING_H
#define LATHE_LIB_CONVERSION_LATHETOLLVM_PROGRAMLOWERING_H

#include "SizeTable.h"
#include "lathe/Conversion/LatheToLLVM/ProgramToLLVM.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "llvm/ADT/MapVector.h"

namespace lathe {

/// Offsets of the fields of lathe_rt_frame that generated code reads.
enum FrameField : int64_t {
  FrameValues = 0,
  FrameArena = 8,
  FrameOffsets = 16,
  FrameWeights = 24,
  FrameIO = 32,
  FrameStatus = 40,
};

class ProgramLowering {
public:
  ProgramLowering(mlir::ModuleOp module, mlir::func::FuncOp main,
                  llvm::StringRef prefix, ProgramTables &tables,
                  bool deviceMemory)
      : module(module), kernels(module), main(main), tables(tables),
        sizes(main, tables), builder(module.getContext()),
        deviceMemory(deviceMemory) {
    tables.prefix = prefix.str();
  }

  mlir::OwningOpRef<mlir::ModuleOp> run();

private:
  llvm::LogicalResult collectSignature();
  llvm::LogicalResult verifySymbols();
  llvm::LogicalResult collectStates();
  llvm::LogicalResult collectSlots();
  void collectWeights();
  /// Declares a function of the runtime or of a kernel.
  void declare(llvm::StringRef name, mlir::Type result,
               llvm::ArrayRef<mlir::Type> arguments);
  llvm::LogicalResult lowerBlock(mlir::Block &block);
  llvm::LogicalResult lowerLaunch(LaunchOp launch);
  mlir::Value getAddress(mlir::Value tensor, mlir::Location loc);
  mlir::Value getSlotAddress(mlir::Attribute where, mlir::Location loc);
  /// A size as i64.
  mlir::Value getSize(mlir::Value index, mlir::Location loc);
  mlir::Value getTiles(LaunchOp launch, mlir::AffineMap grid);
  TableSize getCost(LaunchOp launch, mlir::AffineMap map, unsigned result);
  /// Where there is device memory: has the runtime copy `bytes` (i64) from
  /// `from` to `to`, of which the former, or with `copy_on_device` both, are
  /// on the device.
  void callTransfer(llvm::StringRef function, mlir::Value to, mlir::Value from,
                    mlir::Value bytes, mlir::Location loc);
  mlir::Value loadField(FrameField field, mlir::Location loc);
  mlir::Value addBytes(mlir::Value pointer, int64_t bytes, mlir::Location loc);
  mlir::Value addDynamicBytes(mlir::Value pointer, mlir::Value bytes,
                              mlir::Location loc);
  mlir::Value loadAt(mlir::Type type, mlir::Value pointer, int64_t index,
                     mlir::Location loc);
  mlir::Value constant(int64_t value, mlir::Location loc, unsigned bits = 64);

  // ProgramSizes.cpp: sizes that depend on data
  void declareSizeFunctions();
  llvm::LogicalResult lowerBind(BindOp op);
  /// Makes room for results whose place is known only now.
  llvm::LogicalResult reserveResults(mlir::Operation *op);
  /// The memory of growable slot `slot` (i32), with room for `bytes` (i64).
  mlir::Value reserve(mlir::Value slot, mlir::Value bytes, bool keep,
                      mlir::Location loc);
  /// The bytes of a ranked tensor, as i64.
  llvm::FailureOr<mlir::Value> getBytes(mlir::Value tensor,
                                        mlir::Location loc);

  // ProgramValues.cpp: values and library calls
  /// Also makes room for the calls' arguments.
  void declareValueFunctions();
  llvm::LogicalResult lowerCall(CallOp op);
  llvm::LogicalResult lowerValueSize(ValueSizeOp op);
  /// A choice between values, which branches that only yield become.
  void lowerValueSelect(mlir::arith::SelectOp op);
  void emitCall(llvm::StringRef function, ProgramTables::Call call,
                mlir::Location loc);
  int64_t addLiteral(LiteralOp literal);
  ProgramTables::Operand describeLiteral(LiteralOp literal);
  /// The slot of the context that holds a value.
  int64_t getValueSlot(mlir::Value value);
  /// Lets slot `to` hold what slot `from` holds, and empties that if `isLast`.
  void moveValue(int64_t to, int64_t from, mlir::Location loc,
                 bool isLast = false);
  /// Moves the values among `from` to the slots of those in `to`.
  void yieldValues(mlir::ValueRange to, mlir::ValueRange from,
                   mlir::Location loc);
  /// Describes an input or an output that is a value.
  llvm::LogicalResult describeValue(ProgramTables::Tensor &tensor,
                                    mlir::StringAttr type, mlir::Type original,
                                    mlir::ArrayAttr dimNames);

  // ProgramControl.cpp
  /// Ends the program with an error that names `node` unless `ok`.
  void emitCheck(mlir::Value ok, llvm::StringRef node, llvm::StringRef message,
                 mlir::Location loc);
  /// Whether a scalar is known only while the program runs.
  bool isDynamic(mlir::Value scalar);
  /// A scalar of the program, of its own type.
  mlir::Value getScalar(mlir::Value scalar, mlir::Location loc);
  llvm::LogicalResult lowerScalarOp(mlir::Operation *op);
  llvm::LogicalResult lowerExtract(mlir::tensor::ExtractOp op);
  llvm::LogicalResult lowerInsert(InsertOp op);
  llvm::LogicalResult lowerCheck(CheckOp op);
  llvm::LogicalResult lowerIf(mlir::scf::IfOp op);
  llvm::LogicalResult lowerFor(mlir::scf::ForOp op);
  llvm::LogicalResult lowerWhile(mlir::scf::WhileOp op);
  /// Fields that stand for the carried values of a loop.
  llvm::LogicalResult addInits(mlir::Operation *loop, mlir::OperandRange inits,
                               llvm::SmallVectorImpl<mlir::Value> &fields);
  /// Where a loop writes the next value of what it carries: a buffer, or, where
  /// memory grows, a slot (i32) that changes places with the `current` one.
  struct Spare {
    mlir::Value buffer, slot, current;
  };
  /// Binds the carried values of a loop, inside or after it, to `fields`;
  /// returns the spares, empty where there is none.
  llvm::SmallVector<Spare> bindCarried(mlir::Operation *loop,
                                       mlir::ValueRange carried,
                                       mlir::ValueRange fields);
  /// Lets what makes the next values write to the spares.
  void bindYields(mlir::ValueRange yields, llvm::ArrayRef<Spare> spares);
  void addYields(mlir::ValueRange carried, mlir::ValueRange yields,
                 llvm::ArrayRef<Spare> spares,
                 llvm::SmallVectorImpl<mlir::Value> &fields,
                 mlir::Location loc);

  mlir::ModuleOp module;
  mlir::SymbolTable kernels;
  mlir::func::FuncOp main;
  ProgramTables &tables;
  SizeTable sizes;
  mlir::OpBuilder builder;
  const bool deviceMemory; ///< Whether the host cannot address tensors.
  mlir::LLVM::LLVMPointerType pointerType;
  mlir::Value frame, values, arena, offsets, weights, io, args, failed;
  mlir::Value transfer; ///< Where elements read from the device are put.
  int64_t numArgs = 1; ///< Largest number of arguments of a launch.
  llvm::DenseMap<mlir::Value, mlir::Value> addresses, scalars;
  /// The growable slot (i32) that a tensor is in, or is to be written to.
  llvm::DenseMap<mlir::Value, mlir::Value> growables;
  llvm::SmallBitVector bound; ///< Symbols that are bound so far.
  llvm::DenseMap<mlir::Value, bool> dynamic;
  llvm::DenseMap<mlir::Value, int64_t> valueSlots;
  llvm::MapVector<mlir::Attribute, int64_t> literalIds;
  int64_t nextSlot = 0;
  bool hasValues = false;
  llvm::MapVector<std::pair<mlir::Attribute, mlir::Attribute>, unsigned>
      weightIds;
};

} // namespace lathe

#endif // LATHE_LIB_CONVERSION_LATHETOLLVM_PROGRAMLOWERING_H
