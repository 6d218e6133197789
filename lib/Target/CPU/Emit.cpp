// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// From a kernel in buffer form to code: the kernel becomes a function over tile
// numbers, is lowered to LLVM's dialect, translated, optimized and emitted.

#include "Lower.h"
#include "lathe/Target/CPU/CPU.h"

#include "lathe/Dialect/Lathe/IR/Lathe.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Target/LLVMIR/Export.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/IR/LLVMContext.h"
#include "llvm/IR/LegacyPassManager.h"
#include "llvm/IR/Module.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/Passes/PassBuilder.h"
#include "llvm/Support/raw_ostream.h"
#include "llvm/Target/TargetMachine.h"
#include "llvm/Target/TargetOptions.h"
#include "llvm/TargetParser/Triple.h"

using namespace mlir;
using namespace lathe;

static std::unique_ptr<llvm::TargetMachine>
createMachine(const cpu::Target &target) {
  std::string error;
  llvm::Triple triple(target.triple);
  const llvm::Target *llvmTarget =
      llvm::TargetRegistry::lookupTarget(triple, error);
  if (!llvmTarget)
    return nullptr;
  llvm::TargetOptions options;
  options.AllowFPOpFusion = llvm::FPOpFusion::Standard;
  return std::unique_ptr<llvm::TargetMachine>(llvmTarget->createTargetMachine(
      triple, target.cpu, target.features, options, llvm::Reloc::PIC_,
      std::nullopt,
      target.optLevel == 0   ? llvm::CodeGenOptLevel::None
      : target.optLevel == 1 ? llvm::CodeGenOptLevel::Less
                             : llvm::CodeGenOptLevel::Default));
}

/// Attributes that functions need so that code is made for the target, and so
/// that no loop turns into a call of memset or memcpy.
static void setAttributes(llvm::Module &module, const cpu::Target &target) {
  for (llvm::Function &function : module) {
    if (function.isDeclaration())
      continue;
    function.addFnAttr("target-cpu", target.cpu);
    if (!target.features.empty())
      function.addFnAttr("target-features", target.features);
    function.addFnAttr("no-builtins");
    function.addFnAttr("prefer-vector-width",
                       std::to_string(target.vectorBytes * 8));
    function.addFnAttr("min-legal-vector-width",
                       std::to_string(target.vectorBytes * 8));
    function.addFnAttr(llvm::Attribute::NoUnwind);
  }
}

static void optimize(llvm::Module &module, llvm::TargetMachine &machine,
                     unsigned level) {
  llvm::PipelineTuningOptions tuning;
  // Vectors and blocks are chosen already.
  tuning.LoopVectorization = false;
  tuning.SLPVectorization = false;
  tuning.LoopUnrolling = false;
  tuning.LoopInterleaving = false;
  llvm::LoopAnalysisManager lam;
  llvm::FunctionAnalysisManager fam;
  llvm::CGSCCAnalysisManager cgam;
  llvm::ModuleAnalysisManager mam;
  llvm::PassBuilder builder(&machine, tuning);
  fam.registerPass([&] {
    llvm::TargetLibraryInfoImpl info(module.getTargetTriple());
    info.disableAllFunctions();
    return llvm::TargetLibraryAnalysis(info);
  });
  builder.registerModuleAnalyses(mam);
  builder.registerCGSCCAnalyses(cgam);
  builder.registerFunctionAnalyses(fam);
  builder.registerLoopAnalyses(lam);
  builder.crossRegisterProxies(lam, fam, cgam, mam);
  llvm::ModulePassManager passes =
      level == 0 ? builder.buildO0DefaultPipeline(llvm::OptimizationLevel::O0)
                 : builder.buildPerModuleDefaultPipeline(
                       level == 1 ? llvm::OptimizationLevel::O1
                                  : llvm::OptimizationLevel::O2);
  passes.run(module, mam);
}

