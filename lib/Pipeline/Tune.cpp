// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Kernels are tuned all together, in rounds. In the first one each is compiled
// as the cost model wants it, and the passes that decide say what else could be
// (`lathe.candidates`): groups of decisions, of which the best one is taken,
// group by group. What the best one makes possible is asked of itself.

#include "Tune.h"

#include "DecisionsFile.h"
#include "Fingerprint.h"
#include "TunableKernel.h"
#include "lathe/Pipeline/Compile.h"

#include "mlir/AsmParser/AsmParser.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Threading.h"
#include "mlir/Pass/PassManager.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/Path.h"
#include "llvm/TargetParser/Host.h"
#include "llvm/TargetParser/Triple.h"

using namespace mlir;
using namespace lathe;

/// Groups of decisions that are gone through: tiles, then the nests of two
/// contractions at most.
static constexpr unsigned maxGroups = 3;
/// Bytes of memory that weights are taken from; what no usual cache holds.
static constexpr size_t maxPoolBytes = size_t(64) << 20;

/// The file's name in the folder of `--cache`.
static constexpr llvm::StringLiteral fileName("lathe-decisions.json");

//===----------------------------------------------------------------------===//
// Options
//===----------------------------------------------------------------------===//

bool lathe::decidesKernels(const CompileOptions &options) {
  return options.tune || !options.decisions.empty();
}

std::string lathe::findWrongTuning(const CompileOptions &options,
                                   const TargetInterface &target) {
  StringRef option = options.tune ? "--tune" : "--decisions";
  if (!options.tune &&
      (!options.tuneCache.empty() || !options.tuneDims.empty()))
    return ("expected --tune with " +
            StringRef(options.tuneCache.empty() ? "--tune-dim"
                                                : "--tune-cache") +
            ", got none")
        .str();
  if (!decidesKernels(options))
    return "";
  if (options.tune && !options.decisions.empty())
    return "expected --tune or --decisions, got both";
  if (!target.takesDecisions())
    return ("expected a target that takes decisions with " + option +
            ", got '" + options.target + "'")
        .str();
  if (!options.tune)
    return "";
  llvm::Triple host(llvm::sys::getProcessTriple()), triple(target.getTriple());
  if (host.getArch() != triple.getArch())
    return ("--tune expects the host to be " + triple.getArchName() + ", got " +
            host.getArchName())
        .str();
  llvm::StringMap<bool> has = llvm::sys::getHostCPUFeatures();
  std::string required = target.getRequiredFeatures();
  SmallVector<StringRef> names, lacking;
  StringRef(required).split(names, ',', -1, /*KeepEmpty=*/false);
  for (StringRef name : names)
    if (name.consume_front("+"); !has.lookup(name))
      lacking.push_back(name);
  if (!lacking.empty())
    return "--tune expects the host to have " + llvm::join(lacking, ", ") +
           " (" + target.getDescription() + ")";
  return "";
}

void TuningStatistics::print(llvm::raw_ostream &os) const {
  os << "tuning: " << measured << " kernels measured, " << known << " known, "
     << changed << " changed";
  if (unknown)
    os << ", " << unknown << " of unknown sizes";
  if (after > 0)
    os << llvm::format("; estimated %.3f ms instead of %.3f ms", after * 1e3,
                       before * 1e3);
  os << '\n';
}

//===----------------------------------------------------------------------===//
// Measurements
//===----------------------------------------------------------------------===//

namespace {
/// A kernel on its way to its best decisions.
struct Contest {
  TunableKernel *kernel;
  std::string key;
  DictionaryAttr best;
  ArrayAttr groups; ///< What the best one could be instead.
  double before = 0, after = 0;
};

/// A kernel as some decisions would have it.
struct Attempt {
  unsigned contest;
  DictionaryAttr decisions;
  KernelOp op;
};

class Tuner {
public:
  Tuner(ModuleOp module, const TargetInterface &target)
      : module(module), target(target) {}

  /// An error where some candidate cannot be compiled; the contests keep what
  /// was best until then.
  llvm::Error run(MutableArrayRef<Contest> contests);

private:
  FailureOr<OwningOpRef<ModuleOp>> lower(ArrayRef<Contest> contests,
                                         MutableArrayRef<Attempt> attempts);
  LogicalResult compile(ArrayRef<Attempt> attempts,
                        std::vector<TargetInterface::Bytes> &objects);
  llvm::Error measure(MutableArrayRef<Contest> contests, unsigned group,
                      WeightPool &pool);

