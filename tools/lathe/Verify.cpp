// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// lathe verify: holds a model's outputs against references; without any, holds
// the fused model against the unfused one.

#include "Verify.h"
#include "Commands.h"
#include "HostValue.h"
#include "ValueProtoFile.h"
#include "llvm/ADT/SmallString.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/raw_ostream.h"

using namespace lathe::driver;
using namespace llvm;
using namespace std::string_literals;

static cl::opt<std::string>
    dataFolder("data", cl::value_desc("folder"),
               cl::desc("Folder of input_0.pb … and output_0.pb …, or of "
                        "test_data_set_0 … that hold them"),
               cl::sub(getVerifyCommand()));
static cl::opt<std::string>
    referenceFile("reference", cl::value_desc("file.npz"),
                  cl::desc("Inputs and expected outputs by name"),
                  cl::sub(getVerifyCommand()));
static cl::opt<double>
    relativeTolerance("rtol", cl::init(1e-3), cl::value_desc("x"),
                      cl::desc("Relative tolerance (default 1e-3)"),
                      cl::sub(getVerifyCommand()));
static cl::opt<double>
    absoluteTolerance("atol", cl::init(1e-5), cl::value_desc("x"),
                      cl::desc("Absolute tolerance (default 1e-5)"),
                      cl::sub(getVerifyCommand()));

static cl::opt<bool> byNode(
    "by-node",
    cl::desc("Find the first node whose value is wrong. What the references "
             "do not hold is asked of ONNX Runtime or onnx in Python "
             "(LATHE_PYTHON, else python3), or else of the unfused model"),
    cl::sub(getVerifyCommand()));

VerifySettings VerifySettings::fromCommandLine() {
  VerifySettings settings;
  settings.model = ModelSettings::fromCommandLine();
  settings.data = dataFolder;
  settings.reference = referenceFile;
  settings.rtol = relativeTolerance;
  settings.atol = absoluteTolerance;
  settings.byNode = ::byNode;
  return settings;
}

//===----------------------------------------------------------------------===//
// Reading test cases
//===----------------------------------------------------------------------===//

/// Reads KIND_0.pb, KIND_1.pb, … Unnamed tensors get the names of `signatures`
/// in order, or are left out where `byName`.
static Expected<NamedTensors> readNumbered(StringRef folder, StringRef kind,
                                           ArrayRef<TensorSignature> signatures,
                                           bool byName = false) {
  NamedTensors tensors;
  for (size_t i = 0;; ++i) {
    SmallString<256> path(folder);
    sys::path::append(path, kind + "_" + Twine(i) + ".pb");
    if (!sys::fs::exists(path))
      return tensors;
    std::string name;
    Expected<HostTensor> tensor = readValueProto(
        path, i < signatures.size() && !byName ? signatures[i].type : "", name);
    if (!tensor)
      return tensor.takeError();
    bool isKnown = any_of(signatures, [&](const TensorSignature &signature) {
      return signature.name == name;
    });
    if (!isKnown && byName)
      continue;
    if (!isKnown && i >= signatures.size())
      return createStringError(path + ": the model has only " +
                               Twine(signatures.size()) + " " + kind + "s");
    tensors.emplace_back(isKnown ? name : signatures[i].name,
                         std::move(*tensor));
  }
}

static Expected<TestCase> readFolder(const LoadedModel &model, StringRef folder,
                                     bool byNode) {
  TestCase test;
  test.name = folder.str();
  Expected<NamedTensors> inputs =
      readNumbered(folder, "input", model.getInputs());
  if (!inputs)
    return inputs.takeError();
  Expected<NamedTensors> expected =
      readNumbered(folder, "output", model.getOutputs(), byNode);
  if (!expected)
    return expected.takeError();
  Expected<std::vector<HostTensor>> ordered = selectInputs(model, *inputs);
  if (!ordered)
    return createStringError(folder + ": " + toString(ordered.takeError()));
  test.inputs = std::move(*ordered);
  test.expected = std::move(*expected);
  return test;
}

static Expected<std::vector<TestCase>>
readFolders(const LoadedModel &model, const std::string &data, bool byNode) {
  std::vector<TestCase> tests;
  for (unsigned i = 0;; ++i) {
    SmallString<256> folder(data);
    sys::path::append(folder, "test_data_set_" + Twine(i));
    bool isSet = sys::fs::is_directory(folder);
    if (!isSet && i > 0)
      return tests;
    Expected<TestCase> test =
        readFolder(model, isSet ? folder.str() : StringRef(data), byNode);
    if (!test)
      return test.takeError();
    tests.push_back(std::move(*test));
    if (!isSet)
      return tests;
  }
}

static Expected<std::vector<TestCase>>
readReference(const LoadedModel &model, const std::string &reference) {
  Expected<NamedTensors> tensors = readNpz(reference);
  if (!tensors)
    return tensors.takeError();
  Expected<std::vector<HostTensor>> inputs = selectInputs(model, *tensors);
  if (!inputs)
    return createStringError(reference + ": " + toString(inputs.takeError()));
  TestCase test;
  test.name = reference;
  test.inputs = std::move(*inputs);
  for (auto &[name, tensor] : *tensors)
    if (any_of(model.getOutputs(),
               [name = StringRef(name)](const auto &output) {
                 return output.name == name;
               }))
      test.expected.emplace_back(name, std::move(tensor));
  return std::vector<TestCase>{std::move(test)};
}

