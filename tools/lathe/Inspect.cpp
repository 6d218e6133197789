// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// lathe inspect: what a model asks for, and what the compiler made of it. Both
// kinds of models become one report, which is printed or written as JSON.

#include "Commands.h"
#include "LoadedModel.h"
#include "ModelOptions.h"
#include "lathe-rt/artifact.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/raw_ostream.h"
#include <map>
#ifdef LATHE_HAS_COMPILER
#include "lathe/Pipeline/Inspect.h"
#endif

using namespace lathe::driver;
using namespace llvm;

cl::SubCommand &lathe::driver::getInspectCommand() {
  static cl::SubCommand command(
      "inspect", "Show a model's operators, launches, memory and fusions");
  return command;
}

static cl::opt<std::string> path(cl::Positional, cl::Required,
                                 cl::desc("MODEL.(onnx|so)"),
                                 cl::sub(getInspectCommand()));
static cl::opt<std::string> jsonFile("json", cl::value_desc("file"),
                                     cl::desc("Where to write all of it, also "
                                              "every access to memory ('-': "
                                              "standard output)"),
                                     cl::sub(getInspectCommand()));
static cl::opt<bool>
    why("why", cl::desc("Also say why launches were not fused further"),
        cl::sub(getInspectCommand()));
//===----------------------------------------------------------------------===//
// Compiled models
//===----------------------------------------------------------------------===//

/// A size of the tables; one that depends on the inputs is unknown.
static json::Value getSize(int64_t size) {
  return size >= 0 ? json::Value(size) : json::Value("?");
}

static json::Array describe(ArrayRef<TensorSignature> tensors) {
  json::Array list;
  for (const TensorSignature &tensor : tensors) {
    if (!tensor.type.empty()) {
      list.push_back(json::Object{{"name", json::fixUTF8(tensor.name)},
                                  {"type", json::fixUTF8(tensor.type)}});
      continue;
    }
    json::Array dims;
    for (const Dimension &dim : tensor.dims)
      dims.push_back(dim.size >= 0      ? json::Value(dim.size)
                     : dim.name.empty() ? json::Value("?")
                                        : json::Value(json::fixUTF8(dim.name)));
    list.push_back(json::Object{{"name", json::fixUTF8(tensor.name)},
                                {"type", toString(tensor.dtype)},
                                {"dims", std::move(dims)}});
  }
  return list;
}

static Error inspectLibrary(StringRef path, json::Object &report) {
  Expected<std::unique_ptr<LoadedModel>> loaded = LoadedModel::load(path);
  if (!loaded)
    return loaded.takeError();
  const lathe_rt_model &model = *(*loaded)->get()->variants[0];
  if (model.version != LATHE_RT_ARTIFACT_VERSION)
    return createStringError(path + ": expected version " +
                             Twine(LATHE_RT_ARTIFACT_VERSION) +
                             " of the tables, got " + Twine(model.version));
  report["model"] = json::fixUTF8(path);
  report["name"] = json::fixUTF8(model.name);
  report["target"] = json::fixUTF8(model.target);
  report["features"] = json::fixUTF8(model.cpu_features);
  json::Array variants;
  for (uint32_t i = 0; i < (*loaded)->get()->num_variants; ++i)
    variants.push_back(json::fixUTF8((*loaded)->get()->variants[i]->target));
  report["variants"] = std::move(variants);
  report["inputs"] = describe((*loaded)->getInputs());
  report["outputs"] = describe((*loaded)->getOutputs());
  json::Array steps, buffers;
  StringSet<> kernels;
  for (int32_t i = 0; i < model.num_launches; ++i) {
    const lathe_rt_launch_info &launch = model.launches[i];
    kernels.insert(launch.kernel);
    steps.push_back(
        json::Object{{"kernel", json::fixUTF8(launch.kernel)},
                     {"nodes", json::Array{json::fixUTF8(launch.nodes)}},
                     {"flops", getSize(launch.flops)},
                     {"bytes", getSize(launch.bytes)}});
  }
  for (int32_t i = 0; i < model.num_buffers; ++i) {
    const lathe_rt_buffer &buffer = model.buffers[i];
    json::Object entry{{"first", buffer.first},
                       {"last", buffer.last},
                       {"bytes", getSize(buffer.bytes)}};
    if (model.offsets)
      entry["offset"] = model.offsets[i];
    buffers.push_back(std::move(entry));
  }
  json::Object arena{{"buffers", std::move(buffers)}}, fusions;
  if (model.offsets || model.num_buffers == 0)
    arena["bytes"] = model.arena_bytes;
  const char *key, *value;
  for (int32_t i = 0;
       (key = lathe_model_get_metadata((*loaded)->get(), i, &value)); ++i) {
    StringRef name = key;
    int64_t number;
    if (name == "lathe.arena_bound" &&
        !StringRef(value).getAsInteger(10, number))
      arena["bound"] = number;
    if (name == "lathe.decided_kernels" &&
        !StringRef(value).getAsInteger(10, number))
      report["decided_kernels"] = number;
    if (!name.consume_front("lathe.fusion."))
      continue;
    Expected<json::Value> saving = json::parse(value);
    if (!saving)
      return saving.takeError();
    fusions[name.str()] = std::move(*saving);
  }
  report["kernels"] = static_cast<int64_t>(kernels.size());
  report["steps"] = std::move(steps);
  report["arena"] = std::move(arena);
  report["scratch_bytes"] = getSize(model.scratch_bytes);
  report["weights"] = json::Object{{"bytes", model.weights_bytes}};
  report["fusions"] = std::move(fusions);
  return Error::success();
}

