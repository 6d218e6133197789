// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// From a kernel in buffer form to PTX, in the process: no toolkit is asked.

#include "Lower.h"
#include "lathe/Target/CUDA/CUDA.h"

#include "lathe/Dialect/Lathe/IR/Lathe.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Target/LLVMIR/Export.h"
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
createMachine(const cuda::Chip &chip, unsigned level) {
  std::string error;
  llvm::Triple triple(cuda::getTripleName());
  const llvm::Target *target =
      llvm::TargetRegistry::lookupTarget(triple, error);
  if (!target)
    return nullptr;
  llvm::TargetOptions options;
  options.AllowFPOpFusion = llvm::FPOpFusion::Standard;
  return std::unique_ptr<llvm::TargetMachine>(target->createTargetMachine(
      triple, chip.name, cuda::getPtxFeature(chip), options, std::nullopt,
      std::nullopt,
      level == 0   ? llvm::CodeGenOptLevel::None
      : level == 1 ? llvm::CodeGenOptLevel::Less
                   : llvm::CodeGenOptLevel::Default));
}

static void optimize(llvm::Module &module, llvm::TargetMachine &machine,
                     unsigned level) {
  llvm::PipelineTuningOptions tuning;
  // A thread is scalar.
  tuning.LoopVectorization = false;
  tuning.SLPVectorization = false;
  tuning.LoopInterleaving = false;
  llvm::LoopAnalysisManager lam;
  llvm::FunctionAnalysisManager fam;
  llvm::CGSCCAnalysisManager cgam;
  llvm::ModuleAnalysisManager mam;
  llvm::PassBuilder builder(&machine, tuning);
  // No loop turns into a call of memset or memcpy.
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

/// The driver links nothing: a function that is declared but not an intrinsic
/// is one that nothing provides.
static LogicalResult verifyNoCalls(KernelOp kernel, llvm::Module &module) {
  for (llvm::Function &function : module)
    if (function.isDeclaration() && !function.isIntrinsic() &&
        !function.use_empty())
      return kernel.emitOpError(
                 "expected code that calls nothing, got a call of '")
             << function.getName() << "'";
  return success();
}

FailureOr<SmallVector<char, 0>>
cuda::emitKernel(KernelOp kernel, const Target &target, const Chip &chip,
                 StringRef symbol, Output output) {
  OwningOpRef<ModuleOp> lowered = lowerKernel(kernel, symbol);
  if (!lowered)
    return failure();
  llvm::LLVMContext context;
  std::unique_ptr<llvm::Module> module =
      translateModuleToLLVMIR(*lowered, context, symbol);
  if (!module)
    return kernel.emitOpError("expected a body that LLVM can represent");
  std::unique_ptr<llvm::TargetMachine> machine =
      createMachine(chip, target.optLevel);
  if (!machine)
    return kernel.emitOpError("expected LLVM to have a back end for ")
           << getTripleName();
  module->setTargetTriple(llvm::Triple(getTripleName()));
  module->setDataLayout(machine->createDataLayout());
  for (llvm::Function &function : *module)
    if (!function.isDeclaration()) {
      function.addFnAttr("target-cpu", chip.name);
      function.addFnAttr(llvm::Attribute::NoUnwind);
    }
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
                                   llvm::CodeGenFileType::AssemblyFile))
    return kernel.emitOpError("expected a target that can emit code");
  passes.run(*module);
  return bytes;
}
