// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// lathe bench: times a model, and the same model compiled in other ways. All
// variants run in turn in one process, so that what disturbs the machine
// disturbs them alike; their outputs are compared before anything is timed.

#include "Commands.h"
#include "ModelOptions.h"
#include "PeakFlops.h"
#include "PythonReference.h"
#include "Statistics.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FileUtilities.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/raw_ostream.h"
#include <chrono>
#ifdef LATHE_HAS_COMPILER
#include "lathe/Pipeline/Inspect.h"
#endif

using namespace lathe::driver;
using namespace llvm;

static cl::list<std::string> compareWith(
    "compare", cl::CommaSeparated, cl::value_desc("variant,…"),
    cl::desc("Others to time: unfused, no-layout, another MODEL, or "
             "onnxruntime (in a process of LATHE_PYTHON, else python3)"),
    cl::sub(getBenchCommand()));
static cl::opt<double>
    warmupSeconds("warmup", cl::init(0.5), cl::value_desc("seconds"),
                  cl::desc("Runs before the timing (default 0.5)"),
                  cl::sub(getBenchCommand()));
static cl::opt<double>
    durationSeconds("duration", cl::init(3), cl::value_desc("seconds"),
                    cl::desc("Timing of all variants (default 3)"),
                    cl::sub(getBenchCommand()));
static cl::opt<double>
    relativeTolerance("rtol", cl::init(1e-3), cl::value_desc("x"),
                      cl::desc("Relative tolerance between variants"),
                      cl::sub(getBenchCommand()));
static cl::opt<double>
    absoluteTolerance("atol", cl::init(1e-4), cl::value_desc("x"),
                      cl::desc("Absolute tolerance between variants"),
                      cl::sub(getBenchCommand()));
static cl::opt<bool>
    profileLaunches("profile", cl::desc("Also list the time of each launch"),
                    cl::sub(getBenchCommand()));
static cl::opt<std::string> traceFile(
    "trace", cl::value_desc("file"),
    cl::desc("Where to write a timeline of the launches, for a viewer "
             "of Chrome's trace format"),
    cl::sub(getBenchCommand()));
static cl::opt<std::string> jsonFile("json", cl::value_desc("file"),
                                     cl::desc("Where to write the results"),
                                     cl::sub(getBenchCommand()));

/// The name of the implementation that is reached through Python.
static constexpr StringLiteral peerName = "onnxruntime";

namespace {
struct BenchSettings {
  ModelSettings model = ModelSettings::fromCommandLine();
  std::vector<std::string> compare{compareWith.begin(), compareWith.end()};
  double warmup = warmupSeconds, duration = durationSeconds;
  double rtol = relativeTolerance, atol = absoluteTolerance;
  bool profile = profileLaunches;
  std::string json = jsonFile, trace = traceFile;
};

using Clock = std::chrono::steady_clock;

/// What a kind of fusion saved, for the shapes at hand.
struct Fusion {
  std::string kind;
  int64_t count, bytes;
};

/// What profiled runs tell of a launch.
struct LaunchTime {
  double ns = 0;    ///< Median over runs of the mean time in one run.
  int64_t runs = 0; ///< In one run of the model: several in a loop.
};

/// One way to run the model. The model must outlive its session.
struct Variant {
  std::string name;
  std::unique_ptr<LoadedModel> model;
  std::unique_ptr<Session> session;
  std::vector<HostTensor> outputs;
  std::vector<double> samples;      ///< Nanoseconds per run.
  std::vector<LaunchTime> launches; ///< When profiled.
  int64_t flops = 0, bytes = 0;
  lathe_memory_info memory = {};
  std::vector<Fusion> fusions;
};
} // namespace

static double getNanoseconds(Clock::duration time) {
  return std::chrono::duration<double, std::nano>(time).count();
}

//===----------------------------------------------------------------------===//
// Variants
//===----------------------------------------------------------------------===//

static Expected<Variant> makeVariant(const ModelSettings &settings,
                                     StringRef name) {
  Variant variant;
  variant.name = name.str();
  StringRef path = settings.path;
  OptionTexts options;
  if (name == "unfused")
    options.emplace_back("fusion", "none");
  else if (name == "no-layout")
    options.emplace_back("layout", "none");
  else if (name.ends_with(".so") || name.ends_with(".onnx"))
    path = name;
  else if (!name.empty())
    return createStringError(
        "--compare: expected unfused, no-layout, onnxruntime or another "
        "MODEL, got '" +
        name + "'");
  if ((name == "unfused" || name == "no-layout") && !isSourceModel(path))
    return createStringError("--compare: " + name +
                             " needs an .onnx model, got " + path);
  if (name.empty())
    variant.name = "lathe";
  else if (path == name)
    variant.name = sys::path::filename(name).str();
  Expected<std::unique_ptr<LoadedModel>> model =
      loadModel(settings, path, options);
  if (!model)
    return model.takeError();
  Expected<std::unique_ptr<Session>> session = createSession(settings, **model);
  if (!session)
    return session.takeError();
  variant.model = std::move(*model);
  variant.session = std::move(*session);
  return variant;
}

