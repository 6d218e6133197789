// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "lathe/Target/CUDA/CUDA.h"
#include "lathe/Target/Kernel/Emission.h"

#include "llvm/MC/MCSubtargetInfo.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/TargetParser/Triple.h"

using namespace llvm;

/// The oldest chip whose warps shuffle and whose threads make progress by
/// themselves (Volta).
static constexpr int oldestCapability = 70;

StringRef lathe::cuda::getTripleName() { return "nvptx64-nvidia-cuda"; }

std::string lathe::cuda::getPtxFeature(const Chip &chip) {
  // The first version of PTX that knows the chip, from the release notes of the
  // PTX ISA; drivers since then load it.
  struct {
    int capability, version;
  } const versions[] = {{70, 60},  {72, 61},  {75, 63}, {80, 70},  {86, 71},
                        {87, 74},  {89, 78},  {90, 78}, {100, 86}, {101, 86},
                        {103, 88}, {120, 87}, {121, 88}};
  int version = 60;
  for (auto known : versions)
    if (chip.capability >= known.capability)
      version = std::max(version, known.version);
  return "+ptx" + std::to_string(version);
}

FailureOr<lathe::cuda::Target> lathe::cuda::parseTarget(StringRef gpu,
                                                        std::string &error) {
  lathe::initializeBackEnds();
  if (gpu.empty())
    gpu = "sm_80";
  Target target;
  target.name = gpu.str();
  SmallVector<StringRef> names;
  gpu.split(names, ',');
  Triple triple(getTripleName());
  const llvm::Target *backend = TargetRegistry::lookupTarget(triple, error);
  if (!backend)
    return failure();
  std::unique_ptr<MCSubtargetInfo> subtarget(
      backend->createMCSubtargetInfo(triple, "", ""));
  for (StringRef name : names) {
    StringRef digits = name;
    int capability = 0;
    if (!digits.consume_front("sm_") || digits.getAsInteger(10, capability) ||
        capability < oldestCapability || !subtarget->isCPUStringValid(name)) {
      error = "expected --gpu=sm_80,sm_90,... from sm_70 on, got '" +
              name.str() + "'";
      return failure();
    }
    target.chips.push_back({name.str(), capability});
  }
  return target;
}
