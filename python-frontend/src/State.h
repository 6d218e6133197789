// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The memory of a model's states: what one sequence keeps from run to run.
// Knows nothing of Python.

#ifndef LATHE_PYTHON_STATE_H
#define LATHE_PYTHON_STATE_H

#include "Model.h"
#include <atomic>
#include <memory>

namespace lathe::python {

/// Holds the tensors of all states, in the order of Model::getStates. One that
/// grows has its steps outermost in memory and room for all of them, so that a
/// run adds steps behind those that are held and nothing moves. One that is
/// written over is dense, and zero at first. Changes need a Use.
class State {
public:
  /// `shapes` are those of the states' inputs; sizes along the axis that grows
  /// are not read. Throws RuntimeFailure.
  State(std::shared_ptr<Model> model, std::vector<std::vector<int64_t>> shapes);
  /// Has memory of its own, with what `other` holds. Needs a Use of it.
  State(const State &other);
  State &operator=(const State &) = delete;

  /// Holds off other calls as long as it lives. Throws RuntimeFailure
  /// (LATHE_BUSY) where another one does.
  class Use {
  public:
    explicit Use(State &state);
    ~Use() { state.isBusy = false; }
    Use(const Use &) = delete;

  private:
    State &state;
  };

  const Model &getModel() const { return *model; }
  /// The input of state `index`.
  const Signature &getInput(size_t index) const {
    return model->getInputs()[getInfo(index).input];
  }
  const lathe_state_info &getInfo(size_t index) const {
    return model->getStates()[index];
  }
  size_t size() const { return parts.size(); }

  /// What state `index` holds, as the runtime takes it. Points into this
  /// object.
  DLTensor getView(size_t index);
  /// The memory of state `index`, which others may keep.
  const std::shared_ptr<char> &getMemory(size_t index) const {
    return parts[index].memory;
  }
  /// Bytes at the beginning of that memory that are in use.
  int64_t getHeldBytes(size_t index) const;
  /// Of all states together, with the room that is not in use yet.
  int64_t getBytes() const;

  /// Takes what a run has made of the output that lies in state `index`, and
  /// gives it back.
  void advance(size_t index, lathe_context *context, DLTensor &output);
  /// Says how many steps state `index`, which grows, holds.
  void setLength(size_t index, int64_t length);
  /// Holds nothing, as in the beginning.
  void reset();

private:
  struct Part {
    std::shared_ptr<char> memory;
    int64_t bytes = 0;     ///< Of the memory.
    int64_t stepBytes = 0; ///< Of a step; of all where nothing grows.
    std::vector<int64_t> shape, strides;
  };
  void allocate(size_t index);

  std::shared_ptr<Model> model;
  std::vector<Part> parts;
  std::atomic<bool> isBusy{false};
};

} // namespace lathe::python

#endif // LATHE_PYTHON_STATE_H
