// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// lathe report: compiles a model for the sizes that are given, fused and
// unfused, runs both, and gathers what there is to say.

#include "Report.h"
#include "Commands.h"
#include "ModelOptions.h"
#include "PeakFlops.h"
#include "lathe-rt/artifact.h"
#include "lathe/Pipeline/Compile.h"
#include "lathe/Pipeline/Inspect.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/raw_ostream.h"
#include <chrono>

using namespace lathe::driver;
using namespace llvm;
using namespace std::string_literals;

static cl::opt<std::string> output("o", cl::value_desc("file.html"),
                                   cl::desc("The page to write"),
                                   cl::sub(getReportCommand()));
static cl::opt<double> duration("duration", cl::init(2),
                                cl::value_desc("seconds"),
                                cl::desc("Timing of both variants (default 2)"),
                                cl::sub(getReportCommand()));

using Clock = std::chrono::steady_clock;

static double getNanoseconds(Clock::duration time) {
  return std::chrono::duration<double, std::nano>(time).count();
}

namespace {
/// A variant that can run. The model must outlive its session.
struct Running {
  std::string name;
  std::unique_ptr<LoadedModel> model;
  std::unique_ptr<Session> session;
  std::vector<HostTensor> outputs;
  std::vector<double> samples;
};
} // namespace

static Expected<Running> load(const ModelSettings &settings, StringRef name,
                              const OptionTexts &options) {
  Running running;
  running.name = name.str();
  Expected<std::unique_ptr<LoadedModel>> model =
      loadModel(settings, settings.path, options);
  if (!model)
    return model.takeError();
  running.model = std::move(*model);
  Expected<std::unique_ptr<Session>> session =
      createSession(settings, *running.model);
  if (!session)
    return session.takeError();
  running.session = std::move(*session);
  return running;
}

/// Runs the variants in turn for `seconds`, after they have agreed.
static Error time(MutableArrayRef<Running> variants,
                  ArrayRef<HostTensor> inputs, double seconds) {
  for (Running &variant : variants) {
    Expected<std::vector<HostTensor>> outputs =
        variant.session->makeOutputs(inputs);
    if (!outputs)
      return outputs.takeError();
    variant.outputs = std::move(*outputs);
    if (Error error = variant.session->run(inputs, variant.outputs))
      return error;
    for (size_t i = 0; i < variant.outputs.size(); ++i) {
      Mismatch mismatch = compareTensors(variants.front().outputs[i],
                                         variant.outputs[i], 1e-3, 1e-4);
      if (mismatch.count)
        return createStringError(variant.name + ": output '" +
                                 variant.model->getOutputs()[i].name +
                                 "' differs: " + mismatch.message);
    }
  }
  Clock::time_point begin = Clock::now();
  do {
    for (Running &variant : variants) {
      Clock::time_point start = Clock::now();
      if (Error error = variant.session->run(inputs, variant.outputs))
        return error;
      variant.samples.push_back(getNanoseconds(Clock::now() - start));
    }
  } while (getNanoseconds(Clock::now() - begin) < seconds * 1e9 ||
           variants.front().samples.size() < 5);
  Running &first = variants.front();
  lathe_context_set_profiling(first.session->get(), 1);
  for (int i = 0; i < 10; ++i)
    if (Error error = first.session->run(inputs, first.outputs))
      return error;
  lathe_context_set_profiling(first.session->get(), 0);
  return Error::success();
}

static Report::Variant summarize(const Running &running) {
  Report::Variant variant = {};
  variant.name = running.name;
  variant.time = getStatistics(running.samples);
  lathe_context *context = running.session->get();
  variant.numLaunches = lathe_context_num_launches(context);
  for (int32_t i = 0; i < variant.numLaunches; ++i) {
    lathe_launch_info launch;
    lathe_context_get_launch(context, i, &launch);
    variant.flops += std::max<int64_t>(launch.flops, 0);
    variant.bytes += std::max<int64_t>(launch.bytes, 0);
  }
  lathe_memory_info memory;
  lathe_context_get_memory(context, &memory);
  variant.arenaBytes = memory.arena_bytes;
  variant.arenaBound = memory.lower_bound;
  return variant;
}

static void addLaunches(const Running &running, Report &report) {
  lathe_context *context = running.session->get();
  for (int32_t i = 0; i < lathe_context_num_launches(context); ++i) {
    lathe_launch_info launch;
    lathe_context_get_launch(context, i, &launch);
    double runs = std::max<int64_t>(launch.runs, 1);
    report.launches.push_back({launch.kernel,
                               launch.nodes,
                               launch.flops,
                               launch.bytes,
                               static_cast<double>(launch.nanoseconds) / runs,
                               {}});
  }
  lathe_memory_info memory;
  lathe_context_get_memory(context, &memory);
  report.weightsBytes = memory.weights_bytes;
  const lathe_rt_model &tables = *running.model->get()->variants[0];
  for (int32_t i = 0; tables.offsets && i < tables.num_buffers; ++i) {
    const lathe_rt_buffer &buffer = tables.buffers[i];
    if (buffer.bytes > 0)
      report.buffers.push_back(
          {tables.offsets[i], buffer.bytes, buffer.first, buffer.last});
  }
}

