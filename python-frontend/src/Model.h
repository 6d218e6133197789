// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A compiled model in this process, and the contexts that run it. Knows nothing
// of Python, so all of it may be called without the interpreter's lock.

#ifndef LATHE_PYTHON_MODEL_H
#define LATHE_PYTHON_MODEL_H

#include "lathe-rt/lathe.h"
#include <mutex>
#include <stdexcept>
#include <string>
#include <vector>

namespace lathe::python {

/// What the runtime refused, with its status.
class RuntimeFailure : public std::runtime_error {
public:
  RuntimeFailure(lathe_status status, const std::string &message)
      : std::runtime_error(message), status(status) {}
  lathe_status status;
};

/// An input or output; size -1 and an empty name where a dimension has none.
/// What is no plain tensor has a type, as ONNX writes it, and perhaps no
/// dimensions.
struct Signature {
  struct Dim {
    int64_t size;
    std::string name;
  };
  std::string name;
  DLDataType dtype;
  std::vector<Dim> dims;
  std::string type;
};

/// A shared library that the compiler made. Stays loaded while the object
/// lives. A context serves one call at a time, so contexts are made as calls
/// overlap, and kept for later ones.
class Model {
public:
  /// `entry` is the name of the function that the library exports. Throws
  /// RuntimeFailure.
  Model(const std::string &path, const std::string &entry,
        const std::string &weights, int32_t threads, bool flushDenormals);
  ~Model();
  Model(const Model &) = delete;

  const lathe_model *get() const { return model; }
  const std::vector<Signature> &getInputs() const { return inputs; }
  const std::vector<Signature> &getOutputs() const { return outputs; }
  /// The outputs that lie in the memory of an input.
  const std::vector<lathe_state_info> &getStates() const { return states; }

  /// A context for one call, given back at the end.
  class Use {
  public:
    explicit Use(Model &model) : model(model), context(model.acquire()) {}
    ~Use() { model.release(context); }
    Use(const Use &) = delete;
    lathe_context *get() const { return context; }
    /// Throws what the context has to say where `status` is not LATHE_OK.
    void check(lathe_status status) const;

  private:
    Model &model;
    lathe_context *context;
  };

private:
  lathe_context *acquire();
  void release(lathe_context *context);

  void *library = nullptr;
  const lathe_model *model = nullptr;
  std::string weights;
  int32_t threads;
  bool flushDenormals;
  std::vector<Signature> inputs, outputs;
  std::vector<lathe_state_info> states;
  std::mutex mutex;
  std::vector<lathe_context *> idle; ///< Last used last.
};

} // namespace lathe::python

#endif // LATHE_PYTHON_MODEL_H