/// Random inputs, and what the unfused model makes of them.
static Expected<std::vector<TestCase>> runUnfused(const ModelSettings &settings,
                                                  const LoadedModel &model) {
  Expected<std::unique_ptr<LoadedModel>> unfused =
      loadModel(settings, settings.path, OptionTexts{{"fusion"s, "none"s}});
  if (!unfused)
    return unfused.takeError();
  TestCase test;
  test.name = "unfused";
  Expected<std::vector<HostTensor>> inputs = makeRandomInputs(settings, model);
  if (!inputs)
    return inputs.takeError();
  test.inputs = std::move(*inputs);
  Expected<NamedTensors> values = runForValues(settings, **unfused, test);
  if (!values)
    return values.takeError();
  test.expected = std::move(*values);
  return std::vector<TestCase>{std::move(test)};
}

Expected<std::vector<TestCase>>
lathe::driver::readTestCases(const VerifySettings &settings,
                             const LoadedModel &model) {
  if (!settings.data.empty())
    return readFolders(model, settings.data, settings.byNode);
  if (!settings.reference.empty())
    return readReference(model, settings.reference);
  return std::vector<TestCase>();
}

Expected<NamedTensors>
lathe::driver::runForValues(const ModelSettings &settings,
                            const LoadedModel &model, const TestCase &test) {
  Expected<std::unique_ptr<Session>> session = createSession(settings, model);
  if (!session)
    return session.takeError();
  Expected<std::vector<HostTensor>> outputs =
      (*session)->makeOutputs(test.inputs);
  if (!outputs)
    return outputs.takeError();
  if (Error error = (*session)->run(test.inputs, *outputs))
    return std::move(error);
  NamedTensors values;
  for (auto [signature, output] : zip_equal(model.getOutputs(), *outputs))
    values.emplace_back(signature.name, output);
  return values;
}

//===----------------------------------------------------------------------===//
// Checking
//===----------------------------------------------------------------------===//

/// Runs one test case and prints a line per output; true if all agree.
static Expected<bool> check(const VerifySettings &settings, Session &session,
                            const TestCase &test) {
  if (test.expected.empty())
    return createStringError("expected at least one of the model's outputs");
  Expected<std::vector<HostTensor>> outputs = session.makeOutputs(test.inputs);
  if (!outputs)
    return outputs.takeError();
  if (Error error = session.run(test.inputs, *outputs))
    return std::move(error);
  bool good = true;
  for (auto [signature, output] :
       zip_equal(session.getModel().getOutputs(), *outputs)) {
    auto found = find_if(test.expected,
                         [name = StringRef(signature.name)](const auto &entry) {
                           return entry.first == name;
                         });
    if (found == test.expected.end()) {
      outs() << test.name << ": output '" << signature.name
             << "': no reference\n";
      continue;
    }
    Expected<HostTensor> wanted = readAs(found->second, output.dtype);
    if (!wanted)
      return createStringError("output '" + signature.name +
                               "': " + toString(wanted.takeError()));
    Mismatch mismatch =
        compareTensors(*wanted, output, settings.rtol, settings.atol);
    outs().flush();
    if (mismatch.count) {
      errs() << test.name << ": output '" << signature.name
             << "': " << mismatch.message << '\n';
      good = false;
      continue;
    }
    outs() << test.name << ": output '" << signature.name << "': ok, "
           << describe(output)
           << format(", at most %.3g absolute, %.3g relative\n",
                     mismatch.maxAbsolute, mismatch.maxRelative);
  }
  return good;
}

static Expected<bool> verifyModel(const VerifySettings &settings) {
  Expected<std::unique_ptr<LoadedModel>> model =
      loadModel(settings.model, settings.model.path);
  if (!model)
    return model.takeError();
  Expected<std::vector<TestCase>> tests =
      settings.data.empty() && settings.reference.empty()
          ? runUnfused(settings.model, **model)
          : readTestCases(settings, **model);
  if (!tests)
    return tests.takeError();
  Expected<std::unique_ptr<Session>> session =
      createSession(settings.model, **model);
  if (!session)
    return session.takeError();
  bool good = true;
  for (const TestCase &test : *tests) {
    Expected<bool> result = check(settings, **session, test);
    if (!result)
      return createStringError(test.name + ": " + toString(result.takeError()));
    good &= *result;
  }
  return good;
}

int lathe::driver::runVerify() {
  VerifySettings settings = VerifySettings::fromCommandLine();
  if (!settings.data.empty() && !settings.reference.empty()) {
    errs() << "expected --data or --reference, got both\n";
    return WrongUsage;
  }
  if (settings.data.empty() && settings.reference.empty() &&
      !isSourceModel(settings.model.path)) {
    errs() << "expected --data or --reference for a compiled model\n";
    return WrongUsage;
  }
  if (settings.byNode && !isSourceModel(settings.model.path)) {
    errs() << "expected an .onnx model for --by-node, got a compiled one\n";
    return WrongUsage;
  }
  Expected<bool> good =
      settings.byNode ? verifyByNode(settings) : verifyModel(settings);
  if (!good) {
    errs() << toString(good.takeError()) << '\n';
    return Failure;
  }
  return *good ? Success : Failure;
}
