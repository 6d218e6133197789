// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "lathe/Pipeline/Compile.h"

#include "Stages.h"
#include "lathe/Import/Diagnostics.h"
#include "lathe/Import/Import.h"
#include "lathe/Pipeline/Artifact.h"
#include "lathe/Pipeline/Evaluate.h"
#include "lathe/Pipeline/Inspect.h"
#include "lathe/Pipeline/Pipeline.h"
#include "lathe/Pipeline/Register.h"
#include "lathe/Target/Target.h"

#include "mlir/IR/MLIRContext.h"
#include "mlir/IR/Threading.h"
#include "mlir/Pass/PassManager.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Object/ArchiveWriter.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/Process.h"
#include "llvm/Support/ThreadPool.h"

using namespace mlir;
using namespace lathe;

std::string lathe::getSymbolPrefix(StringRef path) {
  std::string name = llvm::sys::path::stem(path).str();
  for (char &c : name)
    if (!llvm::isAlnum(c))
      c = '_';
  if (name.empty() || llvm::isDigit(name.front()))
    name = "m" + name;
  return name;
}

static TargetOptions getTargetOptions(const CompileOptions &options) {
  return {options.cpu, options.gpu, options.optLevel};
}

FailureOr<std::unique_ptr<TargetInterface>>
lathe::createTarget(const CompileOptions &options, std::string &error) {
  for (const TargetEntry &entry : getTargets())
    if (entry.name == options.target)
      return entry.create(getTargetOptions(options), error);
  error = "expected a target, got '" + options.target + "'";
  return failure();
}

std::string lathe::findWrongOption(const CompileOptions &options) {
  auto choose = [](StringRef option, StringRef choices, StringRef value) {
    SmallVector<StringRef> list;
    choices.split(list, '|');
    return llvm::is_contained(list, value) ? std::string()
                                           : ("expected --" + option + "=" +
                                              choices + ", got '" + value + "'")
                                                 .str();
  };
  std::string names;
  const TargetEntry *entry = nullptr;
  for (const TargetEntry &known : getTargets()) {
    names += (names.empty() ? "" : "|") + known.name.str();
    if (known.name == options.target)
      entry = &known;
  }
  for (std::string wrong :
       {choose("target", names, options.target),
        choose("layout", "auto|none", options.layout),
        choose("memory-plan", "search|greedy|none", options.memoryPlan),
        choose("weights", "embed|file", options.weights),
        choose("precision", "strict", options.precision)})
    if (!wrong.empty())
      return wrong;
  if (options.optLevel > 3)
    return "expected -O0 to -O3, got -O" + std::to_string(options.optLevel);
  if (!options.name.empty() && (getSymbolPrefix(options.name) != options.name))
    return "expected --name to be a name in C, got '" + options.name + "'";
  StringRef suffix = llvm::sys::path::extension(options.output);
  if (!options.output.empty() &&
      !llvm::is_contained({".so", ".o", ".a", ".mlir"}, suffix) &&
      !llvm::is_contained(entry->textSuffixes, suffix))
    return "expected an output ending in .so, .o, .a, " +
           llvm::join(entry->textSuffixes, ", ") + " or .mlir, got '" +
           options.output + "'";
  std::string error;
  FusionOptions fusion;
  if (failed(entry->create(getTargetOptions(options), error)) ||
      failed(parseFusion(options.fusion, fusion, error)))
    return error;
  return "";
}

namespace {
/// Files that appear together when all is well, and not at all otherwise.
class PendingFiles {
public:
  ~PendingFiles() {
    for (const auto &[part, path] : files)
      llvm::sys::fs::remove(part);
  }
  /// A temporary file beside `path` that becomes it.
  std::string add(StringRef path) {
    files.push_back(
        {(path + ".part" + Twine(llvm::sys::Process::getProcessId())).str(),
         path.str()});
    return files.back().first;
  }
  /// Returns the path that could not be written, or an empty one.
  std::string commit(std::error_code &code) {
    for (size_t i = 0; i < files.size(); ++i) {
      code = llvm::sys::fs::rename(files[i].first, files[i].second);
      if (!code)
        continue;
      std::string failed = files[i].second;
      for (size_t done = 0; done < i; ++done)
        llvm::sys::fs::remove(files[done].second);
      return failed;
    }
    files.clear();
    return "";
  }

private:
  SmallVector<std::pair<std::string, std::string>, 3> files;
};

/// A folder for objects on their way to the linker; removed at the end.
struct WorkFolder {
  SmallString<128> path;
  ~WorkFolder() {
    if (!path.empty())
      llvm::sys::fs::remove_directories(path);
  }
  std::string file(const Twine &name) {
    SmallString<128> file(path);
    llvm::sys::path::append(file, name);
    return file.str().str();
  }
};

class Compiler {
public:
  Compiler(const CompileOptions &options, llvm::raw_ostream &errs)
      : options(options), errs(errs),
        clock(options.timing, options.progress, options.onStage, errs) {}
  LogicalResult run();
  LogicalResult inspect(function_ref<LogicalResult(ModuleOp)> use);
  ModelSummary *summary = nullptr; ///< Of the caller.

private:
  LogicalResult prepare();
  void report(const UserDiagnostic &diag);
  LogicalResult fail(const Twine &message);
  LogicalResult check(llvm::Error error);
  LogicalResult runPasses(StringRef stage,
                          function_ref<void(PassManager &)> build);
  LogicalResult lower();
  LogicalResult emitKernels(StringRef suffix, std::vector<std::string> &texts);
  LogicalResult writeText(StringRef suffix);
  LogicalResult writeObjects(StringRef suffix);
  LogicalResult commitFiles();

