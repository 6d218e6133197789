// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Writes the tables of include/lathe-rt/artifact.h as LLVM constants. Built on
// LLVM's IR directly: nested constant structures have no shorter form in the
// LLVM dialect.

#include "lathe/Conversion/LatheToLLVM/ProgramToLLVM.h"

#include "lathe-rt/artifact.h"
#include "lathe-rt/lathe.h"

#include "llvm/IR/Constants.h"
#include "llvm/IR/DerivedTypes.h"
#include "llvm/IR/IRBuilder.h"
#include "llvm/IR/Module.h"

using namespace lathe;

namespace {
class TableWriter {
public:
  explicit TableWriter(llvm::Module &module)
      : module(module), context(module.getContext()),
        pointer(llvm::PointerType::get(context, 0)) {}

  llvm::Constant *integer(unsigned bits, int64_t value) {
    return llvm::ConstantInt::getSigned(llvm::IntegerType::get(context, bits),
                                        value, /*ImplicitTrunc=*/true);
  }
  llvm::Constant *null() { return llvm::ConstantPointerNull::get(pointer); }
  llvm::Constant *global(llvm::Constant *value) {
    auto *variable =
        new llvm::GlobalVariable(module, value->getType(), /*isConstant=*/true,
                                 llvm::GlobalValue::PrivateLinkage, value, "");
    variable->setUnnamedAddr(llvm::GlobalValue::UnnamedAddr::Global);
    return variable;
  }
  llvm::Constant *text(llvm::StringRef value) {
    auto [it, fresh] = texts.try_emplace(value, nullptr);
    if (fresh)
      it->second = global(llvm::ConstantDataArray::getString(context, value));
    return it->second;
  }
  llvm::Constant *record(llvm::ArrayRef<llvm::Constant *> fields) {
    return llvm::ConstantStruct::getAnon(context, fields);
  }
  /// An array of equally typed constants behind a pointer; null when empty.
  llvm::Constant *array(llvm::ArrayRef<llvm::Constant *> values) {
    if (values.empty())
      return null();
    return global(llvm::ConstantArray::get(
        llvm::ArrayType::get(values.front()->getType(), values.size()),
        values));
  }
  llvm::Constant *integers(llvm::ArrayRef<int64_t> values) {
    if (values.empty())
      return null();
    return global(llvm::ConstantDataArray::get(context, values));
  }
  llvm::Constant *symbol(llvm::StringRef name) {
    if (llvm::GlobalValue *known = module.getNamedValue(name))
      return known;
    auto *variable = new llvm::GlobalVariable(
        module, llvm::Type::getInt8Ty(context), /*isConstant=*/true,
        llvm::GlobalValue::ExternalLinkage, nullptr, name);
    variable->setVisibility(llvm::GlobalValue::HiddenVisibility);
    return variable;
  }
  llvm::Constant *tensors(llvm::ArrayRef<ProgramTables::Tensor> list);

  llvm::Module &module;
  llvm::LLVMContext &context;
  llvm::PointerType *pointer;

private:
  llvm::StringMap<llvm::Constant *> texts;
};
} // namespace

/// DLPack's type code of an ONNX element type.
static unsigned getTypeCode(mlir::Type type) {
  if (type.isInteger(1))
    return kDLBool;
  if (type.isUnsignedInteger())
    return kDLUInt;
  if (type.isBF16())
    return kDLBfloat;
  if (mlir::isa<mlir::FloatType>(type))
    return kDLFloat;
  return kDLInt;
}

llvm::Constant *
TableWriter::tensors(llvm::ArrayRef<ProgramTables::Tensor> list) {
  llvm::SmallVector<llvm::Constant *> records;
  for (const ProgramTables::Tensor &tensor : list) {
    // A bool is a byte.
    unsigned bits = tensor.elementType.isInteger(1)
                        ? 8
                        : tensor.elementType.getIntOrFloatBitWidth();
    llvm::SmallVector<llvm::Constant *> names;
    for (const std::string &name : tensor.dimNames)
      names.push_back(name.empty() ? null() : text(name));
    records.push_back(record(
        {text(tensor.name), integer(8, getTypeCode(tensor.elementType)),
         integer(8, bits), integer(16, 1), integer(32, tensor.dims.size()),
         integers(tensor.dims), array(names)}));
  }
  return array(records);
}