  ModuleOp module;
  const TargetInterface &target;
};
} // namespace

static std::string getName(unsigned attempt) {
  return "attempt" + std::to_string(attempt);
}

/// Brings all attempts to buffer form, in a module of their own.
FailureOr<OwningOpRef<ModuleOp>>
Tuner::lower(ArrayRef<Contest> contests, MutableArrayRef<Attempt> attempts) {
  Builder b(module.getContext());
  OwningOpRef<ModuleOp> batch(ModuleOp::create(module.getLoc()));
  for (auto [i, attempt] : llvm::enumerate(attempts)) {
    attempt.op = contests[attempt.contest].kernel->kernel.clone();
    attempt.op.setSymName(getName(i));
    attempt.op->setAttr(decisionsAttrName, attempt.decisions);
    attempt.op->setAttr(candidatesAttrName, b.getArrayAttr({}));
    batch->push_back(attempt.op);
  }
  PassManager pm(module.getContext());
  target.buildKernelPipeline(pm.nest<KernelOp>());
  if (failed(pm.run(*batch)))
    return failure();
  return batch;
}

LogicalResult Tuner::compile(ArrayRef<Attempt> attempts,
                             std::vector<TargetInterface::Bytes> &objects) {
  objects.resize(attempts.size());
  return failableParallelForEachN(
      module.getContext(), 0, attempts.size(), [&](size_t i) -> LogicalResult {
        FailureOr<TargetInterface::Bytes> object =
            target.emitKernel(attempts[i].op, getName(i), ".o");
        if (succeeded(object))
          objects[i] = std::move(*object);
        return object;
      });
}

/// How an attempt is run, or nothing where its grid or scratch memory is not
/// known.
static std::optional<KernelCandidate> getCandidate(KernelOp kernel,
                                                   lathe_rt_kernel function,
                                                   ArrayRef<int64_t> sizes) {
  auto evaluate = [&](StringRef name) -> std::optional<int64_t> {
    auto map = kernel->getAttrOfType<AffineMapAttr>(name);
    return map ? evaluateMap(map.getValue(), 0, sizes) : std::nullopt;
  };
  std::optional<int64_t> tiles = evaluate(gridAttrName), scratch = 0;
  if (kernel->hasAttr(scratchAttrName))
    scratch = evaluate(scratchAttrName);
  if (!tiles || !scratch)
    return std::nullopt;
  return KernelCandidate{function, *tiles, size_t(*scratch)};
}

/// Takes the best of group number `group` of each contest that has one.
llvm::Error Tuner::measure(MutableArrayRef<Contest> contests, unsigned group,
                           WeightPool &pool) {
  SmallVector<Attempt> attempts;
  for (auto [i, contest] : llvm::enumerate(contests)) {
    if (group >= contest.groups.size())
      continue;
    attempts.push_back({unsigned(i), contest.best, {}});
    for (Attribute other : cast<ArrayAttr>(contest.groups[group]))
      attempts.push_back({unsigned(i), cast<DictionaryAttr>(other), {}});
  }
  if (attempts.empty())
    return llvm::Error::success();
  std::vector<TargetInterface::Bytes> objects;
  FailureOr<OwningOpRef<ModuleOp>> lowered = lower(contests, attempts);
  if (failed(lowered) || failed(compile(attempts, objects)))
    return llvm::createStringError("a candidate cannot be compiled");
  KernelLibrary library;
  if (llvm::Error error = library.link(objects))
    return error;
  for (size_t begin = 0, end; begin < attempts.size(); begin = end) {
    Contest &contest = contests[attempts[begin].contest];
    SmallVector<KernelCandidate> candidates;
    for (end = begin; end < attempts.size() &&
                      attempts[end].contest == attempts[begin].contest;
         ++end) {
      llvm::Expected<lathe_rt_kernel> function = library.find(getName(end));
      if (!function)
        return function.takeError();
      if (auto candidate = getCandidate(attempts[end].op, *function,
                                        contest.kernel->operands.sizes))
        candidates.push_back(*candidate);
    }
    if (candidates.size() != end - begin)
      continue;
    KernelVerdict verdict =
        compareKernels(candidates, contest.kernel->operands, pool);
    if (contest.before == 0)
      contest.before = contest.after = verdict.before;
    contest.after *= verdict.after / verdict.before;
    Attempt &best = attempts[begin + verdict.best];
    contest.best = best.decisions;
    contest.groups = best.op->getAttrOfType<ArrayAttr>(candidatesAttrName);
  }
  return llvm::Error::success();
}