/// Reads what fusions saved from the model's metadata.
static void readFusions(Variant &variant, ArrayRef<HostTensor> inputs) {
#ifdef LATHE_HAS_COMPILER
  auto getSymbol = [&](StringRef name) -> std::optional<int64_t> {
    for (auto [input, signature] :
         zip_equal(inputs, variant.model->getInputs()))
      for (auto [dim, size] : zip_equal(signature.dims, input.shape))
        if (dim.name == name)
          return size;
    return std::nullopt;
  };
  const char *key, *value;
  for (int32_t i = 0;
       (key = lathe_model_get_metadata(variant.model->get(), i, &value)); ++i) {
    StringRef kind = key;
    if (!kind.consume_front("lathe.fusion."))
      continue;
    if (auto numbers = lathe::evaluateFusionSaving(value, getSymbol))
      variant.fusions.push_back({kind.str(), numbers->count, numbers->bytes});
  }
#endif
}

/// Runs a variant once; its outputs must agree with those of the first.
static Error proveEqual(const BenchSettings &settings, Variant &variant,
                        ArrayRef<HostTensor> inputs, const Variant *first) {
  if (inputs.size() != variant.model->getInputs().size())
    return createStringError(variant.name + ": expected " +
                             Twine(inputs.size()) + " inputs, got " +
                             Twine(variant.model->getInputs().size()));
  Expected<std::vector<HostTensor>> outputs =
      variant.session->makeOutputs(inputs);
  if (!outputs)
    return createStringError(variant.name + ": " +
                             toString(outputs.takeError()));
  variant.outputs = std::move(*outputs);
  if (Error error = variant.session->run(inputs, variant.outputs))
    return createStringError(variant.name + ": " + toString(std::move(error)));
  if (first && first->outputs.size() != variant.outputs.size())
    return createStringError(variant.name + ": expected " +
                             Twine(first->outputs.size()) + " outputs, got " +
                             Twine(variant.outputs.size()));
  for (size_t i = 0; first && i < variant.outputs.size(); ++i) {
    Mismatch mismatch = compareTensors(first->outputs[i], variant.outputs[i],
                                       settings.rtol, settings.atol);
    if (mismatch.count)
      return createStringError(
          variant.name + ": output '" + variant.model->getOutputs()[i].name +
          "' differs from " + first->name + ": " + mismatch.message);
  }
  lathe_context *context = variant.session->get();
  for (int32_t i = 0; i < lathe_context_num_launches(context); ++i) {
    lathe_launch_info launch;
    lathe_context_get_launch(context, i, &launch);
    variant.flops += launch.flops;
    variant.bytes += launch.bytes;
  }
  lathe_context_get_memory(context, &variant.memory);
  readFusions(variant, inputs);
  return Error::success();
}

//===----------------------------------------------------------------------===//
// Timing
//===----------------------------------------------------------------------===//

/// Times `runs` runs; returns nanoseconds per run.
static Expected<double> timeRuns(Variant &variant, ArrayRef<HostTensor> inputs,
                                 int64_t runs) {
  Clock::time_point begin = Clock::now();
  for (int64_t i = 0; i < runs; ++i)
    if (Error error = variant.session->run(inputs, variant.outputs))
      return std::move(error);
  return getNanoseconds(Clock::now() - begin) / static_cast<double>(runs);
}

