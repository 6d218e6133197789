// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "lathe/Pipeline/Compile.h"

#include "ArtifactCache.h"
#include "PendingFiles.h"
#include "Stages.h"
#include "Tune.h"
#include "lathe/Import/Diagnostics.h"
#include "lathe/Import/Import.h"
#include "lathe/Pipeline/Artifact.h"
#include "lathe/Pipeline/Evaluate.h"
#include "lathe/Pipeline/Inspect.h"
#include "lathe/Pipeline/Pipeline.h"
#include "lathe/Pipeline/Register.h"
#include "lathe/Support/TemporaryFolder.h"
#include "lathe/Target/Target.h"

#include "mlir/IR/MLIRContext.h"
#include "mlir/IR/Threading.h"
#include "mlir/Pass/PassManager.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Object/ArchiveWriter.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/ThreadPool.h"
#include "llvm/TargetParser/Host.h"

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

static const TargetEntry *findTarget(StringRef name) {
  for (const TargetEntry &entry : getTargets())
    if (entry.name == name)
      return &entry;
  return nullptr;
}

FailureOr<std::vector<std::unique_ptr<TargetInterface>>>
lathe::createTargets(const CompileOptions &options, std::string &error) {
  const TargetEntry *entry = findTarget(options.target);
  if (!entry) {
    error = "expected a target, got '" + options.target + "'";
    return failure();
  }
  SmallVector<StringRef> names;
  StringRef(options.cpu).split(names, ',');
  std::vector<std::unique_ptr<TargetInterface>> targets;
  for (auto [i, name] : llvm::enumerate(names)) {
    if (llvm::is_contained(ArrayRef(names).take_front(i), name)) {
      error = ("expected different processors, got '" + name + "' again").str();
      return failure();
    }
    FailureOr<std::unique_ptr<TargetInterface>> target =
        entry->create({name.str(), options.gpu, options.optLevel}, error);
    if (failed(target))
      return failure();
    std::string first =
                    (targets.empty() ? *target : targets.front())->getTriple(),
                triple = (*target)->getTriple();
    if (llvm::Triple(first).getArch() != llvm::Triple(triple).getArch()) {
      error = "expected processors of one architecture, got " + first +
              " and " + triple;
      return failure();
    }
    // The first one that a machine can run is taken.
    auto count = [](const TargetInterface &of) {
      return llvm::count(of.getRequiredFeatures(), ',');
    };
    auto place = llvm::find_if(targets, [&](const auto &other) {
      return count(*other) < count(**target);
    });
    targets.insert(place, std::move(*target));
  }
  return targets;
}

FailureOr<std::unique_ptr<TargetInterface>>
lathe::createTarget(const CompileOptions &options, std::string &error) {
  auto targets = createTargets(options, error);
  if (failed(targets))
    return failure();
  return std::move(targets->front());
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
  const TargetEntry *entry = findTarget(options.target);
  for (const TargetEntry &known : getTargets())
    names += (names.empty() ? "" : "|") + known.name.str();
  for (std::string wrong :
       {choose("target", names, options.target),
        choose("layout", "auto|none", options.layout),
        choose("memory-plan", "search|greedy|none", options.memoryPlan),
        choose("weights", "embed|file", options.weights),
        choose("precision", "strict|relaxed|bf16|f16", options.precision)})
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
  if (std::string wrong = findWrongCachePolicy(options.cachePolicy);
      !wrong.empty())
    return wrong;
  std::string error;
  FusionOptions fusion;
  auto targets = createTargets(options, error);
  if (failed(targets) || failed(parseFusion(options.fusion, fusion, error)))
    return error;
  for (const auto &target : *targets)
    if (std::string wrong = findWrongTuning(options, *target); !wrong.empty())
      return wrong;
  llvm::Triple host(llvm::sys::getProcessTriple()),
      triple(targets->front()->getTriple());
  if (suffix == ".so" && options.runtimeLibrary.empty() &&
      triple.getArch() != host.getArch())
    return ("expected an output ending in .o or .a for " +
            triple.getArchName() + " (the runtime here is for " +
            host.getArchName() + "), got '" + options.output + "'")
        .str();
  return "";
}

