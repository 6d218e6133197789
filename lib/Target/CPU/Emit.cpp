// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// From a kernel in buffer form to code: the kernel becomes a function over tile
// numbers, is lowered to LLVM's dialect, translated, optimized and emitted.

#include "Lower.h"
#include "lathe/Target/CPU/CPU.h"

#include "lathe/Dialect/Lathe/IR/Lathe.h"
#include "lathe/Target/Kernel/Emission.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/IR/Function.h"

using namespace mlir;
using namespace lathe;

/// Attributes that functions need so that code is made for the target, and so
/// that no loop turns into a call of memset or memcpy.
static void setAttributes(llvm::Function &function, const cpu::Target &target) {
  function.addFnAttr("target-cpu", target.cpu);
  if (!target.features.empty())
    function.addFnAttr("target-features", target.features);
  function.addFnAttr("no-builtins");
  std::string vectorBits = std::to_string(target.vectorBytes * 8);
  function.addFnAttr("prefer-vector-width", vectorBits);
  function.addFnAttr("min-legal-vector-width", vectorBits);
  function.addFnAttr(llvm::Attribute::NoUnwind);
}

static CodeOptions getCodeOptions(const cpu::Target &target) {
  CodeOptions options;
  options.triple = target.triple;
  options.cpu = target.cpu;
  options.features = target.features;
  options.relocation = llvm::Reloc::PIC_;
  options.optLevel = target.optLevel;
  options.setAttributes = [&target](llvm::Function &function) {
    setAttributes(function, target);
  };
  return options;
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
  std::optional<llvm::CodeGenFileType> type;
  if (output == Output::Object)
    type = llvm::CodeGenFileType::ObjectFile;
  else if (output == Output::Assembly)
    type = llvm::CodeGenFileType::AssemblyFile;
  FailureOr<SmallVector<char, 0>> code =
      emitKernelCode(kernel, *lowered, symbol, getCodeOptions(target), type);
  if (failed(code) || output != Output::Assembly)
    return code;
  return renameLabels(StringRef(code->data(), code->size()), symbol);
}

FailureOr<SmallVector<char, 0>>
cpu::emitModule(ModuleOp op, const Target &target,
                llvm::function_ref<void(llvm::Module &)> complete) {
  return emitProgramCode(op, getCodeOptions(target), complete);
}