  const CompileOptions &options;
  llvm::raw_ostream &errs;
  ModelSummary modelSummary;
  StageClock clock;
  std::string prefix;
  std::unique_ptr<TargetInterface> target;
  FusionOptions fusion;
  std::unique_ptr<llvm::DefaultThreadPool> pool; ///< Outlives the context.
  std::unique_ptr<MLIRContext> context;
  OwningOpRef<ModuleOp> module;
  ProgramTables tables;
  WorkFolder folder;
  PendingFiles pending;
};
} // namespace

void Compiler::report(const UserDiagnostic &diag) {
  if (options.onDiagnostic)
    options.onDiagnostic(diag);
  else
    printDiagnostic(diag, errs);
}

LogicalResult Compiler::fail(const Twine &message) {
  UserDiagnostic diag;
  diag.file = options.input;
  diag.message = message.str();
  report(diag);
  return failure();
}

LogicalResult Compiler::check(llvm::Error error) {
  if (error)
    return fail(llvm::toString(std::move(error)));
  return success();
}

LogicalResult Compiler::runPasses(StringRef stage,
                                  function_ref<void(PassManager &)> build) {
  auto timer = clock.start(stage);
  PassManager pm(context.get());
  if (!options.printIRAfter.empty()) {
    context->disableMultithreading();
    pm.enableIRPrinting([](Pass *, Operation *) { return false; },
                        [&](Pass *pass, Operation *) {
                          return options.printIRAfter == "all" ||
                                 pass->getArgument() == options.printIRAfter;
                        },
                        /*printModuleScope=*/false,
                        /*printAfterOnlyOnChange=*/false,
                        /*printAfterOnlyOnFailure=*/false, errs);
  }
  build(pm);
  return pm.run(*module);
}

LogicalResult Compiler::lower() {
  {
    auto timer = clock.start("import");
    ImportOptions import;
    import.shapes = options.shapes;
    import.dims = options.dims;
    import.fileName = options.input;
    import.summary = summary ? summary : &modelSummary;
    import.intermediates = options.intermediates;
    module = options.bytes.empty()
                 ? importModel(options.input, context.get(), import)
                 : importModelFromBytes(options.bytes, context.get(), import);
    if (!module)
      return failure();
  }
  if (options.intermediates && failed(runPasses("graph", [](PassManager &pm) {
        buildIntermediatesPipeline(pm);
      })))
    return failure();
  ConstantEvaluator constants = getHostEvaluator(options.runtimeLibrary);
  constants.evaluate = [&, compute = constants.evaluate](ModuleOp part) {
    auto timer = clock.start("constants");
    return compute(part);
  };
  if (failed(runPasses("graph", [&](PassManager &pm) {
        if (!options.states.empty())
          buildStatePipeline(pm, options.states);
        buildGraphPipeline(pm, fusion, constants);
      })))
    return failure();
  if (failed(runPasses("tensor", [&](PassManager &pm) {
        buildTensorPipeline(pm, fusion,
                            options.layout == "none" ? 0 : target->getPanelWidth());
      })))
    return failure();
  if (failed(runPasses("kernels", [&](PassManager &pm) {
        target->buildKernelPipeline(pm.nest<KernelOp>());
      })))
    return failure();
  return runPasses("memory", [&](PassManager &pm) {
    buildMemoryPipeline(pm, options.memoryPlan);
  });
}