namespace {
/// The model for one processor, from level 3 on.
struct Variant {
  std::string prefix; ///< Of its symbols.
  std::unique_ptr<TargetInterface> target;
  OwningOpRef<ModuleOp> module = {};
  ProgramTables tables = {};
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
  LogicalResult readOptions();
  void openCache();
  bool takeFromCache();
  void putIntoCache();
  std::string getHeaderPath() const;
  std::string getWeightsPath() const;
  void report(const UserDiagnostic &diag);
  LogicalResult fail(const Twine &message);
  LogicalResult check(llvm::Error error);
  LogicalResult runPasses(StringRef stage, ModuleOp module,
                          function_ref<void(PassManager &)> build);
  LogicalResult lower();
  LogicalResult lower(Variant &variant);
  LogicalResult emitKernels(const Variant &variant, StringRef suffix,
                            std::vector<std::string> &texts);
  LogicalResult save(const Twine &name, ArrayRef<char> bytes);
  LogicalResult emit(Variant &variant, ModuleOp program);
  LogicalResult writeWeights();
  LogicalResult writeText(StringRef suffix);
  LogicalResult writeObjects(StringRef suffix);
  LogicalResult link(StringRef suffix);
  LogicalResult writeFile(const std::string &path, PendingFiles::Writer write) {
    return check(pending.write(path, write));
  }
  LogicalResult commitFiles();

  const CompileOptions &options;
  llvm::raw_ostream &errs;
  ModelSummary modelSummary;
  StageClock clock;
  std::string prefix;
  FusionOptions fusion;
  bool hasPrintedIR = false;
  std::unique_ptr<llvm::DefaultThreadPool> pool; ///< Outlives the context.
  std::unique_ptr<MLIRContext> context;
  OwningOpRef<ModuleOp> module; ///< Until variants part.
  std::vector<Variant> variants;
  TemporaryFolder folder;           ///< Objects on their way to the linker.
  std::vector<std::string> objects; ///< In `folder`.
  PendingFiles pending;
  std::unique_ptr<ArtifactCache> cache;
  bool hasReported = false;
  TuningStatistics tuning;
};
} // namespace

