// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "lathe/Target/Kernel/Emission.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Target/LLVMIR/Export.h"
#include "llvm/IR/LLVMContext.h"
#include "llvm/IR/LegacyPassManager.h"
#include "llvm/IR/Module.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/Passes/PassBuilder.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/Support/raw_ostream.h"
#include "llvm/Target/TargetMachine.h"
#include "llvm/Target/TargetOptions.h"
#include "llvm/TargetParser/Triple.h"
#include <mutex>

using namespace mlir;
using namespace lathe;

void lathe::initializeBackEnds() {
  static std::once_flag once;
  std::call_once(once, [] {
    llvm::InitializeAllTargetInfos();
    llvm::InitializeAllTargets();
    llvm::InitializeAllTargetMCs();
    llvm::InitializeAllAsmPrinters();
    llvm::InitializeAllAsmParsers();
  });
}

/// Null where LLVM has no back end for the triple.
static std::unique_ptr<llvm::TargetMachine>
createMachine(const CodeOptions &code) {
  std::string error;
  llvm::Triple triple(code.triple);
  const llvm::Target *target =
      llvm::TargetRegistry::lookupTarget(triple, error);
  if (!target)
    return nullptr;
  llvm::TargetOptions options;
  options.AllowFPOpFusion = llvm::FPOpFusion::Standard;
  return std::unique_ptr<llvm::TargetMachine>(target->createTargetMachine(
      triple, code.cpu, code.features, options, code.relocation, std::nullopt,
      code.optLevel == 0   ? llvm::CodeGenOptLevel::None
      : code.optLevel == 1 ? llvm::CodeGenOptLevel::Less
                           : llvm::CodeGenOptLevel::Default));
}

static void optimize(llvm::Module &module, llvm::TargetMachine &machine,
                     const CodeOptions &code) {
  llvm::PipelineTuningOptions tuning;
  // What runs side by side is chosen already.
  tuning.LoopVectorization = false;
  tuning.SLPVectorization = false;
  tuning.LoopInterleaving = false;
  if (!code.unrollLoops)
    tuning.LoopUnrolling = false;
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
      code.optLevel == 0
          ? builder.buildO0DefaultPipeline(llvm::OptimizationLevel::O0)
          : builder.buildPerModuleDefaultPipeline(
                code.optLevel == 1 ? llvm::OptimizationLevel::O1
                                   : llvm::OptimizationLevel::O2);
  passes.run(module, mam);
}

/// Makes the module one of the machine's, and optimizes it.
static void finish(llvm::Module &module, llvm::TargetMachine &machine,
                   const CodeOptions &code,
                   function_ref<void(llvm::Module &)> complete) {
  module.setTargetTriple(llvm::Triple(code.triple));
  module.setDataLayout(machine.createDataLayout());
  complete(module);
  for (llvm::Function &function : module)
    if (!function.isDeclaration())
      code.setAttributes(function);
  optimize(module, machine, code);
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

/// Failure where the machine cannot write code of this type.
static FailureOr<SmallVector<char, 0>> emit(llvm::Module &module,
                                            llvm::TargetMachine &machine,
                                            llvm::CodeGenFileType type) {
  SmallVector<char, 0> bytes;
  llvm::raw_svector_ostream stream(bytes);
  llvm::legacy::PassManager passes;
  if (machine.addPassesToEmitFile(passes, stream, nullptr, type))
    return failure();
  passes.run(module);
  return bytes;
}

FailureOr<SmallVector<char, 0>>
lathe::emitKernelCode(KernelOp kernel, ModuleOp lowered, StringRef symbol,
                      const CodeOptions &options,
                      std::optional<llvm::CodeGenFileType> type) {
  llvm::LLVMContext context;
  std::unique_ptr<llvm::Module> module =
      translateModuleToLLVMIR(lowered, context, symbol);
  if (!module)
    return kernel.emitOpError("expected a body that LLVM can represent");
  std::unique_ptr<llvm::TargetMachine> machine = createMachine(options);
  if (!machine)
    return kernel.emitOpError("expected LLVM to have a back end for ")
           << options.triple;
  finish(*module, *machine, options, [](llvm::Module &) {});
  if (failed(verifyNoCalls(kernel, *module)))
    return failure();
  if (!type) {
    SmallVector<char, 0> text;
    llvm::raw_svector_ostream stream(text);
    module->print(stream, nullptr);
    return text;
  }
  FailureOr<SmallVector<char, 0>> code = emit(*module, *machine, *type);
  if (failed(code))
    return kernel.emitOpError("expected a target that can emit code");
  return code;
}

FailureOr<SmallVector<char, 0>>
lathe::emitProgramCode(ModuleOp program, const CodeOptions &options,
                       function_ref<void(llvm::Module &)> complete) {
  llvm::LLVMContext context;
  std::unique_ptr<llvm::Module> module =
      translateModuleToLLVMIR(program, context);
  std::unique_ptr<llvm::TargetMachine> machine = createMachine(options);
  if (!module || !machine)
    return program.emitError("expected a program that LLVM can represent for ")
           << options.triple;
  finish(*module, *machine, options, complete);
  FailureOr<SmallVector<char, 0>> code =
      emit(*module, *machine, llvm::CodeGenFileType::ObjectFile);
  if (failed(code))
    return program.emitError("expected a target that can emit code");
  return code;
}