/// Kernels call nothing; a function that is declared but not an intrinsic is
/// one that no library would provide.
static LogicalResult verifyNoCalls(KernelOp kernel, llvm::Module &module) {
  for (llvm::Function &function : module)
    if (function.isDeclaration() && !function.isIntrinsic() &&
        !function.use_empty())
      return kernel.emitOpError(
                 "expected code that calls nothing, got a call of '")
             << function.getName() << "'";
  return success();
}

/// Text in which the names of local labels begin with `.L<symbol>_`, so that
/// the texts of several kernels make one file.
static SmallVector<char, 0> renameLabels(StringRef text, StringRef symbol) {
  SmallVector<char, 0> renamed;
  while (!text.empty()) {
    size_t at = text.find(".L");
    bool isLabel = at != StringRef::npos &&
                   (at == 0 || !(llvm::isAlnum(text[at - 1]) ||
                                 StringRef("_.$").contains(text[at - 1])));
    StringRef before = text.take_front(at == StringRef::npos ? at : at + 2);
    renamed.append(before.begin(), before.end());
    text = text.drop_front(before.size());
    if (isLabel) {
      renamed.append(symbol.begin(), symbol.end());
      renamed.push_back('_');
    }
  }
  return renamed;
}

FailureOr<SmallVector<char, 0>> cpu::emitKernel(KernelOp kernel,
                                                const Target &target,
                                                StringRef symbol,
                                                Output output) {
  OwningOpRef<ModuleOp> lowered = lowerKernel(kernel, symbol);
  if (!lowered)
    return failure();
  llvm::LLVMContext context;
  std::unique_ptr<llvm::Module> module =
      translateModuleToLLVMIR(*lowered, context, symbol);
  if (!module)
    return kernel.emitOpError("expected a body that LLVM can represent");
  std::unique_ptr<llvm::TargetMachine> machine = createMachine(target);
  if (!machine)
    return kernel.emitOpError("expected LLVM to have a back end for ")
           << target.triple;
  module->setTargetTriple(llvm::Triple(target.triple));
  module->setDataLayout(machine->createDataLayout());
  setAttributes(*module, target);
  optimize(*module, *machine, target.optLevel);
  if (failed(verifyNoCalls(kernel, *module)))
    return failure();

  SmallVector<char, 0> bytes;
  llvm::raw_svector_ostream stream(bytes);
  if (output == Output::LLVMIR) {
    module->print(stream, nullptr);
    return bytes;
  }
  llvm::legacy::PassManager passes;
  if (machine->addPassesToEmitFile(passes, stream, nullptr,
                                   output == Output::Object
                                       ? llvm::CodeGenFileType::ObjectFile
                                       : llvm::CodeGenFileType::AssemblyFile))
    return kernel.emitOpError("expected a target that can emit code");
  passes.run(*module);
  if (output == Output::Assembly)
    bytes = renameLabels(StringRef(bytes.data(), bytes.size()), symbol);
  return bytes;
}

FailureOr<SmallVector<char, 0>>
cpu::emitModule(ModuleOp op, const Target &target,
                llvm::function_ref<void(llvm::Module &)> complete) {
  llvm::LLVMContext context;
  std::unique_ptr<llvm::Module> module = translateModuleToLLVMIR(op, context);
  std::unique_ptr<llvm::TargetMachine> machine = createMachine(target);
  if (!module || !machine)
    return op.emitError("expected a program that LLVM can represent for ")
           << target.triple;
  module->setTargetTriple(llvm::Triple(target.triple));
  module->setDataLayout(machine->createDataLayout());
  complete(*module);
  setAttributes(*module, target);
  optimize(*module, *machine, target.optLevel);
  SmallVector<char, 0> bytes;
  llvm::raw_svector_ostream stream(bytes);
  llvm::legacy::PassManager passes;
  if (machine->addPassesToEmitFile(passes, stream, nullptr,
                                   llvm::CodeGenFileType::ObjectFile))
    return op.emitError("expected a target that can emit code");
  passes.run(*module);
  return bytes;
}
