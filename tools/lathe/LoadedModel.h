// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A compiled model in this process: the library, and contexts that run it.

#ifndef LATHE_TOOLS_LATHE_LOADEDMODEL_H
#define LATHE_TOOLS_LATHE_LOADEDMODEL_H

#include "HostTensor.h"
#include "lathe-rt/lathe.h"
#include <memory>
#include <optional>

namespace lathe::driver {

/// A dimension of an input or output.
struct Dimension {
  int64_t size = -1; ///< -1 where it depends on the inputs.
  std::string name;  ///< Empty where it has none.
};

struct TensorSignature {
  std::string name;
  DLDataType dtype;
  std::vector<Dimension> dims;
  std::string type; ///< As ONNX writes it; empty for a plain tensor.
};

/// A shared library that `lathe compile` made. Stays loaded while it lives.
class LoadedModel {
public:
  static llvm::Expected<std::unique_ptr<LoadedModel>>
  load(llvm::StringRef path);
  ~LoadedModel();

  const lathe_model *get() const { return model; }
  const std::vector<TensorSignature> &getInputs() const { return inputs; }
  const std::vector<TensorSignature> &getOutputs() const { return outputs; }

private:
  LoadedModel() = default;
  void *library = nullptr;
  const lathe_model *model = nullptr;
  std::vector<TensorSignature> inputs, outputs;
};

/// Runs a model that outlives it.
class Session {
public:
  /// `threads` 0 leaves the choice to the runtime.
  static llvm::Expected<std::unique_ptr<Session>>
  create(const LoadedModel &model, unsigned threads, bool flushDenormals);
  ~Session();

  const LoadedModel &getModel() const { return model; }
  lathe_context *get() const { return context; }

  /// Makes outputs of the shapes that the inputs lead to. Where a size depends
  /// on data it is -1, and the tensor has no memory until it is run into.
  llvm::Expected<std::vector<HostTensor>>
  makeOutputs(llvm::ArrayRef<HostTensor> inputs);
  /// Runs once, into outputs that makeOutputs made.
  llvm::Error run(llvm::ArrayRef<HostTensor> inputs,
                  llvm::MutableArrayRef<HostTensor> outputs);

private:
  /// The memory of a state. The tensors of a session are dense; what grows lies
  /// with its steps outermost in here.
  struct State {
    lathe_state_info info;
    std::shared_ptr<char> memory;
    const void *source = nullptr; ///< What was copied, and its shape.
    std::vector<int64_t> shape, strides;
  };

  explicit Session(const LoadedModel &model) : model(model) {}
  llvm::Error fillState(State &state, const HostTensor &input, DLTensor &view);
  llvm::Error readOutput(DLTensor &view, HostTensor &output);

  std::vector<State> states;
  const LoadedModel &model;
  lathe_context *context = nullptr;
  std::vector<DLTensor> inputViews, outputViews;
};

} // namespace lathe::driver

#endif // LATHE_TOOLS_LATHE_LOADEDMODEL_H