//===----------------------------------------------------------------------===//
// Text
//===----------------------------------------------------------------------===//

/// A number, or the text of an expression.
static std::string getText(const json::Value *value) {
  if (!value)
    return "?";
  if (std::optional<StringRef> text = value->getAsString())
    return text->str();
  if (std::optional<int64_t> number = value->getAsInteger())
    return std::to_string(*number);
  return "?";
}

static void printTensors(const json::Object &report, StringRef key,
                         StringRef title) {
  const json::Array *tensors = report.getArray(key);
  if (!tensors)
    return;
  for (const json::Value &entry : *tensors) {
    const json::Object &tensor = *entry.getAsObject();
    outs() << title << ' ' << getText(tensor.get("name")) << ": "
           << getText(tensor.get("type"));
    if (!tensor.getArray("dims")) { // of a value
      outs() << '\n';
      continue;
    }
    outs() << '[';
    ListSeparator comma;
    for (const json::Value &dim : *tensor.getArray("dims"))
      outs() << comma << getText(&dim);
    outs() << "]\n";
  }
}

static void printModel(const json::Object &report) {
  if (const json::Object *opsets = report.getObject("opsets")) {
    outs() << "opsets:";
    for (const auto &[domain, version] : *opsets)
      outs() << ' ' << StringRef(domain) << '=' << getText(&version);
    outs() << ", IR version " << getText(report.get("ir_version"))
           << ", made by " << getText(report.get("producer")) << '\n';
  }
  printTensors(report, "inputs", "input");
  printTensors(report, "outputs", "output");
  if (const json::Object *calls = report.getObject("calls")) {
    outs() << "library calls:";
    ListSeparator comma(",");
    // In an order that does not change.
    std::map<StringRef, const json::Value *> sorted;
    for (const auto &[name, count] : *calls)
      sorted[name] = &count;
    for (const auto &[name, count] : sorted)
      outs() << comma << ' ' << getText(count) << ' ' << name;
    outs() << '\n';
  }
  if (const json::Array *operators = report.getArray("operators")) {
    outs() << "operators:\n";
    for (const json::Value &entry : *operators) {
      const json::Object &op = *entry.getAsObject();
      outs() << right_justify(getText(op.get("count")), 7) << "  "
             << getText(op.get("operator"));
      if (op.getString("domain") != "ai.onnx")
        outs() << " (" << getText(op.get("domain")) << ')';
      outs() << '\n';
    }
  }
  if (const json::Array *lines = report.getArray("unsupported")) {
    outs() << "unsupported:\n";
    for (const json::Value &line : *lines)
      outs() << "  " << getText(&line) << '\n';
  }
}

