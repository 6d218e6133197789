// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The target as the pipeline sees it. The program that launches kernels is
// code for the host; the kernels are data in it, as PTX and machine code.

#include "CostModel.h"
#include "lathe/Target/CUDA/CUDA.h"

#include "lathe/Dialect/Lathe/IR/Lathe.h"
#include "llvm/IR/Constants.h"
#include "llvm/IR/Module.h"
#include "llvm/Support/FormatVariadic.h"

using namespace mlir;
using namespace lathe;

/// Columns of f32 in a panel of packed weights: those of a tile, so that a tile
/// reads one panel, row after row.
static constexpr unsigned panelWidth = cuda::tileColumns;

/// What the runtime calls the driver that launches kernels.
static constexpr llvm::StringLiteral driverSymbol = "lathe_rt_cuda";

/// Several PTX modules of one chip as one: the first one's head, and all
/// bodies.
static std::string joinPtx(ArrayRef<StringRef> texts) {
  std::string joined;
  for (StringRef text : texts) {
    static constexpr llvm::StringLiteral headEnd = ".address_size 64\n";
    size_t at = text.find(headEnd);
    if (joined.empty() || at == StringRef::npos)
      joined += text;
    else
      joined += text.substr(at + headEnd.size());
  }
  return joined;
}

namespace {
class DeviceTables {
public:
  DeviceTables(llvm::Module &module)
      : module(module), context(module.getContext()),
        pointer(llvm::PointerType::get(context, 0)) {}

  llvm::Constant *i32(int64_t value) {
    return llvm::ConstantInt::getSigned(llvm::Type::getInt32Ty(context), value);
  }
  llvm::Constant *i64(int64_t value) {
    return llvm::ConstantInt::getSigned(llvm::Type::getInt64Ty(context), value);
  }
  llvm::GlobalVariable *global(llvm::Constant *value, StringRef name = "") {
    return new llvm::GlobalVariable(
        module, value->getType(), /*isConstant=*/true,
        name.empty() ? llvm::GlobalValue::PrivateLinkage
                     : llvm::GlobalValue::ExternalLinkage,
        value, name);
  }
  llvm::Constant *bytes(StringRef data, bool terminated) {
    return global(
        llvm::ConstantDataArray::getString(context, data, terminated));
  }
  llvm::Constant *record(ArrayRef<llvm::Constant *> fields) {
    return llvm::ConstantStruct::getAnon(context, fields);
  }
  llvm::Constant *array(ArrayRef<llvm::Constant *> records) {
    return llvm::ConstantArray::get(
        llvm::ArrayType::get(records.front()->getType(), records.size()),
        records);
  }
  /// Puts `value` in the place of a declaration.
  void define(StringRef name, llvm::Constant *value) {
    llvm::GlobalValue *declared = module.getNamedValue(name);
    if (!declared)
      return;
    declared->replaceAllUsesWith(value);
    declared->eraseFromParent();
  }

  llvm::Module &module;
  llvm::LLVMContext &context;
  llvm::Type *pointer;
};

class CudaTarget : public TargetInterface {
public:
  CudaTarget(cuda::Target target, std::unique_ptr<TargetInterface> host)
      : target(std::move(target)), host(std::move(host)) {}

  std::string getDescription() const override { return "cuda:" + target.name; }
  std::string getTriple() const override { return host->getTriple(); }
  std::string getRequiredFeatures() const override {
    return host->getRequiredFeatures();
  }
  std::string getIdentity() const override {
    return llvm::formatv("{0} {1} {2} {3}", target.name, target.optLevel,
                         cuda::getAssembler(), host->getIdentity())
        .str();
  }
  unsigned getPanelWidth() const override { return panelWidth; }
  bool hasDeviceMemory() const override { return true; }
  std::optional<MergeLimits> getMergeLimits() const override {
    return MergeLimits{cuda::deviceTiles, cuda::maxParameters - 3,
                       cuda::maxSharedBytes};
  }
  bool makesObjects() const override { return false; }
  void buildKernelPipeline(OpPassManager &onKernel) const override {
    cuda::buildKernelPipeline(onKernel);
  }
  FailureOr<Bytes> emitKernel(KernelOp kernel, StringRef symbol,
                              StringRef suffix) const override;
  std::string joinTexts(ArrayRef<StringRef> texts,
                        StringRef suffix) const override;
  FailureOr<Bytes>
  emitProgram(ModuleOp program, StringRef prefix, ArrayRef<KernelCode> kernels,
              function_ref<void(llvm::Module &)> complete) const override;

private:
  void addDevice(llvm::Module &module, StringRef prefix,
                 ArrayRef<KernelCode> kernels) const;

  cuda::Target target;
  std::unique_ptr<TargetInterface> host;
};
} // namespace

