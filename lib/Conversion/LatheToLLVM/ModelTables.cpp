// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Writes the tables of include/lathe-rt/artifact.h as LLVM constants. Built on
// LLVM's IR directly: nested constant structures have no shorter form in the
// LLVM dialect.

#include "lathe/Conversion/LatheToLLVM/ProgramToLLVM.h"

#include "lathe-rt/artifact.h"
#include "lathe-rt/lathe.h"

#include "mlir/IR/DialectResourceBlobManager.h"
#include "llvm/ADT/TypeSwitch.h"
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
  llvm::Constant *host(const ProgramTables &tables);
  llvm::Constant *literal(mlir::ElementsAttr value);
  llvm::Constant *bytes(llvm::StringRef data);

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
  if (mlir::isa<mlir::FloatType>(type))
    return llvm::TypeSwitch<mlir::Type, unsigned>(type)
        .Case([](mlir::BFloat16Type) { return kDLBfloat; })
        .Case([](mlir::Float8E4M3FNType) { return kDLFloat8_e4m3fn; })
        .Case([](mlir::Float8E4M3FNUZType) { return kDLFloat8_e4m3fnuz; })
        .Case([](mlir::Float8E5M2Type) { return kDLFloat8_e5m2; })
        .Case([](mlir::Float8E5M2FNUZType) { return kDLFloat8_e5m2fnuz; })
        .Case([](mlir::Float8E8M0FNUType) { return kDLFloat8_e8m0fnu; })
        .Case([](mlir::Float6E2M3FNType) { return kDLFloat6_e2m3fn; })
        .Case([](mlir::Float6E3M2FNType) { return kDLFloat6_e3m2fn; })
        .Case([](mlir::Float4E2M1FNType) { return kDLFloat4_e2m1fn; })
        .Default([](mlir::Type) { return kDLFloat; });
  return kDLInt;
}

llvm::Constant *
TableWriter::tensors(llvm::ArrayRef<ProgramTables::Tensor> list) {
  llvm::SmallVector<llvm::Constant *> records;
  for (const ProgramTables::Tensor &tensor : list) {
    // A bool is a byte.
    bool isValue = !tensor.valueType.empty();
    unsigned bits = isValue ? 64
                    : tensor.elementType.isInteger(1)
                        ? 8
                        : tensor.elementType.getIntOrFloatBitWidth();
    llvm::SmallVector<llvm::Constant *> names;
    for (const std::string &name : tensor.dimNames)
      names.push_back(name.empty() ? null() : text(name));
    records.push_back(record(
        {text(tensor.name),
         integer(8, isValue ? unsigned(kDLOpaqueHandle)
                            : getTypeCode(tensor.elementType)),
         integer(8, bits), integer(16, 1),
         integer(32, isValue && !tensor.hasRank ? -1 : tensor.dims.size()),
         integers(tensor.dims), array(names),
         integer(64, static_cast<int64_t>(tensor.dataDims)),
         isValue ? text(tensor.valueType) : null()}));
  }
  return array(records);
}

llvm::Constant *TableWriter::bytes(llvm::StringRef data) {
  return global(
      llvm::ConstantDataArray::getString(context, data, /*AddNull=*/true));
}

/// A literal of the program: strings, or numbers in row-major order.
llvm::Constant *TableWriter::literal(mlir::ElementsAttr value) {
  auto type = mlir::cast<mlir::RankedTensorType>(value.getType());
  std::string data;
  llvm::SmallVector<int64_t> offsets;
  if (auto strings = mlir::dyn_cast<mlir::DenseStringElementsAttr>(value)) {
    for (int64_t i = 0; i < type.getNumElements(); ++i) {
      offsets.push_back(data.size());
      data += strings.getRawStringData()[strings.isSplat() ? 0 : i];
    }
    offsets.push_back(data.size());
    return record({integer(8, kDLOpaqueHandle), integer(8, 64), integer(16, 0),
                   integer(32, type.getRank()), integers(type.getShape()),
                   bytes(data), integers(offsets)});
  }
  mlir::Type element = type.getElementType();
  if (auto dense = mlir::dyn_cast<mlir::DenseElementsAttr>(value)) {
    if (element.isInteger(1))
      for (bool bit : dense.getValues<bool>())
        data.push_back(bit);
    else
      for (int64_t i = 0, e = dense.isSplat() ? type.getNumElements() : 1;
           i < e; ++i)
        data.append(dense.getRawData().data(), dense.getRawData().size());
  } else {
    llvm::ArrayRef<char> blob =
        mlir::cast<mlir::DenseResourceElementsAttr>(value)
            .getRawHandle()
            .getBlob()
            ->getData();
    data.assign(blob.data(), blob.size());
  }
  auto *array = mlir::cast<llvm::GlobalVariable>(bytes(data));
  array->setAlignment(llvm::Align(64));
  unsigned bits = element.isInteger(1) ? 8 : element.getIntOrFloatBitWidth();
  return record({integer(8, getTypeCode(element)), integer(8, bits),
                 integer(16, 0), integer(32, type.getRank()),
                 integers(type.getShape()), array, null()});
}

