// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// lathe verify --by-node: the model is compiled to give the value of every
// node, and these are held against references in the order of the nodes, so
// that the first difference stands at the node that makes it.

#include "HostValue.h"
#include "PythonReference.h"
#include "Verify.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/raw_ostream.h"

using namespace lathe::driver;
using namespace llvm;
using namespace std::string_literals;

/// Who makes which output, as the artifact's metadata says.
static StringMap<std::string> getProducers(const LoadedModel &model) {
  StringMap<std::string> producers;
  const char *key, *value;
  for (int32_t i = 0; (key = lathe_model_get_metadata(model.get(), i, &value));
       ++i) {
    StringRef name = key;
    if (name.consume_front("lathe.producer."))
      producers[name] = value;
  }
  return producers;
}

static bool coversAll(const TestCase &test, const LoadedModel &model) {
  StringSet<> known;
  for (const auto &[name, value] : test.expected)
    known.insert(name);
  return all_of(model.getOutputs(), [&](const TensorSignature &output) {
    return known.contains(output.name);
  });
}

static void addMissing(NamedTensors &to, NamedTensors &&from) {
  StringSet<> known;
  for (const auto &[name, value] : to)
    known.insert(name);
  for (auto &[name, value] : from)
    if (!known.contains(name))
      to.emplace_back(name, std::move(value));
}

/// Finds values for the nodes that the case has none for. Says in its name
/// whose they are.
static Error complete(const VerifySettings &settings, const LoadedModel &model,
                      TestCase &test) {
  if (coversAll(test, model))
    return Error::success();
  NamedTensors inputs;
  for (auto [signature, input] : zip_equal(model.getInputs(), test.inputs))
    inputs.emplace_back(signature.name, input);
  Expected<ReferenceRun> reference =
      computeReference(settings.model.path, inputs);
  StringRef comma = test.name.empty() ? "" : ", ";
  if (reference) {
    test.name += (comma + reference->name).str();
    addMissing(test.expected, std::move(reference->values));
    return Error::success();
  }
  errs() << "note: no reference through Python: "
         << toString(reference.takeError()) << '\n';
  Expected<std::unique_ptr<LoadedModel>> unfused =
      loadModel(settings.model, settings.model.path,
                OptionTexts{{"intermediates"s, ""s}, {"fusion"s, "none"s}});
  if (!unfused)
    return unfused.takeError();
  Expected<NamedTensors> values = runForValues(settings.model, **unfused, test);
  if (!values)
    return values.takeError();
  test.name += (comma + "unfused").str();
  addMissing(test.expected, std::move(*values));
  return Error::success();
}

/// Compares in the order of the nodes; true if all agree.
static Expected<bool> check(const VerifySettings &settings,
                            const LoadedModel &model, const TestCase &test) {
  Expected<NamedTensors> values = runForValues(settings.model, model, test);
  if (!values)
    return values.takeError();
  StringMap<std::string> producers = getProducers(model);
  StringMap<const HostTensor *> references;
  for (const auto &[name, tensor] : test.expected)
    references[name] = &tensor;
  int64_t compared = 0, missing = 0;
  double maxAbsolute = 0, maxRelative = 0;
  for (const auto &[name, value] : *values) {
    const HostTensor *reference = references.lookup(name);
    if (!reference) {
      ++missing;
      continue;
    }
    Expected<HostTensor> wanted = readAs(*reference, value.dtype);
    if (!wanted)
      return createStringError("value '" + name +
                               "': " + toString(wanted.takeError()));
    Mismatch mismatch =
        compareTensors(*wanted, value, settings.rtol, settings.atol);
    if (mismatch.count) {
      outs().flush();
      errs() << test.name << ": first difference at " << producers.lookup(name)
             << ", value '" << name << "': " << mismatch.message << '\n';
      return false;
    }
    ++compared;
    maxAbsolute = std::max(maxAbsolute, mismatch.maxAbsolute);
    maxRelative = std::max(maxRelative, mismatch.maxRelative);
  }
  if (!compared && missing)
    return createStringError("expected references for the values of nodes");
  outs() << test.name << ": " << compared << " values of nodes ok"
         << format(", at most %.3g absolute, %.3g relative", maxAbsolute,
                   maxRelative);
  if (missing)
    outs() << ", " << missing << " without reference";
  outs() << '\n';
  return true;
}

Expected<bool> lathe::driver::verifyByNode(const VerifySettings &settings) {
  Expected<std::unique_ptr<LoadedModel>> model =
      loadModel(settings.model, settings.model.path,
                OptionTexts{{"intermediates"s, ""s}});
  if (!model)
    return model.takeError();
  Expected<std::vector<TestCase>> tests = readTestCases(settings, **model);
  if (!tests)
    return tests.takeError();
  if (tests->empty()) {
    Expected<std::vector<HostTensor>> inputs =
        makeRandomInputs(settings.model, **model);
    if (!inputs)
      return inputs.takeError();
    tests->push_back({"", std::move(*inputs), {}});
  }
  bool good = true;
  for (TestCase &test : *tests) {
    if (Error error = complete(settings, **model, test))
      return std::move(error);
    Expected<bool> result = check(settings, **model, test);
    if (!result)
      return createStringError(test.name + ": " + toString(result.takeError()));
    good &= *result;
  }
  return good;
}