/// Translates all kernels on the context's threads, in a fixed order of
/// results.
LogicalResult Compiler::emitKernels(StringRef suffix,
                                    std::vector<std::string> &texts) {
  auto timer = clock.start("code");
  SmallVector<KernelOp> kernels(module->getOps<KernelOp>());
  texts.resize(kernels.size());
  return failableParallelForEachN(
      context.get(), 0, kernels.size(), [&](size_t i) -> LogicalResult {
        FailureOr<SmallVector<char, 0>> code = target->emitKernel(
            kernels[i], getKernelSymbol(prefix, kernels[i].getSymName()),
            suffix);
        if (failed(code))
          return failure();
        texts[i].assign(code->begin(), code->end());
        return success();
      });
}

LogicalResult Compiler::commitFiles() {
  std::error_code code;
  std::string path = pending.commit(code);
  if (!path.empty())
    return fail("cannot write '" + path + "': " + code.message());
  return success();
}

/// The runtime archive: as given, or from the tree that the program lies in.
std::string lathe::getRuntimeLibrary(const CompileOptions &options) {
  if (!options.runtimeLibrary.empty())
    return options.runtimeLibrary;
  static int anchor;
  SmallString<128> path(llvm::sys::fs::getMainExecutable(nullptr, &anchor));
  llvm::sys::path::remove_filename(path);
  llvm::sys::path::append(path, "..", "lib", "liblathe_rt.a");
  return path.str().str();
}

LogicalResult Compiler::writeText(StringRef suffix) {
  std::error_code code;
  llvm::raw_fd_ostream os(pending.add(options.output), code);
  if (code)
    return fail("cannot write '" + options.output + "': " + code.message());
  if (suffix == ".mlir") {
    OpPrintingFlags flags;
    flags.elideLargeElementsAttrs(16).elideLargeResourceString(64);
    module->print(os, flags);
  } else {
    std::vector<std::string> texts;
    if (failed(emitKernels(suffix, texts)))
      return failure();
    os << target->joinTexts(
        SmallVector<StringRef>(texts.begin(), texts.end()), suffix);
  }
  os.close();
  if (os.has_error()) {
    code = os.error();
    os.clear_error();
    return fail("cannot write '" + options.output + "': " + code.message());
  }
  return commitFiles();
}

LogicalResult Compiler::writeObjects(StringRef suffix) {
  if (std::error_code code =
          llvm::sys::fs::createUniqueDirectory("lathe", folder.path))
    return fail("cannot make a temporary folder: " + code.message());

  OwningOpRef<ModuleOp> program;
  {
    auto timer = clock.start("program");
    for (const FusionSaving &saving : getFusionSavings(*module))
      tables.metadata.push_back(
          {"lathe.fusion." + saving.kind, printFusionSaving(saving)});
    addProducers(*module, tables);
    for (const auto &[key, value] : modelSummary.metadata)
      tables.metadata.push_back({"onnx." + key, value});
    program = lowerProgramToLLVM(*module, prefix, tables,
                                 target->hasDeviceMemory());
    if (!program)
      return failure();
    if (auto bound = module->lookupSymbol("main")->getAttrOfType<IntegerAttr>(
            arenaBoundAttrName))
      tables.metadata.push_back(
          {"lathe.arena_bound", std::to_string(bound.getInt())});
  }
  std::vector<std::string> objects, codes;
  SmallVector<KernelCode> kernels;
  auto save = [&](const Twine &name, ArrayRef<char> bytes) -> LogicalResult {
    std::string path = folder.file(name);
    std::error_code code;
    llvm::raw_fd_ostream os(path, code);
    if (!code) {
      os.write(bytes.data(), bytes.size());
      os.close();
      code = os.error();
      os.clear_error();
    }
    if (code)
      return fail("cannot write '" + path + "': " + code.message());
    objects.push_back(path);
    return success();
  };
  {
    if (failed(emitKernels(".o", codes)))
      return failure();
    for (auto [i, kernel] : llvm::enumerate(module->getOps<KernelOp>()))
      kernels.push_back(
          {getKernelSymbol(prefix, kernel.getSymName()), codes[i]});
    for (auto [i, code] : llvm::enumerate(codes))
      if (target->makesObjects() &&
          failed(save("kernel" + Twine(i) + ".o", code)))
        return failure();
  }
  {
    auto timer = clock.start("program");
    TableTarget described = {
        target->getDescription(), target->getRequiredFeatures(),
        tables.weightsBytes > 0 && options.weights == "embed",
        target->hasDeviceMemory()};
    FailureOr<SmallVector<char, 0>> object = target->emitProgram(
        *program, prefix, kernels, [&](llvm::Module &code) {
          addTables(code, tables, described);
        });
    if (failed(object) || failed(save("program.o", *object)))
      return failure();
  }
  {
    auto timer = clock.start("weights");
    if (options.weights == "file") {
      std::string path = llvm::sys::path::parent_path(options.output).str();
      path += (path.empty() ? "" : "/") + prefix + ".weights";
      std::error_code code;
      llvm::raw_fd_ostream os(pending.add(path), code);
      if (code)
        return fail("cannot write '" + path + "': " + code.message());
      if (failed(check(writeWeights(tables, os))))
        return failure();
      os.close();
      if (os.has_error()) {
        code = os.error();
        os.clear_error();
        return fail("cannot write '" + path + "': " + code.message());
      }
    } else if (tables.weightsBytes > 0) {
      std::string path = folder.file("weights.o");
      if (failed(check(
              writeWeightsObject(tables, llvm::Triple(target->getTriple()), path))))
        return failure();
      objects.push_back(path);
    }
  }
  std::string header = getHeader(tables);
  // What is left to do needs no IR: give back the weights' memory first.
  program = {};
  module = {};
  context.reset();

  auto timer = clock.start("link");
  std::string part = pending.add(options.output);
  LogicalResult linked = success();
  if (suffix == ".so") {
    std::string libc = findCLibrary();
    if (libc.empty())
      return fail("cannot find the C library to link with");
    linked =
        check(linkSharedLibrary(objects, {getRuntimeLibrary(options), libc},
                                prefix + "_lathe_model", part));
  } else if (suffix == ".o") {
    linked = check(linkObject(objects, part));
  } else {
    std::string joined = folder.file(prefix + ".o");
    linked = check(linkObject(objects, joined));
    if (succeeded(linked)) {
      auto member =
          llvm::NewArchiveMember::getFile(joined, /*Deterministic=*/true);
      if (!member)
        return check(member.takeError());
      // Not the path: that of the temporary folder changes.
      member->MemberName = llvm::sys::path::filename(member->MemberName);
      linked = check(llvm::writeArchive(
          part, {std::move(*member)}, llvm::SymtabWritingMode::NormalSymtab,
          llvm::object::Archive::K_GNU,
          /*Deterministic=*/true, /*Thin=*/false));
    }
  }
  if (failed(linked))
    return failure();
  SmallString<128> headerPath(options.output);
  llvm::sys::path::replace_extension(headerPath, ".h");
  std::error_code code;
  llvm::raw_fd_ostream os(pending.add(headerPath), code);
  if (!code) {
    os << header;
    os.close();
    code = os.error();
    os.clear_error();
  }
  if (code)
    return fail("cannot write '" + headerPath + "': " + code.message());
  return commitFiles();
}

