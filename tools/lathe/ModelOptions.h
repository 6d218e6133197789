// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What run, verify and bench have in common: options on how to get a model
// loaded and fed.

#ifndef LATHE_TOOLS_LATHE_MODELOPTIONS_H
#define LATHE_TOOLS_LATHE_MODELOPTIONS_H

#include "CompileFlags.h"
#include "LoadedModel.h"
#include "NumpyFiles.h"

namespace lathe::driver {

/// The shared options' values. Linking a model resets the options themselves,
/// as lld does with LLVM's, so every command copies them first.
struct ModelSettings {
  static ModelSettings fromCommandLine();

  std::string path; ///< The model that the command line names.
  unsigned threads = 0;
  bool flushDenormals = false;
  uint64_t seed = 0;
  std::vector<std::string> dims;
  std::string intRange;
  OptionTexts compileOptions; ///< For a model that is compiled first.
};

/// Whether a model is still to be compiled.
bool isSourceModel(llvm::StringRef path);

/// Loads a .so, or compiles an .onnx into a temporary one. `variant` goes over
/// what the command line says.
llvm::Expected<std::unique_ptr<LoadedModel>>
loadModel(const ModelSettings &settings, llvm::StringRef path,
          const OptionTexts &variant = {});
/// A session with the command line's threads and flags.
llvm::Expected<std::unique_ptr<Session>>
createSession(const ModelSettings &settings, const LoadedModel &model);

/// Random inputs; sizes of symbolic dimensions are from `--dim`.
llvm::Expected<std::vector<HostTensor>>
makeRandomInputs(const ModelSettings &settings, const LoadedModel &model);
/// Inputs in the model's order, from tensors by name. Fails on missing ones.
llvm::Expected<std::vector<HostTensor>>
selectInputs(const LoadedModel &model, const NamedTensors &tensors);

} // namespace lathe::driver

#endif // LATHE_TOOLS_LATHE_MODELOPTIONS_H
