// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef LATHE_TOOLS_LATHE_VERIFY_H
#define LATHE_TOOLS_LATHE_VERIFY_H

#include "ModelOptions.h"

namespace lathe::driver {

/// What `lathe verify` was asked for.
struct VerifySettings {
  static VerifySettings fromCommandLine();

  ModelSettings model;
  std::string data, reference;
  double rtol = 0, atol = 0;
  bool byNode = false;
};

/// One run to check: what to feed, and what to expect by name.
struct TestCase {
  std::string name;
  std::vector<HostTensor> inputs;
  NamedTensors expected;
};

/// The cases in files that the settings name, for a model with these inputs and
/// outputs; none where they name no files.
llvm::Expected<std::vector<TestCase>>
readTestCases(const VerifySettings &settings, const LoadedModel &model);

/// Runs `model` on the inputs of `test` and gives its outputs by name.
llvm::Expected<NamedTensors> runForValues(const ModelSettings &settings,
                                          const LoadedModel &model,
                                          const TestCase &test);

/// Finds the first node whose value is not what it should be, and prints it.
/// True if there is none.
llvm::Expected<bool> verifyByNode(const VerifySettings &settings);

} // namespace lathe::driver

#endif // LATHE_TOOLS_LATHE_VERIFY_H