llvm::Constant *TableWriter::host(const ProgramTables &tables) {
  if (tables.numValueSlots == 0)
    return null();
  llvm::SmallVector<llvm::Constant *> calls, literals;
  for (const ProgramTables::Call &call : tables.calls) {
    llvm::SmallVector<llvm::Constant *> operands;
    for (const ProgramTables::Operand &operand : call.operands) {
      mlir::Type type = operand.elementType;
      unsigned bits = !type               ? 0
                      : type.isInteger(1) ? 8
                                          : type.getIntOrFloatBitWidth();
      operands.push_back(
          record({integer(32, operand.kind), integer(32, operand.index),
                  integer(8, type ? getTypeCode(type) : 0), integer(8, bits),
                  integer(16, 0), integer(32, operand.dims.size()),
                  integers(operand.dims)}));
    }
    calls.push_back(record(
        {text(call.node), integer(32, call.numInputs),
         integer(32, call.numResults), integer(32, call.ints.size()),
         integer(32, call.numSizes), array(operands), integers(call.ints)}));
  }
  for (mlir::ElementsAttr value : tables.literals)
    literals.push_back(literal(value));
  return global(record({integer(32, tables.numValueSlots),
                        integer(32, tables.calls.size()),
                        integer(32, tables.literals.size()), integer(32, 0),
                        array(calls), array(literals)}));
}

void lathe::addTables(llvm::Module &module, const ProgramTables &tables,
                      const TableTarget &target) {
  TableWriter w(module);
  llvm::SmallVector<llvm::Constant *> symbols, slots, launches, checks, states,
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
  for (const ProgramTables::State &state : tables.states)
    states.push_back(
        w.record({w.integer(32, state.input), w.integer(32, state.output),
                  w.integer(32, state.axis), w.integer(32, 0),
                  w.integer(64, state.max)}));
  for (const auto &[key, value] : tables.metadata) {
    metadata.push_back(w.text(key));
    metadata.push_back(w.text(value));
  }
  if (!metadata.empty())
    metadata.push_back(w.null());

  auto size = [&](const auto &list) { return w.integer(32, list.size()); };
  llvm::Constant *weights =
      target.hasWeights ? w.symbol(target.model + "_weights") : w.null();
  llvm::Constant *eval =
      tables.numValues ? w.symbol(tables.prefix + "_eval") : w.null();
  llvm::SmallVector<llvm::Constant *> fields = {
      w.integer(32, LATHE_RT_ARTIFACT_VERSION),
      w.integer(32, target.hasDevice ? sizeof(lathe_rt_model)
                                     : offsetof(lathe_rt_model, device)),
      w.text(target.model),
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
      w.integer(32, tables.numGrowables),
      w.integer(32, tables.numBinds),
      size(tables.states),
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
      w.host(tables),
      w.array(states),
      w.array(metadata)};
  if (target.hasDevice)
    fields.push_back(w.symbol(tables.prefix + "_device"));
  auto *model = llvm::cast<llvm::GlobalVariable>(w.global(w.record(fields)));
  model->setLinkage(llvm::GlobalValue::ExternalLinkage);
  model->setVisibility(llvm::GlobalValue::HiddenVisibility);
  model->setName(tables.prefix + "_model");

  llvm::Function *function = nullptr;
  if (target.variants.front() == tables.prefix) {
    llvm::SmallVector<llvm::Constant *> variants;
    for (const std::string &prefix : target.variants)
      variants.push_back(w.symbol(prefix + "_model"));
    llvm::Constant *entry = w.global(w.record(
        {w.integer(32, LATHE_ABI_VERSION), w.integer(32, variants.size()),
         w.symbol("lathe_rt_api"), w.array(variants)}));
    function = llvm::Function::Create(llvm::FunctionType::get(w.pointer, false),
                                      llvm::GlobalValue::ExternalLinkage,
                                      target.model + "_lathe_model", module);
    llvm::IRBuilder<> builder(
        llvm::BasicBlock::Create(w.context, "", function));
    builder.CreateRet(entry);
  }

  // All but the entry point is the artifact's own.
  for (llvm::Function &f : module)
    if (&f != function && f.hasExternalLinkage() && !f.isIntrinsic())
      f.setVisibility(llvm::GlobalValue::HiddenVisibility);
}