static void printLaunches(const json::Object &report) {
  const json::Array *steps = report.getArray("steps");
  if (!steps)
    return;
  size_t count = count_if(*steps, [](const json::Value &step) {
    return step.getAsObject()->get("kernel") != nullptr;
  });
  outs() << "launches: " << count << " of " << getText(report.get("kernels"))
         << " kernels\n"
         << "     grid        flops        bytes  kernel (nodes)\n";
  for (const json::Value &entry : *steps) {
    const json::Object &step = *entry.getAsObject();
    if (!step.get("kernel"))
      continue;
    outs() << right_justify(getText(step.get("grid")), 9) << ' '
           << right_justify(getText(step.get("flops")), 12) << ' '
           << right_justify(getText(step.get("bytes")), 12) << "  "
           << getText(step.get("kernel")) << " (";
    ListSeparator comma;
    for (const json::Value &node : *step.getArray("nodes"))
      outs() << comma << getText(&node);
    outs() << ")\n";
    if (const json::Array *kinds = step.getArray("sums"))
      for (const json::Value &kind : *kinds)
        outs() << "            sums: " << getText(&kind) << '\n';
    if (const json::Array *reasons = step.getArray("apart"))
      for (const json::Value &reason : *reasons)
        outs() << "            apart: " << getText(&reason) << '\n';
  }
}

static void printMemory(const json::Object &report) {
  const json::Object *arena = report.getObject("arena");
  if (!arena)
    return;
  outs() << "arena: ";
  if (arena->get("bytes"))
    outs() << getText(arena->get("bytes")) << " bytes";
  else
    outs() << "planned when a shape is seen";
  if (arena->get("bound"))
    outs() << " (at least " << getText(arena->get("bound"))
           << " are live at once)";
  outs() << ", " << arena->getArray("buffers")->size() << " buffers\n";
  if (report.get("scratch_bytes"))
    outs() << "scratch: " << getText(report.get("scratch_bytes"))
           << " bytes per thread\n";
  outs() << "weights: " << getText(report.getObject("weights")->get("bytes"))
         << " bytes\n";
  for (const auto &[kind, saving] : *report.getObject("fusions"))
    outs() << "fusion " << StringRef(kind) << ": "
           << getText(saving.getAsObject()->get("count"))
           << " producers, not moved: "
           << getText(saving.getAsObject()->get("bytes")) << " bytes\n";
  if (const json::Array *variants = report.getArray("variants");
      variants && variants->size() > 1) {
    outs() << "variants:";
    for (const json::Value &variant : *variants)
      outs() << ' ' << variant.getAsString().value_or("");
    outs() << "; of the first one:\n";
  }
  outs() << "target: " << getText(report.get("target")) << " ("
         << getText(report.get("features")) << ")\n";
}

//===----------------------------------------------------------------------===//
// The command
//===----------------------------------------------------------------------===//

static int complain(const Twine &message) {
  errs() << "lathe inspect: " << message << '\n';
  return WrongUsage;
}

static int inspectSource(json::Object &report) {
#ifdef LATHE_HAS_COMPILER
  lathe::CompileOptions options;
  options.input = path;
  options.explainFusion = why;
  if (std::string wrong = setOptions(options, getCompileFlags());
      !wrong.empty())
    return complain(wrong);
  return succeeded(lathe::inspectModel(options, report, errs())) ? Success
                                                                 : Failure;
#else
  errs() << path
         << ": expected a compiled model (.so): this driver was built "
            "without the compiler\n";
  return Failure;
#endif
}

int lathe::driver::runInspect() {
  json::Object report;
  int status = Success;
  if (isSourceModel(path)) {
    status = inspectSource(report);
    if (report.empty())
      return status;
  } else if (Error error = inspectLibrary(path, report)) {
    errs() << toString(std::move(error)) << '\n';
    return Failure;
  }
  if (jsonFile != "-") {
    printModel(report);
    printLaunches(report);
    printMemory(report);
  }
  if (jsonFile.empty())
    return status;
  Error error = writeToOutput(jsonFile, [&](raw_ostream &os) {
    os << formatv("{0:2}\n", json::Value(std::move(report)));
    return Error::success();
  });
  if (error) {
    errs() << toString(std::move(error)) << '\n';
    return Failure;
  }
  return status;
}