llvm::Error Tuner::run(MutableArrayRef<Contest> contests) {
  // What fails to compile is not the user's kernel but another form of it.
  ScopedDiagnosticHandler quiet(module.getContext(),
                                [](Diagnostic &) { return success(); });
  size_t bytes = std::min(getWeightBytes(module), maxPoolBytes);
  SmallVector<Attempt> attempts;
  for (auto [i, contest] : llvm::enumerate(contests)) {
    attempts.push_back({unsigned(i), contest.best, {}});
    for (const KernelOperands::Buffer &buffer :
         contest.kernel->operands.buffers)
      if (buffer.isWeight())
        bytes = std::max(bytes, buffer.bytes);
  }
  {
    FailureOr<OwningOpRef<ModuleOp>> lowered = lower(contests, attempts);
    if (failed(lowered))
      return llvm::createStringError("a kernel cannot be compiled");
    for (auto [contest, attempt] : llvm::zip_equal(contests, attempts))
      contest.groups = attempt.op->getAttrOfType<ArrayAttr>(candidatesAttrName);
  }
  WeightPool pool(bytes);
  for (unsigned group = 0; group < maxGroups; ++group)
    if (llvm::Error error = measure(contests, group, pool))
      return error;
  return llvm::Error::success();
}

//===----------------------------------------------------------------------===//
// Decisions
//===----------------------------------------------------------------------===//

static std::string getText(Attribute attr) {
  std::string text;
  llvm::raw_string_ostream os(text);
  attr.print(os);
  return text;
}

/// Null where the text is no dictionary.
static DictionaryAttr parseDecisions(MLIRContext *context, StringRef text) {
  ScopedDiagnosticHandler quiet(context,
                                [](Diagnostic &) { return success(); });
  return dyn_cast_or_null<DictionaryAttr>(parseAttribute(text, context));
}

/// A hash of what an entry says, and of what it was measured with.
static std::string getSeal(const Contest &contest, StringRef decisions) {
  static const std::string machine = FieldHash()
                                         .addCompiler()
                                         .addHost()
                                         .add(llvm::sys::getHostCPUName())
                                         .finish();
  FieldHash hash;
  hash.add(machine).add(contest.key).add(decisions);
  for (int64_t size : contest.kernel->operands.sizes)
    hash.addNumber(size);
  return hash.finish();
}

static std::string getNodes(LaunchOp launch) {
  SmallVector<StringRef> nodes;
  if (launch.getNodes())
    llvm::append_range(nodes, launch.getNodes()->getAsValueRange<StringAttr>());
  return llvm::join(nodes, ", ");
}

/// Names of symbols that the caller of the program gives sizes to.
static SmallVector<StringRef> getSymbols(ModuleOp module) {
  SmallVector<StringRef> names;
  auto main = module.lookupSymbol<func::FuncOp>("main");
  auto list = main ? main->getAttrOfType<ArrayAttr>(symbolsAttrName) : nullptr;
  if (!list)
    return names;
  llvm::append_range(names, list.getAsValueRange<StringAttr>());
  if (auto number = main->getAttrOfType<IntegerAttr>(entrySymbolsAttrName))
    names.truncate(std::min<size_t>(names.size(), number.getInt()));
  return names;
}

static FailureOr<llvm::StringMap<int64_t>>
getDims(ModuleOp module, const CompileOptions &options) {
  llvm::StringMap<int64_t> dims;
  SmallVector<StringRef> symbols = getSymbols(module);
  for (const auto &[name, size] : options.tuneDims) {
    if (!llvm::is_contained(symbols, name))
      return module.emitError("expected --tune-dim to name a symbolic "
                              "dimension (")
             << llvm::join(symbols, ", ") << "), got '" << name << "'";
    dims[name] = size;
  }
  return dims;
}