LogicalResult Compiler::prepare() {
  std::string error = findWrongOption(options);
  if (!error.empty())
    return fail(error);
  FailureOr<std::unique_ptr<TargetInterface>> made =
      createTarget(options, error);
  if (failed(made))
    return fail(error);
  target = std::move(*made);
  if (failed(parseFusion(options.fusion, fusion, error)))
    return fail(error);
  fusion.explain = options.explainFusion;
  prefix = options.name.empty() ? getSymbolPrefix(options.input) : options.name;

  DialectRegistry registry;
  registerAllDialects(registry);
  context =
      std::make_unique<MLIRContext>(registry, MLIRContext::Threading::DISABLED);
  if (options.jobs != 1) {
    pool = std::make_unique<llvm::DefaultThreadPool>(
        llvm::hardware_concurrency(options.jobs));
    context->setThreadPool(*pool);
  }
  context->loadAllAvailableDialects();
  // An error is one line; `--print-ir-after` shows ops.
  context->printOpOnDiagnostic(false);
  context->getDiagEngine().registerHandler([&](Diagnostic &diag) {
    describeDiagnostic(diag, options.input,
                       [&](const UserDiagnostic &line) { report(line); });
    return success();
  });
  return lower();
}

LogicalResult Compiler::inspect(function_ref<LogicalResult(ModuleOp)> use) {
  LogicalResult done = prepare();
  if (succeeded(done))
    done = use(*module);
  module = {};
  context.reset();
  return done;
}

LogicalResult Compiler::run() {
  if (failed(prepare()))
    return failure();
  StringRef suffix = llvm::sys::path::extension(options.output);
  LogicalResult written = llvm::is_contained({".so", ".o", ".a"}, suffix)
                              ? writeObjects(suffix)
                              : writeText(suffix);
  // The context must go before its threads.
  module = {};
  context.reset();
  clock.report();
  return written;
}

LogicalResult lathe::compileModel(const CompileOptions &options,
                                  llvm::raw_ostream &errs) {
  return Compiler(options, errs).run();
}

LogicalResult lathe::lowerModel(const CompileOptions &options,
                                llvm::raw_ostream &errs, ModelSummary &summary,
                                function_ref<LogicalResult(ModuleOp)> use) {
  Compiler compiler(options, errs);
  compiler.summary = &summary;
  return compiler.inspect(use);
}
