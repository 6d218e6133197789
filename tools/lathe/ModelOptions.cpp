// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Options that several commands share, and loading models as they say.

#include "ModelOptions.h"
#include "Commands.h"
#include "lathe/Support/TemporaryFolder.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/raw_ostream.h"
#ifdef LATHE_HAS_COMPILER
#include "lathe/Pipeline/Compile.h"
#endif

using namespace lathe::driver;
using namespace llvm;

//===----------------------------------------------------------------------===//
// Options
//===----------------------------------------------------------------------===//

static cl::OptionCategory modelCategory("Model options");

// Every command that loads a model has these.
#define LATHE_MODEL_COMMANDS                                                   \
  cl::sub(getRunCommand()), cl::sub(getVerifyCommand()),                       \
      cl::sub(getBenchCommand()), cl::sub(getReportCommand()),                 \
      cl::cat(modelCategory)

static cl::opt<std::string> modelPath(cl::Positional, cl::Required,
                                      cl::desc("MODEL.(onnx|so)"),
                                      LATHE_MODEL_COMMANDS);
static cl::opt<unsigned> threads(
    "threads", cl::init(0), cl::value_desc("n"),
    cl::desc("Threads that compute (default: LATHE_NUM_THREADS, else the "
             "processors that affinity and cgroups allow)"),
    LATHE_MODEL_COMMANDS);
static cl::opt<bool>
    flushDenormals("flush-denormals",
                   cl::desc("Treat denormal numbers as zero while running"),
                   LATHE_MODEL_COMMANDS);
static cl::opt<uint64_t> seed("seed", cl::init(0), cl::value_desc("n"),
                              cl::desc("Seed of random inputs (default 0)"),
                              LATHE_MODEL_COMMANDS);
static cl::list<std::string>
    dims("dim", cl::value_desc("name:size"),
         cl::desc("Size of a symbolic dimension of random inputs"),
         LATHE_MODEL_COMMANDS);
static cl::opt<std::string>
    intRange("int-range", cl::init("0:2"), cl::value_desc("low:high"),
             cl::desc("Random integers lie in [low, high) (default 0:2)"),
             LATHE_MODEL_COMMANDS);
ModelSettings ModelSettings::fromCommandLine() {
  ModelSettings settings;
  settings.path = modelPath;
  settings.threads = ::threads;
  settings.flushDenormals = ::flushDenormals;
  settings.seed = ::seed;
  settings.dims = {::dims.begin(), ::dims.end()};
  settings.intRange = ::intRange;
#ifdef LATHE_HAS_COMPILER
  settings.compileOptions = getCompileFlags();
#endif
  return settings;
}

bool lathe::driver::isSourceModel(StringRef path) {
  return !path.ends_with(".so");
}

//===----------------------------------------------------------------------===//
// Loading
//===----------------------------------------------------------------------===//

#ifdef LATHE_HAS_COMPILER
/// Compiles to a temporary library, deleted with its header as soon as it is
/// loaded.
static Expected<std::unique_ptr<LoadedModel>>
compileAndLoad(const ModelSettings &settings, StringRef path,
               const OptionTexts &variant) {
  lathe::TemporaryFolder folder;
  if (std::error_code error = folder.create("lathe"))
    return createStringError("temporary folder: " + error.message());
  std::string library = folder.getFile("model.so");
  lathe::CompileOptions options;
  options.input = path.str();
  options.output = library;
  OptionTexts texts = settings.compileOptions;
  texts.insert(texts.end(), variant.begin(), variant.end());
  if (std::string wrong = setOptions(options, texts); !wrong.empty())
    return createStringError(wrong);
  options.name = lathe::getSymbolPrefix(path);
  std::string messages;
  raw_string_ostream os(messages);
  if (failed(lathe::compileModel(options, os)))
    return createStringError(Twine(StringRef(messages).rtrim()));
  return LoadedModel::load(library);
}
#endif

Expected<std::unique_ptr<LoadedModel>>
lathe::driver::loadModel(const ModelSettings &settings, StringRef path,
                         const OptionTexts &variant) {
  if (!isSourceModel(path))
    return LoadedModel::load(path);
#ifdef LATHE_HAS_COMPILER
  return compileAndLoad(settings, path, variant);
#else
  return createStringError(path + ": expected a compiled model (.so): this "
                                  "driver was built without the compiler");
#endif
}

Expected<std::unique_ptr<Session>>
lathe::driver::createSession(const ModelSettings &settings,
                             const LoadedModel &model) {
  return Session::create(model, settings.threads, settings.flushDenormals);
}

//===----------------------------------------------------------------------===//
// Inputs
//===----------------------------------------------------------------------===//

/// Looks up `--dim` for a dimension.
static Expected<int64_t> getDimSize(ArrayRef<std::string> dims,
                                    const TensorSignature &input,
                                    const Dimension &dim) {
  if (dim.size >= 0)
    return dim.size;
  for (StringRef entry : dims) {
    auto [name, text] = entry.rsplit(':');
    int64_t size;
    if (text.getAsInteger(10, size) || size < 0)
      return createStringError("--dim: expected NAME:SIZE, got '" + entry +
                               "'");
    if (name == dim.name)
      return size;
  }
  return createStringError("input '" + input.name + "': expected --dim=" +
                           dim.name + ":SIZE for its symbolic dimension");
}

Expected<std::vector<HostTensor>>
lathe::driver::makeRandomInputs(const ModelSettings &settings,
                                const LoadedModel &model) {
  auto [lowText, highText] = StringRef(settings.intRange).split(':');
  int64_t low, high;
  if (lowText.getAsInteger(10, low) || highText.getAsInteger(10, high) ||
      low >= high)
    return createStringError("--int-range: expected LOW:HIGH, got '" +
                             settings.intRange + "'");
  std::vector<HostTensor> inputs;
  for (const TensorSignature &signature : model.getInputs()) {
    if (!signature.type.empty())
      return createStringError("input '" + signature.name +
                               "': cannot make a random " + signature.type);
    std::vector<int64_t> shape;
    for (const Dimension &dim : signature.dims) {
      Expected<int64_t> size = getDimSize(settings.dims, signature, dim);
      if (!size)
        return size.takeError();
      shape.push_back(*size);
    }
    Expected<HostTensor> tensor = HostTensor::create(signature.dtype, shape);
    if (!tensor)
      return tensor.takeError();
    // Unsigned and narrow integers hold what is left of the range.
    if (Error error = fillRandom(
            *tensor, settings.seed * 1000003 + inputs.size(), low, high))
      return createStringError("input '" + signature.name +
                               "': " + toString(std::move(error)));
    inputs.push_back(std::move(*tensor));
  }
  return inputs;
}

Expected<std::vector<HostTensor>>
lathe::driver::selectInputs(const LoadedModel &model,
                            const NamedTensors &tensors) {
  std::vector<HostTensor> inputs;
  for (const TensorSignature &signature : model.getInputs()) {
    auto found = find_if(tensors, [&](const auto &entry) {
      return entry.first == signature.name;
    });
    if (found == tensors.end())
      return createStringError("input '" + signature.name + "': expected " +
                               toString(signature.dtype) +
                               ", got nothing of this name");
    Expected<HostTensor> input = readAs(found->second, signature.dtype);
    if (!input)
      return createStringError("input '" + signature.name +
                               "': " + toString(input.takeError()));
    inputs.push_back(std::move(*input));
  }
  return inputs;
}
