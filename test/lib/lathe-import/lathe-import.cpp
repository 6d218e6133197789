// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Imports a model and prints the module, or the errors as users see them.

#include "lathe/Import/Diagnostics.h"
#include "lathe/Import/Import.h"
#include "mlir/IR/AsmState.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/InitLLVM.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/raw_ostream.h"

using namespace mlir;
namespace cl = llvm::cl;

static cl::opt<std::string> path(cl::Positional, cl::Required,
                                 cl::desc("MODEL.onnx|MODEL.onnxtxt"));
static cl::list<std::string> shapes("shape", cl::desc("NAME:1x3x224x224"));
static cl::list<std::string> dims("dim", cl::desc("NAME:SIZE"));
static cl::opt<bool> fromBytes("from-bytes",
                               cl::desc("hand the model over in memory"));
static cl::opt<bool> quiet("quiet", cl::desc("print errors only"));
static cl::opt<bool> locations("locations", cl::desc("print locations"));

/// Splits `NAME:REST` at the last colon.
static bool splitName(StringRef text, std::string &name, StringRef &rest) {
  auto [first, second] = text.rsplit(':');
  name = first.str();
  rest = second;
  return !name.empty() && !rest.empty();
}

static bool parseOptions(lathe::ImportOptions &options) {
  std::string name;
  StringRef rest;
  for (const std::string &text : shapes) {
    std::vector<int64_t> sizes;
    SmallVector<StringRef> parts;
    if (!splitName(text, name, rest))
      return false;
    rest.split(parts, 'x');
    for (StringRef part : parts) {
      int64_t size = -1;
      if (part != "?" && part.getAsInteger(10, size))
        return false;
      sizes.push_back(size);
    }
    options.shapes.push_back({name, sizes});
  }
  for (const std::string &text : dims) {
    int64_t size;
    if (!splitName(text, name, rest) || rest.getAsInteger(10, size))
      return false;
    options.dims.push_back({name, size});
  }
  return true;
}

int main(int argc, char **argv) {
  llvm::InitLLVM init(argc, argv);
  cl::ParseCommandLineOptions(argc, argv, "Lathe's importer\n");
  lathe::ImportOptions options;
  if (!parseOptions(options)) {
    llvm::errs() << "expected --shape=NAME:1x3 and --dim=NAME:8\n";
    return 2;
  }
  options.fileName = llvm::sys::path::filename(path).str();
  MLIRContext context(MLIRContext::Threading::DISABLED);
  context.getDiagEngine().registerHandler([&](Diagnostic &diag) {
    lathe::printDiagnostic(diag, options.fileName, llvm::errs());
  });
  OwningOpRef<ModuleOp> module;
  if (fromBytes) {
    auto buffer = llvm::MemoryBuffer::getFile(path, false, false);
    if (!buffer) {
      llvm::errs() << "expected a file that can be read\n";
      return 2;
    }
    module =
        lathe::importModelFromBytes((*buffer)->getBuffer(), &context, options);
  } else {
    module = lathe::importModel(path, &context, options);
  }
  if (!module)
    return 1;
  if (quiet)
    return 0;
  OpPrintingFlags flags;
  flags.elideLargeElementsAttrs(16).elideLargeResourceString(16);
  if (locations)
    flags.enableDebugInfo(true, false);
  module->print(llvm::outs(), flags);
  llvm::outs() << "\n";
  return 0;
}