void Compiler::report(const UserDiagnostic &diag) {
  hasReported |= diag.severity != Severity::Note;
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

LogicalResult Compiler::runPasses(StringRef stage, ModuleOp module,
                                  function_ref<void(PassManager &)> build) {
  auto timer = clock.start(stage);
  PassManager pm(context.get());
  if (!options.printIRAfter.empty()) {
    context->disableMultithreading();
    pm.enableIRPrinting([](Pass *, Operation *) { return false; },
                        [&](Pass *pass, Operation *) {
                          bool wanted =
                              options.printIRAfter == "all" ||
                              pass->getArgument() == options.printIRAfter;
                          hasPrintedIR |= wanted;
                          return wanted;
                        },
                        /*printModuleScope=*/false,
                        /*printAfterOnlyOnChange=*/false,
                        /*printAfterOnlyOnFailure=*/false, errs);
  }
  build(pm);
  return pm.run(module);
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
  if (options.intermediates &&
      failed(runPasses("graph", *module, [](PassManager &pm) {
        buildIntermediatesPipeline(pm);
      })))
    return failure();
  ConstantEvaluator constants = getHostEvaluator(options.runtimeLibrary);
  constants.evaluate = [&, compute = constants.evaluate](ModuleOp part) {
    auto timer = clock.start("constants");
    return compute(part);
  };
  if (failed(runPasses("graph", *module, [&](PassManager &pm) {
        if (!options.states.empty())
          buildStatePipeline(pm, options.states);
        buildGraphPipeline(pm, fusion, constants);
      })))
    return failure();
  for (Variant &variant : MutableArrayRef(variants).drop_back())
    variant.module = OwningOpRef<ModuleOp>(module->clone());
  variants.back().module = std::move(module);
  for (Variant &variant : variants)
    if (failed(lower(variant)))
      return failure();
  if (!options.printIRAfter.empty() && !hasPrintedIR)
    return fail("expected --print-ir-after to name a pass that ran, got '" +
                options.printIRAfter + "'");
  return success();
}

/// What `--precision` allows on a target.
static PrecisionOptions getPrecision(StringRef name,
                                     const TargetInterface &target) {
  PrecisionOptions precision;
  if (name == "relaxed")
    precision.filtering = target.getRates();
  else if (name != "strict")
    precision.factors = name.str();
  precision.pairs = name == "bf16" && target.sumsPairs();
  return precision;
}

/// Levels 3 and 4.
LogicalResult Compiler::lower(Variant &variant) {
  if (failed(runPasses("tensor", *variant.module, [&](PassManager &pm) {
        buildTensorPipeline(pm, fusion,
                            options.layout == "none"
                                ? LayoutOptions()
                                : getLayout(*variant.target),
                            variant.target->getAbilities(),
                            getPrecision(options.precision, *variant.target));
      })))
    return failure();
  if (decidesKernels(options)) {
    auto timer = clock.start("tuning");
    if (failed(
            decideKernels(*variant.module, *variant.target, options, tuning)))
      return failure();
  }
  if (failed(runPasses("kernels", *variant.module, [&](PassManager &pm) {
        buildKernelsPipeline(pm, fusion, *variant.target);
      })))
    return failure();
  return runPasses("memory", *variant.module, [&](PassManager &pm) {
    buildMemoryPipeline(pm, options.memoryPlan);
  });
}

/// Translates all kernels on the context's threads, in a fixed order of
/// results.
LogicalResult Compiler::emitKernels(const Variant &variant, StringRef suffix,
                                    std::vector<std::string> &texts) {
  auto timer = clock.start("code");
  SmallVector<KernelOp> kernels(ModuleOp(*variant.module).getOps<KernelOp>());
  texts.resize(kernels.size());
  return failableParallelForEachN(
      context.get(), 0, kernels.size(), [&](size_t i) -> LogicalResult {
        FailureOr<SmallVector<char, 0>> code = variant.target->emitKernel(
            kernels[i],
            getKernelSymbol(variant.prefix, kernels[i].getSymName()), suffix);
        if (failed(code))
          return failure();
        texts[i].assign(code->begin(), code->end());
        return success();
      });
}

LogicalResult Compiler::commitFiles() {
  putIntoCache();
  return check(pending.commit());
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
  std::vector<std::string> texts;
  for (Variant &variant : variants) {
    std::vector<std::string> kernels;
    if (suffix == ".mlir") {
      OpPrintingFlags flags;
      flags.elideLargeElementsAttrs(16).elideLargeResourceString(64);
      llvm::raw_string_ostream os(kernels.emplace_back());
      variant.module->print(os, flags);
      texts.push_back(kernels.front());
      continue;
    }
    if (failed(emitKernels(variant, suffix, kernels)))
      return failure();
    texts.push_back(variant.target->joinTexts(
        SmallVector<StringRef>(kernels.begin(), kernels.end()), suffix));
  }
  LogicalResult written = writeFile(options.output, [&](llvm::raw_ostream &os) {
    os << llvm::join(texts, "");
    return llvm::Error::success();
  });
  return succeeded(written) ? commitFiles() : failure();
}

/// Puts an object where the linker finds it.
LogicalResult Compiler::save(const Twine &name, ArrayRef<char> bytes) {
  std::string path = folder.getFile(name);
  if (failed(
          check(PendingFiles::writeFile(path, path, [&](llvm::raw_ostream &os) {
            os.write(bytes.data(), bytes.size());
            return llvm::Error::success();
          }))))
    return failure();
  objects.push_back(path);
  return success();
}

/// Level 5, after all variants' tables are complete.
LogicalResult Compiler::emit(Variant &variant, ModuleOp program) {
  std::vector<std::string> codes;
  if (failed(emitKernels(variant, ".o", codes)))
    return failure();
  SmallVector<KernelCode> kernels;
  for (auto [i, kernel] : llvm::enumerate(variant.module->getOps<KernelOp>()))
    kernels.push_back(
        {getKernelSymbol(variant.prefix, kernel.getSymName()), codes[i]});
  if (variant.target->makesObjects())
    for (const KernelCode &kernel : kernels)
      if (failed(save(kernel.symbol + ".o", kernel.bytes)))
        return failure();
  auto timer = clock.start("program");
  TableTarget described = {variant.target->getDescription(),
                           variant.target->getRequiredFeatures(),
                           variant.tables.weightsBytes > 0 &&
                               options.weights == "embed",
                           variant.target->hasDeviceMemory(),
                           prefix,
                           {}};
  for (const Variant &other : variants)
    described.variants.push_back(other.prefix);
  FailureOr<SmallVector<char, 0>> object = variant.target->emitProgram(
      program, variant.prefix, kernels,
      [&](llvm::Module &code) { addTables(code, variant.tables, described); });
  return success(succeeded(object) &&
                 succeeded(save(variant.prefix + "_program.o", *object)));
}

LogicalResult Compiler::writeWeights() {
  auto timer = clock.start("weights");
  // The last variant knows the weights of all.
  const Variant &last = variants.back();
  if (options.weights == "file") {
    return writeFile(getWeightsPath(), [&](llvm::raw_ostream &os) {
      return lathe::writeWeights(last.tables, os);
    });
  }
  if (last.tables.weightsBytes == 0)
    return success();
  objects.push_back(folder.getFile("weights.o"));
  return check(writeWeightsObject(last.tables, prefix + "_weights",
                                  llvm::Triple(last.target->getTriple()),
                                  objects.back()));
}

LogicalResult Compiler::writeObjects(StringRef suffix) {
  if (std::error_code code = folder.create("lathe"))
    return fail("cannot make a temporary folder: " + code.message());
  std::vector<OwningOpRef<ModuleOp>> programs;
  for (auto [i, variant] : llvm::enumerate(variants)) {
    auto timer = clock.start("program");
    ProgramTables &tables = variant.tables;
    // Weights that are laid out alike are shared.
    if (i > 0) {
      tables.weights = variants[i - 1].tables.weights;
      tables.weightsBytes = variants[i - 1].tables.weightsBytes;
    }
    for (const FusionSaving &saving : getFusionSavings(*variant.module))
      tables.metadata.push_back(
          {"lathe.fusion." + saving.kind, printFusionSaving(saving)});
    addProducers(*variant.module, tables);
    addDecisions(*variant.module, tables);
    for (const auto &[key, value] : modelSummary.metadata)
      tables.metadata.push_back({"onnx." + key, value});
    programs.push_back(lowerProgramToLLVM(*variant.module, variant.prefix,
                                          tables,
                                          variant.target->hasDeviceMemory()));
    if (!programs.back())
      return failure();
    if (auto bound =
            variant.module->lookupSymbol("main")->getAttrOfType<IntegerAttr>(
                arenaBoundAttrName))
      tables.metadata.push_back(
          {"lathe.arena_bound", std::to_string(bound.getInt())});
  }
  for (Variant &variant : variants)
    variant.tables.weightsBytes = variants.back().tables.weightsBytes;
  for (auto [variant, program] : llvm::zip_equal(variants, programs))
    if (failed(emit(variant, *program)))
      return failure();
  if (failed(writeWeights()))
    return failure();
  variants.front().tables.prefix = prefix;
  std::string header = getHeader(variants.front().tables);
  // What is left to do needs no IR: give back the weights' memory first.
  programs.clear();
  variants.clear();
  context.reset();
  if (failed(link(suffix)))
    return failure();
  if (failed(writeFile(getHeaderPath(), [&](llvm::raw_ostream &os) {
        os << header;
        return llvm::Error::success();
      })))
    return failure();
  return commitFiles();
}

LogicalResult Compiler::link(StringRef suffix) {
  auto timer = clock.start("link");
  std::string part = pending.add(options.output);
  if (suffix == ".so") {
    std::string libc = findCLibrary();
    if (libc.empty())
      return fail("cannot find the C library to link with");
    return check(linkSharedLibrary(objects, {getRuntimeLibrary(options), libc},
                                   prefix + "_lathe_model", part));
  }
  if (suffix == ".o")
    return check(linkObject(objects, part));
  std::string joined = folder.getFile(prefix + ".o");
  if (failed(check(linkObject(objects, joined))))
    return failure();
  auto member = llvm::NewArchiveMember::getFile(joined, /*Deterministic=*/true);
  if (!member)
    return check(member.takeError());
  // Not the path: that of the temporary folder changes.
  member->MemberName = llvm::sys::path::filename(member->MemberName);
  return check(llvm::writeArchive(part, {std::move(*member)},
                                  llvm::SymtabWritingMode::NormalSymtab,
                                  llvm::object::Archive::K_GNU,
                                  /*Deterministic=*/true, /*Thin=*/false));
}

std::string Compiler::getHeaderPath() const {
  SmallString<128> path(options.output);
  llvm::sys::path::replace_extension(path, ".h");
  return path.str().str();
}

std::string Compiler::getWeightsPath() const {
  SmallString<128> path(llvm::sys::path::parent_path(options.output));
  llvm::sys::path::append(path, prefix + ".weights");
  return path.str().str();
}

//===----------------------------------------------------------------------===//
// The cache
//===----------------------------------------------------------------------===//

void Compiler::openCache() {
  // Who asks for the IR wants the passes to run.
  if (options.cache.empty() || !options.printIRAfter.empty())
    return;
  auto timer = clock.start("cache");
  SmallVector<const TargetInterface *> targets;
  for (const Variant &variant : variants)
    targets.push_back(variant.target.get());
  cache = std::make_unique<ArtifactCache>(options, targets, prefix);
}

/// Writes the artifact's files as the cache has them; false where it does not.
bool Compiler::takeFromCache() {
  if (!cache)
    return false;
  auto timer = clock.start("cache");
  auto files = cache->find();
  if (!files)
    return false;
  for (const ArtifactCache::File &file : *files) {
    std::string path = file.role == ".h"         ? getHeaderPath()
                       : file.role == ".weights" ? getWeightsPath()
                                                 : options.output;
    LogicalResult written = writeFile(path, [&](llvm::raw_ostream &os) {
      os << file.content->getBuffer();
      return llvm::Error::success();
    });
    if (failed(written))
      break;
  }
  cache.reset();
  return true;
}

/// Keeps the files that are about to appear. What was warned of would not be
/// said again, so it is compiled again.
void Compiler::putIntoCache() {
  if (!cache || hasReported)
    return;
  auto timer = clock.start("cache");
  SmallVector<ArtifactCache::NewFile> files;
  for (const auto &[part, path] : pending.getFiles())
    files.push_back({llvm::sys::path::extension(path).str(), part});
  llvm::Error error = cache->store(files, modelSummary.externalFiles);
  if (!error)
    return;
  UserDiagnostic diag;
  diag.severity = Severity::Warning;
  diag.file = options.input;
  diag.message = llvm::toString(std::move(error));
  report(diag);
}

//===----------------------------------------------------------------------===//

LogicalResult Compiler::readOptions() {
  std::string error = findWrongOption(options);
  if (!error.empty())
    return fail(error);
  auto targets = createTargets(options, error);
  if (failed(targets))
    return fail(error);
  if (failed(parseFusion(options.fusion, fusion, error)))
    return fail(error);
  fusion.explain = options.explainFusion;
  prefix = options.name.empty() ? getSymbolPrefix(options.input) : options.name;
  for (auto [i, target] : llvm::enumerate(*targets))
    variants.push_back(
        {targets->size() == 1 ? prefix : prefix + "_v" + std::to_string(i),
         std::move(target)});
  return success();
}

LogicalResult Compiler::prepare() {
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
  LogicalResult done = readOptions();
  if (succeeded(done))
    done = prepare();
  if (succeeded(done))
    done = use(*variants.front().module);
  module = {};
  variants.clear();
  context.reset();
  return done;
}

LogicalResult Compiler::run() {
  if (failed(readOptions()))
    return failure();
  openCache();
  if (takeFromCache()) {
    if (hasReported || failed(commitFiles()))
      return failure();
    clock.report();
    return success();
  }
  if (failed(prepare()))
    return failure();
  StringRef suffix = llvm::sys::path::extension(options.output);
  LogicalResult written = llvm::is_contained({".so", ".o", ".a"}, suffix)
                              ? writeObjects(suffix)
                              : writeText(suffix);
  // The context must go before its threads.
  module = {};
  variants.clear();
  context.reset();
  clock.report();
  if (options.timing && decidesKernels(options))
    tuning.print(errs);
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