/// Takes samples in turn: A B A B … Short runs are put together, so that
/// reading the clock does not count. Returns how many runs make a sample.
static Expected<int64_t> timeVariants(const BenchSettings &settings,
                                      MutableArrayRef<Variant> variants,
                                      ArrayRef<HostTensor> inputs) {
  constexpr double sampleNs = 50e3;
  constexpr size_t minSamples = 5;
  double slowest = 0;
  Clock::time_point begin = Clock::now();
  do {
    slowest = 0;
    for (Variant &variant : variants) {
      Expected<double> time = timeRuns(variant, inputs, 1);
      if (!time)
        return time.takeError();
      slowest = std::max(slowest, *time);
    }
  } while (getNanoseconds(Clock::now() - begin) < settings.warmup * 1e9);
  int64_t runs = std::max<int64_t>(1, static_cast<int64_t>(sampleNs / slowest));
  begin = Clock::now();
  do {
    for (Variant &variant : variants) {
      Expected<double> time = timeRuns(variant, inputs, runs);
      if (!time)
        return time.takeError();
      variant.samples.push_back(*time);
    }
  } while (getNanoseconds(Clock::now() - begin) < settings.duration * 1e9 ||
           variants.front().samples.size() < minSamples);
  return runs;
}

//===----------------------------------------------------------------------===//
// Reports
//===----------------------------------------------------------------------===//

static void printResults(ArrayRef<Variant> variants, double peak) {
  unsigned threads = lathe_context_num_threads(variants.front().session->get());
  outs() << threads << " thread" << (threads == 1 ? "" : "s")
         << format(", measured peak %.1f GFLOP/s (float32 FMA)\n", peak);
  outs() << format("%-16s %10s %10s %10s %10s %7s %9s %7s %9s %9s %7s\n",
                   "variant", "min ms", "median ms", "p90 ms", "p99 ms",
                   "spread", "GFLOP/s", "of peak", "MB moved", "arena MB",
                   "ratio");
  for (const Variant &variant : variants) {
    Statistics stats = getStatistics(variant.samples);
    double rate = static_cast<double>(variant.flops) / stats.median;
    outs() << format("%-16s %10.4f %10.4f %10.4f %10.4f %6.1f%%",
                     variant.name.c_str(), stats.min * 1e-6,
                     stats.median * 1e-6, stats.p90 * 1e-6, stats.p99 * 1e-6,
                     stats.spread * 100)
           << format(" %9.2f %6.1f%% %9.3f %9.3f %6.2fx\n", rate,
                     rate / peak * 100,
                     static_cast<double>(variant.bytes) * 1e-6,
                     static_cast<double>(variant.memory.arena_bytes) * 1e-6,
                     getPairedRatio(variant.samples, variants.front().samples));
  }
  outs() << variants.front().samples.size()
         << " samples each, taken in turn; ratio: median of the time over "
         << variants.front().name << "'s in the same turn\n";
  for (const Variant &variant : variants)
    for (const Fusion &fusion : variant.fusions)
      outs() << variant.name << ": fusion " << fusion.kind << " of "
             << fusion.count << " producers saved "
             << format("%.3f MB moved\n",
                       static_cast<double>(fusion.bytes) * 1e-6);
}

/// Runs each variant with timers on, for a tenth of a second or a few times.
static Error profileVariants(MutableArrayRef<Variant> variants,
                             ArrayRef<HostTensor> inputs) {
  constexpr double profileNs = 1e8;
  constexpr int64_t minRuns = 20, maxRuns = 2000;
  for (Variant &variant : variants) {
    lathe_context *context = variant.session->get();
    int32_t count = lathe_context_num_launches(context);
    std::vector<lathe_launch_info> before(count);
    std::vector<std::vector<double>> times(count);
    variant.launches.assign(count, {});
    lathe_context_set_profiling(context, 1);
    Clock::time_point begin = Clock::now();
    for (int64_t run = 0;
         run < minRuns ||
         (run < maxRuns && getNanoseconds(Clock::now() - begin) < profileNs);
         ++run) {
      for (int32_t i = 0; i < count; ++i)
        lathe_context_get_launch(context, i, &before[i]);
      Expected<double> time = timeRuns(variant, inputs, 1);
      if (!time)
        return time.takeError();
      for (int32_t i = 0; i < count; ++i) {
        lathe_launch_info after;
        lathe_context_get_launch(context, i, &after);
        int64_t runs = after.runs - before[i].runs;
        if (!runs)
          continue;
        variant.launches[i].runs = runs;
        times[i].push_back(
            static_cast<double>(after.nanoseconds - before[i].nanoseconds) /
            static_cast<double>(runs));
      }
    }
    lathe_context_set_profiling(context, 0);
    for (int32_t i = 0; i < count; ++i)
      if (!times[i].empty())
        variant.launches[i].ns = getStatistics(std::move(times[i])).median;
  }
  return Error::success();
}