void lathe::addTables(llvm::Module &module, const ProgramTables &tables,
                      const TableTarget &target) {
  TableWriter w(module);
  llvm::SmallVector<llvm::Constant *> symbols, slots, launches, checks,
      metadata;
  for (const std::string &name : tables.symbols)
    symbols.push_back(w.text(name));
  for (const ProgramTables::Slot &slot : tables.slots)
    slots.push_back(
        w.record({w.integer(64, slot.bytes), w.integer(32, slot.first),
                  w.integer(32, slot.last)}));
  for (const ProgramTables::Launch &launch : tables.launches)
    launches.push_back(
        w.record({w.text(launch.kernel), w.text(launch.nodes),
                  w.integer(64, launch.flops), w.integer(64, launch.bytes)}));
  for (const ProgramTables::Check &check : tables.checks)
    checks.push_back(w.record({w.text(check.node), w.text(check.message)}));
  for (const auto &[key, value] : tables.metadata) {
    metadata.push_back(w.text(key));
    metadata.push_back(w.text(value));
  }
  if (!metadata.empty())
    metadata.push_back(w.null());

  auto size = [&](const auto &list) { return w.integer(32, list.size()); };
  llvm::Constant *weights =
      target.hasWeights ? w.symbol(tables.prefix + "_weights") : w.null();
  llvm::Constant *eval =
      tables.numValues ? w.symbol(tables.prefix + "_eval") : w.null();
  llvm::SmallVector<llvm::Constant *> fields = {
      w.integer(32, LATHE_RT_ARTIFACT_VERSION),
      w.integer(32, target.hasDevice ? sizeof(lathe_rt_model)
                                     : offsetof(lathe_rt_model, device)),
      w.text(tables.prefix),
      w.text(target.target),
      w.text(target.cpuFeatures),
      size(tables.inputs),
      size(tables.outputs),
      size(tables.symbols),
      w.integer(32, tables.numValues),
      size(tables.slots),
      size(tables.launches),
      size(tables.checks),
      w.integer(32, 0),
      w.tensors(tables.inputs),
      w.tensors(tables.outputs),
      w.array(symbols),
      w.array(slots),
      tables.offsets && !tables.offsets->empty() ? w.integers(*tables.offsets)
                                                 : w.null(),
      w.integer(64, tables.arenaBytes),
      w.integer(64, tables.scratchBytes),
      weights,
      w.integer(64, tables.weightsBytes),
      eval,
      w.symbol(tables.prefix + "_program"),
      w.array(launches),
      w.array(checks),
      w.array(metadata)};
  if (target.hasDevice)
    fields.push_back(w.symbol(tables.prefix + "_device"));
  llvm::Constant *model = w.record(fields);

  llvm::Constant *variants = w.array({w.global(model)});
  llvm::Constant *entry =
      w.global(w.record({w.integer(32, LATHE_ABI_VERSION), w.integer(32, 1),
                         w.symbol("lathe_rt_api"), variants}));
  auto *function =
      llvm::Function::Create(llvm::FunctionType::get(w.pointer, false),
                             llvm::GlobalValue::ExternalLinkage,
                             tables.prefix + "_lathe_model", module);
  llvm::IRBuilder<> builder(llvm::BasicBlock::Create(w.context, "", function));
  builder.CreateRet(entry);

  // All but the entry point is the artifact's own.
  for (llvm::Function &f : module)
    if (&f != function && f.hasExternalLinkage())
      f.setVisibility(llvm::GlobalValue::HiddenVisibility);
}