/// Where measured decisions are kept; empty where nowhere.
static std::string getCachePath(const CompileOptions &options) {
  if (!options.tuneCache.empty() || options.cache.empty())
    return options.tuneCache;
  SmallString<128> path(options.cache);
  llvm::sys::path::append(path, fileName);
  return path.str().str();
}

/// Says that some kernels could be measured if the user said at which size.
static void remarkUnknown(ModuleOp module, const llvm::StringMap<int64_t> &dims,
                          int64_t number) {
  SmallVector<StringRef> missing = getSymbols(module);
  llvm::erase_if(missing, [&](StringRef name) { return dims.contains(name); });
  if (number && !missing.empty())
    module.emitRemark() << number
                        << " kernels of symbolic sizes are left to the cost "
                           "model; --tune-dim=NAME:SIZE gives a size to "
                           "measure at ("
                        << llvm::join(missing, ", ") << ")";
}

LogicalResult lathe::decideKernels(ModuleOp module,
                                   const TargetInterface &target,
                                   const CompileOptions &options,
                                   TuningStatistics &statistics) {
  MLIRContext *context = module.getContext();
  FailureOr<llvm::StringMap<int64_t>> dims = getDims(module, options);
  if (failed(dims))
    return failure();
  DecisionsFile file(options.tune ? getCachePath(options) : options.decisions);
  // A cache that cannot be read is one without entries.
  if (llvm::Error error = file.read()) {
    if (!options.tune)
      return module.emitError(llvm::toString(std::move(error)));
    llvm::consumeError(std::move(error));
  }
  std::vector<TunableKernel> kernels =
      findTunableKernels(module, target, *dims);
  std::vector<Contest> contests;
  int64_t unknown = 0;
  auto decide = [&](const Contest &contest) {
    double launches = contest.kernel->launches;
    statistics.before += launches * contest.before;
    statistics.after += launches * contest.after;
    if (contest.best.empty())
      return;
    contest.kernel->kernel->setAttr(decisionsAttrName, contest.best);
    ++statistics.changed;
  };
  for (TunableKernel &kernel : kernels) {
    if (options.tune && !kernel.hasSizes) {
      ++unknown;
      continue;
    }
    Contest contest{&kernel,
                    FieldHash()
                        .add(target.getIdentity())
                        .add(getPlainText(kernel.kernel))
                        .finish(),
                    DictionaryAttr::get(context),
                    {}};
    const DecidedKernel *known = file.find(contest.key);
    if (known &&
        (!options.tune || known->seal == getSeal(contest, known->decisions))) {
      contest.best = parseDecisions(context, known->decisions);
      if (!contest.best)
        return kernel.kernel.emitError("expects a dictionary in '")
               << options.decisions << "', got '" << known->decisions << "'";
      contest.before = known->before;
      contest.after = known->after;
      ++statistics.known;
      decide(contest);
    } else if (options.tune) {
      contests.push_back(std::move(contest));
    }
  }
  statistics.unknown += unknown;
  remarkUnknown(module, *dims, unknown);
  if (contests.empty())
    return success();
  if (llvm::Error error = Tuner(module, target).run(contests)) {
    module.emitWarning("tuning ended early: ")
        << llvm::toString(std::move(error));
    for (const Contest &contest : contests)
      decide(contest);
    return success();
  }
  for (const Contest &contest : contests) {
    decide(contest);
    std::string text = getText(contest.best);
    file.add(contest.key,
             {text, getNodes(contest.kernel->launch), getSeal(contest, text),
              contest.before, contest.after});
  }
  statistics.measured += contests.size();
  if (!getCachePath(options).empty())
    if (llvm::Error error = file.write())
      module.emitWarning(llvm::toString(std::move(error)));
  return success();
}

void lathe::addDecisions(ModuleOp module, ProgramTables &tables) {
  auto kernels = module.getOps<KernelOp>();
  int64_t decided = llvm::count_if(kernels, [](KernelOp kernel) {
    return kernel->hasAttr(decisionsAttrName);
  });
  if (decided)
    tables.metadata.push_back(
        {"lathe.decided_kernels", std::to_string(decided)});
}