/// For an artifact: a word of facts that the runtime needs, and the PTX of each
/// chip, each with a NUL at its end.
FailureOr<TargetInterface::Bytes>
CudaTarget::emitKernel(KernelOp kernel, StringRef symbol,
                       StringRef suffix) const {
  if (suffix == ".ll" || suffix == ".ptx")
    return cuda::emitKernel(kernel, target, target.chips.front(), symbol,
                            suffix == ".ll" ? cuda::Output::LLVMIR
                                            : cuda::Output::PTX);
  auto scratch = kernel->getAttrOfType<AffineMapAttr>(scratchAttrName);
  bool hasScratch =
      scratch && !(scratch.getValue().isSingleConstant() &&
                   scratch.getValue().getSingleConstantResult() == 0);
  Bytes bytes;
  std::string head = std::to_string(kernel.getBlock().getNumArguments()) + " " +
                     std::to_string(int(hasScratch));
  bytes.append(head.begin(), head.end());
  bytes.push_back(0);
  for (const cuda::Chip &chip : target.chips) {
    FailureOr<Bytes> ptx =
        cuda::emitKernel(kernel, target, chip, symbol, cuda::Output::PTX);
    if (failed(ptx))
      return failure();
    bytes.append(ptx->begin(), ptx->end());
    bytes.push_back(0);
  }
  return bytes;
}

std::string CudaTarget::joinTexts(ArrayRef<StringRef> texts,
                                  StringRef suffix) const {
  return suffix == ".ptx" ? joinPtx(texts)
                          : TargetInterface::joinTexts(texts, suffix);
}

void CudaTarget::addDevice(llvm::Module &module, StringRef prefix,
                           ArrayRef<KernelCode> kernels) const {
  DeviceTables t(module);
  // Chip by chip, the texts of all kernels.
  SmallVector<SmallVector<StringRef>> texts(target.chips.size());
  SmallVector<llvm::Constant *> records;
  for (const KernelCode &kernel : kernels) {
    SmallVector<StringRef> parts;
    kernel.bytes.split(parts, '\0');
    auto [words, scratch] = parts[0].split(' ');
    int64_t numArgs = 0, hasScratch = 0;
    words.getAsInteger(10, numArgs);
    scratch.getAsInteger(10, hasScratch);
    records.push_back(
        t.record({t.bytes(kernel.symbol, true), t.i32(cuda::blockThreads),
                  t.i32(numArgs), t.i32(hasScratch), t.i32(0)}));
    for (auto [i, list] : llvm::enumerate(texts))
      list.push_back(parts[i + 1]);
  }
  SmallVector<llvm::Constant *> images;
  for (auto [chip, list] : llvm::zip_equal(target.chips, texts)) {
    std::string ptx = joinPtx(list);
    SmallVector<char, 0> code = cuda::assemble(ptx, chip);
    if (!code.empty())
      images.push_back(
          t.record({t.i32(chip.capability), t.i32(1), t.i64(code.size()),
                    t.bytes(StringRef(code.data(), code.size()), false)}));
    images.push_back(t.record({t.i32(chip.capability), t.i32(0),
                               t.i64(ptx.size() + 1), t.bytes(ptx, true)}));
  }
  llvm::Constant *kernelTable =
      llvm::ConstantPointerNull::get(llvm::PointerType::get(t.context, 0));
  if (!records.empty()) {
    llvm::Constant *array = t.array(records);
    kernelTable = t.global(array);
    for (auto [i, kernel] : llvm::enumerate(kernels))
      t.define(kernel.symbol,
               llvm::ConstantExpr::getInBoundsGetElementPtr(
                   array->getType(), kernelTable,
                   ArrayRef<llvm::Constant *>{t.i64(0), t.i64(i)}));
  }
  auto *driver = new llvm::GlobalVariable(
      module, llvm::Type::getInt8Ty(t.context), /*isConstant=*/true,
      llvm::GlobalValue::ExternalLinkage, nullptr, driverSymbol);
  driver->setVisibility(llvm::GlobalValue::HiddenVisibility);
  llvm::Constant *device =
      t.record({driver, t.i32(images.size()), t.i32(records.size()),
                t.global(t.array(images)), kernelTable});
  t.define((prefix + "_device").str(), t.global(device));
}

FailureOr<TargetInterface::Bytes>
CudaTarget::emitProgram(ModuleOp program, StringRef prefix,
                        ArrayRef<KernelCode> kernels,
                        function_ref<void(llvm::Module &)> complete) const {
  auto completeWithDevice = [&](llvm::Module &module) {
    complete(module);
    addDevice(module, prefix, kernels);
  };
  return host->emitProgram(program, prefix, /*kernels=*/{}, completeWithDevice);
}

static constexpr StringRef textSuffixes[] = {".ll", ".ptx"};

TargetEntry cuda::getTargetEntry(TargetEntry host) {
  return {"cuda", textSuffixes,
          [host](const TargetOptions &options, std::string &error)
              -> FailureOr<std::unique_ptr<TargetInterface>> {
            FailureOr<cuda::Target> target = parseTarget(options.gpu, error);
            if (failed(target))
              return failure();
            FailureOr<std::unique_ptr<TargetInterface>> hostTarget =
                host.create(options, error);
            if (failed(hostTarget))
              return failure();
            target->optLevel = options.optLevel;
            return std::unique_ptr<TargetInterface>(
                std::make_unique<CudaTarget>(std::move(*target),
                                             std::move(*hostTarget)));
          }};
}