static void printProfile(const Variant &variant) {
  lathe_context *context = variant.session->get();
  outs() << "launches of " << variant.name << ":\n"
         << format("%10s %6s %9s %9s  ", "us", "runs", "GFLOP/s", "GB/s")
         << "kernel (nodes)\n";
  for (int32_t i = 0; i < lathe_context_num_launches(context); ++i) {
    lathe_launch_info launch;
    lathe_context_get_launch(context, i, &launch);
    const LaunchTime &measured = variant.launches[i];
    double time = std::max(measured.ns, 1.0);
    outs() << format("%10.2f %6lld %9.2f %9.2f  ", time * 1e-3,
                     static_cast<long long>(measured.runs),
                     static_cast<double>(launch.flops) / time,
                     static_cast<double>(launch.bytes) / time)
           << launch.kernel << " (" << launch.nodes << ")\n";
  }
}

static json::Value toJSON(const Variant &variant, const Variant &first) {
  Statistics stats = getStatistics(variant.samples);
  lathe_context *context = variant.session->get();
  json::Array launches;
  for (int32_t i = 0; i < lathe_context_num_launches(context); ++i) {
    lathe_launch_info launch;
    lathe_context_get_launch(context, i, &launch);
    json::Object entry{{"kernel", launch.kernel},
                       {"nodes", launch.nodes},
                       {"flops", launch.flops},
                       {"bytes", launch.bytes}};
    if (!variant.launches.empty() && variant.launches[i].runs) {
      entry["ns"] = variant.launches[i].ns;
      entry["runs"] = variant.launches[i].runs;
    }
    launches.push_back(std::move(entry));
  }
  json::Array fusions;
  for (const Fusion &fusion : variant.fusions)
    fusions.push_back(json::Object{{"kind", fusion.kind},
                                   {"count", fusion.count},
                                   {"bytes_saved", fusion.bytes}});
  return json::Object{
      {"name", variant.name},
      {"target", lathe_context_target(context)},
      {"min_ns", stats.min},
      {"median_ns", stats.median},
      {"p90_ns", stats.p90},
      {"p99_ns", stats.p99},
      {"spread", stats.spread},
      {"ratio_to_first", getPairedRatio(variant.samples, first.samples)},
      {"samples", static_cast<int64_t>(variant.samples.size())},
      {"flops", variant.flops},
      {"bytes", variant.bytes},
      {"arena_bytes", variant.memory.arena_bytes},
      {"arena_lower_bound", variant.memory.lower_bound},
      {"scratch_bytes", variant.memory.scratch_bytes},
      {"weights_bytes", variant.memory.weights_bytes},
      {"launches", std::move(launches)},
      {"fusions", std::move(fusions)},
  };
}

static Error writeJSON(const BenchSettings &settings,
                       ArrayRef<Variant> variants, ArrayRef<HostTensor> inputs,
                       double peak, int64_t runsPerSample,
                       const std::optional<ReferenceRun> &peer) {
  json::Array results, shapes;
  for (const Variant &variant : variants)
    results.push_back(toJSON(variant, variants.front()));
  for (const HostTensor &input : inputs)
    shapes.push_back(toString(input.dtype) + toString(input.shape));
  json::Object root{
      {"model", settings.model.path},
      {"inputs", std::move(shapes)},
      {"threads", lathe_context_num_threads(variants.front().session->get())},
      {"peak_gflops", peak},
      {"runs_per_sample", runsPerSample},
      {"outputs_equal", true},
      {"variants", std::move(results)},
  };
  if (peer) {
    Statistics stats = getStatistics(peer->samples);
    root["peer"] =
        json::Object{{"name", peer->name},
                     {"min_ns", stats.min},
                     {"median_ns", stats.median},
                     {"p90_ns", stats.p90},
                     {"samples", static_cast<int64_t>(peer->samples.size())}};
  }
  return writeToOutput(settings.json, [&](raw_ostream &os) {
    os << formatv("{0:2}\n", json::Value(std::move(root)));
    return Error::success();
  });
}

/// One row per variant; each launch takes its median time, one after the other.
static Error writeTrace(StringRef path, ArrayRef<Variant> variants) {
  json::Array events;
  for (auto [row, variant] : enumerate(variants)) {
    lathe_context *context = variant.session->get();
    double start = 0;
    events.push_back(
        json::Object{{"name", "thread_name"},
                     {"ph", "M"},
                     {"pid", 0},
                     {"tid", static_cast<int64_t>(row)},
                     {"args", json::Object{{"name", variant.name}}}});
    for (int32_t i = 0; i < lathe_context_num_launches(context); ++i) {
      lathe_launch_info launch;
      lathe_context_get_launch(context, i, &launch);
      double time = variant.launches[i].ns * 1e-3;
      events.push_back(
          json::Object{{"name", launch.kernel},
                       {"ph", "X"},
                       {"pid", 0},
                       {"tid", static_cast<int64_t>(row)},
                       {"ts", start},
                       {"dur", time},
                       {"args", json::Object{{"nodes", launch.nodes},
                                             {"flops", launch.flops},
                                             {"bytes", launch.bytes}}}});
      start += time;
    }
  }
  json::Object root{{"traceEvents", std::move(events)}};
  return writeToOutput(path, [&](raw_ostream &os) {
    os << json::Value(std::move(root)) << '\n';
    return Error::success();
  });
}

