// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Feeds bytes to the importer and what comes out to the passes, up to the level
// that $LATHE_FUZZ_LEVEL names: 1 import, 2 graph (the default), 3 tensor. No
// bytes may crash them, and what is refused is refused with a message.

#include "ModelMutator.h"
#include "lathe/Import/Import.h"
#include "lathe/Pipeline/Pipeline.h"
#include "lathe/Pipeline/Register.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/Pass/PassManager.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/raw_ostream.h"
#include <cstdlib>
#include <memory>

using namespace mlir;

extern "C" size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t maxSize);

extern "C" size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size,
                                          size_t maxSize, unsigned seed) {
  // Once in a while the bytes themselves: the parser is code of ours, too.
  if (seed % 16 != 0)
    if (size_t changed = lathe::fuzz::mutateModel(data, size, maxSize, seed))
      return changed;
  return LLVMFuzzerMutate(data, size, maxSize);
}

extern "C" size_t LLVMFuzzerCustomCrossOver(const uint8_t *first,
                                            size_t firstSize,
                                            const uint8_t *second,
                                            size_t secondSize, uint8_t *out,
                                            size_t maxSize, unsigned seed) {
  return lathe::fuzz::crossModels(first, firstSize, second, secondSize, out,
                                  maxSize, seed);
}

static int getLevel() {
  int level = 2;
  if (const char *text = std::getenv("LATHE_FUZZ_LEVEL"))
    StringRef(text).getAsInteger(10, level);
  return level;
}

/// Attributes and types live as long as their context, so a new one every once
/// in a while.
static MLIRContext &getContext() {
  static const DialectRegistry registry = [] {
    DialectRegistry made;
    lathe::registerAllDialects(made);
    return made;
  }();
  static std::unique_ptr<MLIRContext> context;
  static int uses = 0;
  if (!context || ++uses % 200 == 0) {
    context = std::make_unique<MLIRContext>(registry,
                                            MLIRContext::Threading::DISABLED);
    context->loadAllAvailableDialects();
    context->printOpOnDiagnostic(false);
  }
  return *context;
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static const int level = getLevel();
  MLIRContext &context = getContext();
  unsigned errors = 0;
  ScopedDiagnosticHandler handler(&context, [&](Diagnostic &diag) {
    errors += diag.getSeverity() == DiagnosticSeverity::Error;
    diag.str(); // Printing must not crash either.
    return success();
  });
  lathe::ImportOptions options;
  options.fileName = "fuzz.onnx";
  // Small limits find the same as large ones, sooner.
  options.limits.nodes = 2000;
  options.limits.sparseBytes = 1 << 20;
  OwningOpRef<ModuleOp> module = lathe::importModelFromBytes(
      ArrayRef<char>(reinterpret_cast<const char *>(data), size), &context,
      options);
  bool done = static_cast<bool>(module);
  auto run = [&](auto build) {
    if (!done)
      return;
    PassManager pm(&context);
    build(pm);
    done = succeeded(pm.run(*module));
  };
  lathe::FusionOptions fusion;
  if (level >= 2)
    run([&](PassManager &pm) { lathe::buildGraphPipeline(pm, fusion); });
  if (level >= 3)
    run([&](PassManager &pm) {
      lathe::buildTensorPipeline(pm, fusion,
                                 {/*panelWidth=*/32, /*groupLanes=*/16},
                                 {/*attention=*/true, /*cacheBytes=*/1 << 20});
    });
  if (!done && errors == 0) {
    llvm::errs() << "expected an error with a message, got none\n";
    std::abort();
  }
  return 0;
}
