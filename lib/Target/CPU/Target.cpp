// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Names of targets. What a processor has is asked of LLVM's subtarget tables,
// so any name that LLVM knows is a target.

#include "lathe/Target/CPU/CPU.h"
#include "lathe/Target/Kernel/Emission.h"

#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/Location.h"
#include "llvm/MC/MCSubtargetInfo.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/TargetParser/Host.h"
#include "llvm/TargetParser/SubtargetFeature.h"
#include "llvm/TargetParser/Triple.h"
#include <memory>
#include <unistd.h>

using namespace llvm;
using namespace lathe::cpu;

/// Features that LLVM may use and that a processor may lack, in the order of
/// their age.
static constexpr llvm::StringLiteral checkedFeatures[] = {
    "sse3",        "ssse3",      "sse4.1",       "sse4.2",
    "popcnt",      "avx",        "f16c",         "fma",
    "bmi",         "bmi2",       "lzcnt",        "movbe",
    "avx2",        "avx512f",    "avx512cd",     "avx512bw",
    "avx512dq",    "avx512vl",   "avx512ifma",   "avx512vbmi",
    "avx512vbmi2", "avx512vnni", "avx512bitalg", "avx512vpopcntdq",
    "avx512bf16",  "avx512fp16", "avxvnni",      "amx-tile",
    "amx-int8",    "amx-bf16"};

static std::string getRequiredFeatures(const MCSubtargetInfo &info) {
  std::string names;
  for (StringRef feature : checkedFeatures)
    if (info.checkFeatures(("+" + feature).str()))
      names += (names.empty() ? "" : ",") + feature.str();
  return names;
}

/// Fills in the registers of `target` from its features.
static void readRegisters(lathe::cpu::Target &target,
                          const MCSubtargetInfo &info, const Triple &triple) {
  if (triple.isX86()) {
    target.requiredFeatures = getRequiredFeatures(info);
    bool avx512 = info.checkFeatures("+avx512f,+avx512vl,+avx512bw,+avx512dq");
    target.vectorBytes = avx512 ? 64 : info.checkFeatures("+avx") ? 32 : 16;
    target.numVectorRegisters = avx512 ? 32 : 16;
    target.panelWidth = 2 * target.vectorBytes / sizeof(float);
    return;
  }
  target.vectorBytes = 16;
  target.numVectorRegisters = triple.isAArch64() ? 32 : 16;
}

bool lathe::cpu::Target::hasFeature(StringRef name) const {
  SmallVector<StringRef> names;
  StringRef(requiredFeatures).split(names, ',');
  return is_contained(names, name);
}

static std::unique_ptr<MCSubtargetInfo>
createSubtarget(StringRef tripleName, StringRef cpu, StringRef features) {
  std::string message;
  Triple triple(tripleName);
  const llvm::Target *llvmTarget =
      TargetRegistry::lookupTarget(triple, message);
  if (!llvmTarget)
    return nullptr;
  return std::unique_ptr<MCSubtargetInfo>(
      llvmTarget->createMCSubtargetInfo(triple, cpu, features));
}

/// Completes a target; failure where our code cannot run on it.
static FailureOr<lathe::cpu::Target> finish(lathe::cpu::Target target,
                                            const MCSubtargetInfo &info,
                                            std::string &error) {
  Triple triple(target.triple);
  // Without FMA, LLVM would call a library's function for it.
  if (triple.isX86() && !info.checkFeatures("+avx,+fma")) {
    error = "expected a processor with FMA (x86-64-v3 or newer), got '" +
            target.name + "'";
    return failure();
  }
  readRegisters(target, info, triple);
  return target;
}

FailureOr<lathe::cpu::Target> lathe::cpu::parseTarget(StringRef name,
                                                      std::string &error) {
  lathe::initializeBackEnds();
  lathe::cpu::Target target;
  target.name = name.str();
  if (name == "native") {
    target.triple = sys::getProcessTriple();
    target.cpu = sys::getHostCPUName().str();
    SubtargetFeatures features;
    // Sorted, so that the same machine gives the same bytes.
    SmallVector<std::pair<std::string, bool>> pairs;
    for (auto &feature : sys::getHostCPUFeatures())
      pairs.emplace_back(feature.first().str(), feature.second);
    llvm::sort(pairs);
    for (auto &[feature, enabled] : pairs)
      features.AddFeature(feature, enabled);
    target.features = features.getString();
    if (int64_t bytes = sysconf(_SC_LEVEL1_DCACHE_SIZE); bytes > 0)
      target.l1Bytes = bytes;
    if (int64_t bytes = sysconf(_SC_LEVEL2_CACHE_SIZE); bytes > 0)
      target.l2Bytes = bytes;
    std::unique_ptr<MCSubtargetInfo> info =
        createSubtarget(target.triple, target.cpu, target.features);
    if (!info) {
      error = "expected LLVM to have a back end for " + target.triple;
      return failure();
    }
    return finish(target, *info, error);
  }
  // The first architecture that knows the name; the host's is asked first.
  for (const std::string &triple :
       {sys::getProcessTriple(), std::string("x86_64-unknown-linux-gnu"),
        std::string("aarch64-unknown-linux-gnu")}) {
    std::unique_ptr<MCSubtargetInfo> probe = createSubtarget(triple, "", "");
    if (!probe || !probe->isCPUStringValid(name))
      continue;
    target.triple = triple;
    target.cpu = name.str();
    std::unique_ptr<MCSubtargetInfo> info = createSubtarget(triple, name, "");
    return finish(target, *info, error);
  }
  error = "expected 'native' or a processor that LLVM knows, got '" +
          name.str() + "'";
  return failure();
}

std::string lathe::cpu::getIdentity(const Target &target) {
  // A new field does not compile here until it is added.
  const auto &[name, triple, cpu, features, vectorBytes, numVectorRegisters,
               l1Bytes, l2Bytes, panelWidth, optLevel, requiredFeatures] =
      target;
  return formatv("{0} {1} {2} {3} {4} {5} {6} {7} {8} {9} {10}", name, triple,
                 cpu, features, vectorBytes, numVectorRegisters, l1Bytes,
                 l2Bytes, panelWidth, optLevel, requiredFeatures)
      .str();
}

LogicalResult lathe::cpu::parseTarget(mlir::MLIRContext *context,
                                      StringRef name, Target &target) {
  std::string error;
  FailureOr<Target> parsed = parseTarget(name, error);
  if (failed(parsed))
    return mlir::emitError(mlir::UnknownLoc::get(context), error);
  target = *parsed;
  return success();
}