//===----------------------------------------------------------------------===//
// The command
//===----------------------------------------------------------------------===//

/// Times ONNX Runtime on the same inputs; its outputs must agree.
static Expected<ReferenceRun> timePeer(const BenchSettings &settings,
                                       const Variant &first,
                                       ArrayRef<HostTensor> inputs) {
  if (!isSourceModel(settings.model.path))
    return createStringError("--compare: onnxruntime needs an .onnx model");
  NamedTensors named;
  for (auto [signature, input] : zip_equal(first.model->getInputs(), inputs))
    named.emplace_back(signature.name, input);
  Expected<ReferenceRun> peer =
      timeReference(settings.model.path, named,
                    lathe_context_num_threads(first.session->get()),
                    settings.warmup, settings.duration);
  if (!peer)
    return peer.takeError();
  for (auto [signature, output] :
       zip_equal(first.model->getOutputs(), first.outputs)) {
    auto found = find_if(peer->values,
                         [name = StringRef(signature.name)](const auto &value) {
                           return value.first == name;
                         });
    if (found == peer->values.end())
      continue;
    Mismatch mismatch =
        compareTensors(found->second, output, settings.rtol, settings.atol);
    if (mismatch.count)
      return createStringError(first.name + ": output '" + signature.name +
                               "' differs from " + peer->name + ": " +
                               mismatch.message);
  }
  return peer;
}

static void printPeer(const ReferenceRun &peer, const Variant &first) {
  Statistics stats = getStatistics(peer.samples);
  outs() << peer.name
         << format(": min %.4f ms, median %.4f ms, p90 %.4f ms, %.2fx of ",
                   stats.min * 1e-6, stats.median * 1e-6, stats.p90 * 1e-6,
                   stats.median / getStatistics(first.samples).median)
         << first.name << "'s median; " << peer.samples.size()
         << " runs in a process of its own, after the others\n";
}

static Error benchModel(const BenchSettings &settings) {
  std::vector<Variant> variants;
  std::vector<std::string> names = {""};
  names.insert(names.end(), settings.compare.begin(), settings.compare.end());
  for (StringRef name : names) {
    if (name == peerName)
      continue;
    Expected<Variant> variant = makeVariant(settings.model, name);
    if (!variant)
      return variant.takeError();
    variants.push_back(std::move(*variant));
  }
  Expected<std::vector<HostTensor>> inputs =
      makeRandomInputs(settings.model, *variants.front().model);
  if (!inputs)
    return inputs.takeError();
  for (Variant &variant : variants)
    if (Error error = proveEqual(
            settings, variant, *inputs,
            &variant == &variants.front() ? nullptr : &variants.front()))
      return error;
  Expected<int64_t> runsPerSample = timeVariants(settings, variants, *inputs);
  if (!runsPerSample)
    return runsPerSample.takeError();
  double peak = measurePeakFlops(
      lathe_context_num_threads(variants.front().session->get()));
  if (settings.profile || !settings.trace.empty())
    if (Error error = profileVariants(variants, *inputs))
      return error;
  std::optional<ReferenceRun> peer;
  if (is_contained(names, peerName)) {
    Expected<ReferenceRun> timed =
        timePeer(settings, variants.front(), *inputs);
    if (!timed)
      return timed.takeError();
    peer = std::move(*timed);
  }
  printResults(variants, peak);
  if (peer)
    printPeer(*peer, variants.front());
  if (settings.profile)
    for (const Variant &variant : variants)
      printProfile(variant);
  if (!settings.trace.empty())
    if (Error error = writeTrace(settings.trace, variants))
      return error;
  if (!settings.json.empty())
    return writeJSON(settings, variants, *inputs, peak, *runsPerSample, peer);
  return Error::success();
}

int lathe::driver::runBench() {
  if (Error error = benchModel(BenchSettings())) {
    errs() << toString(std::move(error)) << '\n';
    return Failure;
  }
  return Success;
}
