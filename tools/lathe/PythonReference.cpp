// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The script reads a request from its folder and leaves its answer there:
// inputs as input_I.npy, values in values.npz.

#include "PythonReference.h"
#include "lathe/Support/TemporaryFolder.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/Process.h"
#include "llvm/Support/Program.h"
#include "llvm/Support/raw_ostream.h"

using namespace lathe::driver;
using namespace llvm;

static constexpr StringLiteral script = R"py(
import io, json, os, sys, time, zipfile
import numpy as np
import onnx

folder = sys.argv[1]
with open(os.path.join(folder, "request.json")) as file:
    request = json.load(file)
feeds = {name: np.load(os.path.join(folder, f"input_{i}.npy"))
         for i, name in enumerate(request["inputs"])}


def load():
    if request["model"].endswith(".onnxtxt"):
        with open(request["model"]) as file:
            return onnx.parser.parse_model(file.read())
    return onnx.load(request["model"])


def runtime_session(expose):
    import onnxruntime as ort
    ort.set_default_logger_severity(3)
    options = ort.SessionOptions()
    options.log_severity_level = 3
    model = request["model"]
    if expose or model.endswith(".onnxtxt"):
        loaded = load()
        if expose:
            known = {output.name for output in loaded.graph.output}
            for node in loaded.graph.node:
                for name in node.output:
                    if name and name not in known:
                        known.add(name)
                        loaded.graph.output.append(onnx.ValueInfoProto(name=name))
            options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
        model = os.path.join(folder, "model.onnx")
        onnx.save(loaded, model, save_as_external_data=loaded.ByteSize() > 1 << 30)
    if request["threads"]:
        options.intra_op_num_threads = request["threads"]
    session = ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    return session, f"ONNX Runtime {ort.__version__}"


def compute():
    try:
        session, name = runtime_session(expose=True)
        names = [output.name for output in session.get_outputs()]
        return name, dict(zip(names, session.run(names, feeds)))
    except ImportError:
        pass
    except Exception as error:
        print(f"ONNX Runtime: {error}", file=sys.stderr)
    from onnx.reference import ReferenceEvaluator
    values = ReferenceEvaluator(load()).run(None, feeds, intermediate=True)
    return f"onnx {onnx.__version__}", values


def measure():
    session, name = runtime_session(expose=False)
    names = [output.name for output in session.get_outputs()]
    values = dict(zip(names, session.run(names, feeds)))
    end = time.perf_counter() + request["warmup"]
    while time.perf_counter() < end:
        session.run(names, feeds)
    samples, end = [], time.perf_counter() + request["seconds"]
    while not samples or time.perf_counter() < end:
        start = time.perf_counter_ns()
        session.run(names, feeds)
        samples.append(time.perf_counter_ns() - start)
    return name, values, samples


samples = []
if request["seconds"]:
    name, values, samples = measure()
else:
    name, values = compute()
with zipfile.ZipFile(os.path.join(folder, "values.npz"), "w") as archive:
    for key, value in values.items():
        value = np.asarray(value) if isinstance(value, (np.ndarray, np.generic)) else None
        if not key or value is None or value.dtype.kind not in "biufV":
            continue
        data = io.BytesIO()
        np.lib.format.write_array(data, np.asarray(value, order="C"), allow_pickle=False)
        archive.writestr(key + ".npy", data.getvalue())
with open(os.path.join(folder, "answer.json"), "w") as file:
    json.dump({"name": name, "samples": samples}, file)
)py";

static std::string findPython() {
  if (std::optional<std::string> given = sys::Process::GetEnv("LATHE_PYTHON"))
    return *given;
  ErrorOr<std::string> found = sys::findProgramByName("python3");
  return found ? *found : std::string();
}

bool lathe::driver::hasPython() { return !findPython().empty(); }

static Error writeText(StringRef path, StringRef text) {
  std::error_code code;
  raw_fd_ostream os(path, code);
  if (!code) {
    os << text;
    os.close();
    code = os.error();
    os.clear_error();
  }
  return code ? createFileError(path, code) : Error::success();
}

/// The last line that the script wrote to stderr: Python's own summary.
static std::string getLastLine(StringRef path) {
  ErrorOr<std::unique_ptr<MemoryBuffer>> file = MemoryBuffer::getFile(path);
  if (!file)
    return "";
  return (*file)->getBuffer().rtrim().rsplit('\n').second.str();
}

static Expected<ReferenceRun> ask(json::Object request,
                                  const NamedTensors &inputs) {
  std::string python = findPython();
  if (python.empty())
    return createStringError("expected python3 in the path, got none");
  lathe::TemporaryFolder folder;
  if (std::error_code code = folder.create("lathe-reference"))
    return createFileError("temporary folder", code);
  json::Array names;
  for (auto [i, input] : enumerate(inputs)) {
    if (input.second.value)
      return createStringError("input '" + input.first +
                               "': expected a tensor of numbers");
    names.push_back(json::fixUTF8(input.first));
    if (Error error = writeNpy(folder.getFile("input_" + Twine(i) + ".npy"),
                               input.second))
      return std::move(error);
  }
  request["inputs"] = std::move(names);
  std::string text;
  raw_string_ostream(text) << json::Value(std::move(request));
  if (Error error = writeText(folder.getFile("request.json"), text))
    return std::move(error);
  if (Error error = writeText(folder.getFile("reference.py"), script))
    return std::move(error);
  std::string code = folder.getFile("reference.py"),
              errors = folder.getFile("errors.txt"), message;
  std::optional<StringRef> redirects[] = {StringRef(), StringRef(),
                                          StringRef(errors)};
  int status = sys::ExecuteAndWait(
      python, {python, code, folder.getPath().str()}, std::nullopt, redirects,
      /*SecondsToWait=*/0, /*MemoryLimit=*/0, &message);
  if (status)
    return createStringError(python + ": " +
                             (message.empty() ? getLastLine(errors) : message));
  auto answer = MemoryBuffer::getFile(folder.getFile("answer.json"));
  if (!answer)
    return createStringError(python + ": expected an answer, got none");
  Expected<json::Value> parsed = json::parse((*answer)->getBuffer());
  if (!parsed)
    return parsed.takeError();
  Expected<NamedTensors> values = readNpz(folder.getFile("values.npz"));
  if (!values)
    return values.takeError();
  ReferenceRun run;
  run.values = std::move(*values);
  if (json::Object *object = parsed->getAsObject()) {
    run.name = object->getString("name").value_or("").str();
    if (json::Array *samples = object->getArray("samples"))
      for (const json::Value &sample : *samples)
        run.samples.push_back(sample.getAsNumber().value_or(0));
  }
  return run;
}

static json::Object makeRequest(StringRef model) {
  SmallString<256> path(model);
  sys::fs::make_absolute(path);
  return json::Object{
      {"model", json::fixUTF8(path)}, {"threads", 0}, {"seconds", 0}};
}

Expected<ReferenceRun>
lathe::driver::computeReference(StringRef model, const NamedTensors &inputs) {
  return ask(makeRequest(model), inputs);
}

Expected<ReferenceRun> lathe::driver::timeReference(StringRef model,
                                                    const NamedTensors &inputs,
                                                    unsigned threads,
                                                    double warmupSeconds,
                                                    double seconds) {
  json::Object request = makeRequest(model);
  request["threads"] = threads;
  request["warmup"] = warmupSeconds;
  request["seconds"] = seconds;
  return ask(std::move(request), inputs);
}
