// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "CostModel.h"
#include "lathe/Target/CPU/CPU.h"

#include "lathe/Dialect/Lathe/IR/Lathe.h"

using namespace mlir;
using namespace lathe;

namespace {
class CpuTarget : public TargetInterface {
public:
  explicit CpuTarget(cpu::Target target) : target(std::move(target)) {}

  std::string getDescription() const override { return "cpu:" + target.name; }
  std::string getTriple() const override { return target.triple; }
  std::string getRequiredFeatures() const override {
    return target.requiredFeatures;
  }
  std::string getIdentity() const override { return cpu::getIdentity(target); }
  unsigned getPanelWidth() const override { return target.panelWidth; }
  unsigned getGroupLanes() const override {
    return target.vectorBytes / sizeof(float);
  }
  KernelAbilities getAbilities() const override {
    return {/*attention=*/true, target.l2Bytes};
  }
  std::optional<MachineRates> getRates() const override {
    return cpu::getRates(target);
  }
  bool sumsPairs() const override { return target.sumsPairs(); }
  bool takesDecisions() const override { return true; }
  void buildKernelPipeline(OpPassManager &onKernel) const override {
    cpu::buildKernelPipeline(onKernel, target);
  }
  FailureOr<Bytes> emitKernel(KernelOp kernel, StringRef symbol,
                              StringRef suffix) const override {
    return cpu::emitKernel(kernel, target, symbol,
                           suffix == ".ll"  ? cpu::Output::LLVMIR
                           : suffix == ".s" ? cpu::Output::Assembly
                                            : cpu::Output::Object);
  }
  FailureOr<Bytes>
  emitProgram(ModuleOp program, StringRef, ArrayRef<KernelCode>,
              function_ref<void(llvm::Module &)> complete) const override {
    return cpu::emitModule(program, target, complete);
  }

private:
  cpu::Target target;
};
} // namespace

static constexpr StringRef textSuffixes[] = {".ll", ".s"};

TargetEntry cpu::getTargetEntry() {
  return {"cpu", textSuffixes,
          [](const TargetOptions &options, std::string &error)
              -> FailureOr<std::unique_ptr<TargetInterface>> {
            FailureOr<cpu::Target> target = parseTarget(options.cpu, error);
            if (failed(target))
              return failure();
            target->optLevel = options.optLevel;
            return std::unique_ptr<TargetInterface>(
                std::make_unique<CpuTarget>(std::move(*target)));
          }};
}
