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
#ifdef __linux__
#include <sys/syscall.h>
#endif
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

/// Adds the names between plus signs to the features of `target`. Only those
/// that the runtime checks: others would be illegal instructions, not errors.
static LogicalResult addFeatures(lathe::cpu::Target &target, StringRef names,
                                 std::string &error) {
  SmallVector<StringRef> list;
  names.split(list, '+', /*MaxSplit=*/-1, /*KeepEmpty=*/false);
  for (StringRef name : list) {
    if (!Triple(target.triple).isX86() ||
        !is_contained(checkedFeatures, name)) {
      error = "expected a feature of an x86 processor, as avx512vnni, after "
              "'+', got '" +
              name.str() + "'";
      return failure();
    }
    target.features += (target.features.empty() ? "+" : ",+") + name.str();
  }
  return success();
}

/// Whether the system gives programs the registers of matrices, which it has to
/// be asked for.
static bool systemHasMatrices() {
#if defined(__linux__) && defined(__x86_64__)
  constexpr int getSupported = 0x1021; // ARCH_GET_XCOMP_SUPP
  constexpr unsigned tileData = 18;
  uint64_t supported = 0;
  return syscall(SYS_arch_prctl, getSupported, &supported) == 0 &&
         (supported >> tileData & 1);
#else
  return false;
#endif
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
  auto [processor, features] = name.split('+');
  if (processor == "native") {
    target.triple = sys::getProcessTriple();
    target.cpu = sys::getHostCPUName().str();
    SubtargetFeatures found;
    // Sorted, so that the same machine gives the same bytes.
    SmallVector<std::pair<std::string, bool>> pairs;
    for (auto &feature : sys::getHostCPUFeatures())
      pairs.emplace_back(feature.first().str(), feature.second);
    llvm::sort(pairs);
    bool matrices = systemHasMatrices();
    for (auto &[feature, enabled] : pairs)
      found.AddFeature(
          feature,
          enabled && (matrices || !StringRef(feature).starts_with("amx-")));
    target.features = found.getString();
    if (failed(addFeatures(target, features, error)))
      return failure();
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
    if (!probe || !probe->isCPUStringValid(processor))
      continue;
    target.triple = triple;
    target.cpu = processor.str();
    if (failed(addFeatures(target, features, error)))
      return failure();
    std::unique_ptr<MCSubtargetInfo> info =
        createSubtarget(triple, processor, target.features);
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