/// Finds which launches read what others write.
static Error addEdges(const ModelSettings &settings, const OptionTexts &options,
                      Report &report) {
  lathe::CompileOptions compile;
  compile.input = settings.path;
  OptionTexts texts = settings.compileOptions;
  texts.insert(texts.end(), options.begin(), options.end());
  if (std::string wrong = setOptions(compile, texts); !wrong.empty())
    return createStringError(wrong);
  std::string messages;
  raw_string_ostream os(messages);
  json::Object found;
  if (failed(lathe::inspectModel(compile, found, os)))
    return createStringError(Twine(StringRef(messages).rtrim()));
  json::Array *steps = found.getArray("steps");
  if (!steps)
    return Error::success();
  auto getValues = [](const json::Object &step, StringRef key) {
    std::vector<int64_t> values;
    const json::Array *uses = step.getArray(key);
    for (size_t i = 0, e = uses ? uses->size() : 0; i != e; ++i) {
      const json::Object *use = (*uses)[i].getAsObject();
      if (!use)
        continue;
      // What is made in parts comes from all that make them.
      if (const json::Array *parts = use->getArray("parts")) {
        for (const json::Value &part : *parts)
          values.push_back(part.getAsInteger().value_or(-1));
      } else if (std::optional<int64_t> value = use->getInteger("value")) {
        values.push_back(*value);
      }
    }
    return values;
  };
  DenseMap<int64_t, size_t> writers;
  size_t launch = 0;
  for (const json::Value &entry : *steps) {
    const json::Object *step = entry.getAsObject();
    // Other steps than launches do not compute.
    if (!step || !step->get("kernel"))
      continue;
    if (launch == report.launches.size())
      break;
    for (int64_t value : getValues(*step, "reads"))
      if (auto writer = writers.find(value);
          writer != writers.end() &&
          !is_contained(report.launches[launch].sources, writer->second))
        report.launches[launch].sources.push_back(writer->second);
    for (int64_t value : getValues(*step, "writes"))
      writers[value] = launch;
    ++launch;
  }
  return Error::success();
}

static Expected<Report> makeReport(const ModelSettings &settings,
                                   double seconds) {
  OptionTexts sizes;
  for (const std::string &dim : settings.dims)
    sizes.emplace_back("dim", dim);
  OptionTexts unfused = sizes;
  unfused.emplace_back("fusion", "none");
  std::vector<Running> variants;
  for (const auto &[name, options] :
       {std::pair("fused"s, sizes), std::pair("unfused"s, unfused)}) {
    Expected<Running> running = load(settings, name, options);
    if (!running)
      return running.takeError();
    variants.push_back(std::move(*running));
  }
  const Running &first = variants.front();
  Expected<std::vector<HostTensor>> inputs =
      makeRandomInputs(settings, *first.model);
  if (!inputs)
    return inputs.takeError();
  if (Error error = time(variants, *inputs, seconds))
    return std::move(error);

  Report report;
  report.model = sys::path::filename(settings.path).str();
  report.target = lathe_context_target(first.session->get());
  report.threads = lathe_context_num_threads(first.session->get());
  for (auto [signature, input] : zip_equal(first.model->getInputs(), *inputs))
    report.inputs.push_back(signature.name + ": " + toString(input.dtype) +
                            toString(input.shape));
  report.peakFlops = measurePeakFlops(report.threads);
  report.peakBytes = measurePeakBandwidth(report.threads);
  for (const Running &running : variants)
    report.variants.push_back(summarize(running));
  addLaunches(first, report);
  if (Error error = addEdges(settings, sizes, report))
    return std::move(error);
  return report;
}

int lathe::driver::runReport() {
  ModelSettings settings = ModelSettings::fromCommandLine();
  std::string path = output;
  double seconds = duration;
  if (path.empty() || !isSourceModel(settings.path)) {
    errs() << (path.empty() ? "expected -o FILE.html, got nothing\n"
                            : "expected an .onnx model, got a compiled one\n");
    return WrongUsage;
  }
  Expected<Report> report = makeReport(settings, seconds);
  Error error = report ? writeToOutput(path,
                                       [&](raw_ostream &os) {
                                         writePage(*report, os);
                                         return Error::success();
                                       })
                       : report.takeError();
  if (error) {
    errs() << toString(std::move(error)) << '\n';
    return Failure;
  }
  return Success;
}
