// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// lathe run: runs a model once.

#include "Commands.h"
#include "ModelOptions.h"
#include "ValueProtoFile.h"
#include "llvm/Support/raw_ostream.h"

using namespace lathe::driver;
using namespace llvm;

static cl::list<std::string> inputFiles("input",
                                        cl::value_desc("name=file.npy"),
                                        cl::desc("Values of an input, or .pb"),
                                        cl::sub(getRunCommand()));
static cl::list<std::string>
    outputFiles("output", cl::value_desc("name=file.npy"),
                cl::desc("Where to write an output, .npy or ONNX's .pb "
                         "(default: print a summary)"),
                cl::sub(getRunCommand()));
static cl::opt<bool> randomInputs("random",
                                  cl::desc("Random values for all inputs"),
                                  cl::sub(getRunCommand()));

namespace {
struct RunSettings {
  ModelSettings model = ModelSettings::fromCommandLine();
  std::vector<std::string> inputs{inputFiles.begin(), inputFiles.end()};
  std::vector<std::string> outputs{outputFiles.begin(), outputFiles.end()};
  bool random = randomInputs;
};
} // namespace

/// Splits "name=file" at the first '=' that leaves both sides.
static bool splitBinding(StringRef text, StringRef &name, StringRef &file) {
  std::tie(name, file) = text.split('=');
  return !name.empty() && !file.empty();
}

static Expected<std::vector<HostTensor>> getInputs(const RunSettings &settings,
                                                   const LoadedModel &model) {
  if (settings.random)
    return makeRandomInputs(settings.model, model);
  NamedTensors tensors;
  for (StringRef text : settings.inputs) {
    StringRef name, file;
    splitBinding(text, name, file);
    auto signature =
        find_if(model.getInputs(), [&](const TensorSignature &signature) {
          return signature.name == name;
        });
    if (signature == model.getInputs().end())
      return createStringError("--input: the model has no input '" + name +
                               "'");
    std::string inFile;
    Expected<HostTensor> tensor =
        file.ends_with(".pb") ? readValueProto(file, signature->type, inFile)
                              : readNpy(file);
    if (!tensor)
      return tensor.takeError();
    tensors.emplace_back(name.str(), std::move(*tensor));
  }
  return selectInputs(model, tensors);
}

/// The position of a named output.
static Expected<size_t> findOutput(const LoadedModel &model, StringRef name) {
  for (auto [index, signature] : enumerate(model.getOutputs()))
    if (signature.name == name)
      return index;
  return createStringError("--output: the model has no output '" + name + "'");
}

static Error runModel(const RunSettings &settings) {
  Expected<std::unique_ptr<LoadedModel>> model =
      loadModel(settings.model, settings.model.path);
  if (!model)
    return model.takeError();
  // Misspelt outputs are told before the work, not after.
  std::vector<std::pair<size_t, std::string>> wanted;
  for (StringRef text : settings.outputs) {
    StringRef name, file;
    splitBinding(text, name, file);
    Expected<size_t> index = findOutput(**model, name);
    if (!index)
      return index.takeError();
    wanted.emplace_back(*index, file.str());
  }
  Expected<std::vector<HostTensor>> inputs = getInputs(settings, **model);
  if (!inputs)
    return inputs.takeError();
  Expected<std::unique_ptr<Session>> session =
      createSession(settings.model, **model);
  if (!session)
    return session.takeError();
  Expected<std::vector<HostTensor>> outputs = (*session)->makeOutputs(*inputs);
  if (!outputs)
    return outputs.takeError();
  if (Error error = (*session)->run(*inputs, *outputs))
    return error;
  for (auto &[index, file] : wanted)
    if (Error error = StringRef(file).ends_with(".pb")
                          ? writeValueProto(file, (*outputs)[index])
                          : writeNpy(file, (*outputs)[index]))
      return error;
  if (wanted.empty())
    for (auto [signature, output] : zip_equal((*model)->getOutputs(), *outputs))
      outs() << signature.name << ": " << summarize(output) << '\n';
  return Error::success();
}

int lathe::driver::runRun() {
  StringRef name, file;
  for (StringRef text : inputFiles)
    if (!splitBinding(text, name, file)) {
      errs() << "--input: expected NAME=FILE.npy, got '" << text << "'\n";
      return WrongUsage;
    }
  for (StringRef text : outputFiles)
    if (!splitBinding(text, name, file)) {
      errs() << "--output: expected NAME=FILE.npy, got '" << text << "'\n";
      return WrongUsage;
    }
  if (randomInputs && !inputFiles.empty()) {
    errs() << "expected --input or --random, got both\n";
    return WrongUsage;
  }
  if (Error error = runModel(RunSettings())) {
    errs() << toString(std::move(error)) << '\n';
    return Failure;
  }
  return Success;
}
