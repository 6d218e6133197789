// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "State.h"
#include <cstdlib>
#include <cstring>

using namespace lathe::python;

/// As the runtime's own memory.
static constexpr size_t alignment = 64;

State::State(std::shared_ptr<Model> given,
             std::vector<std::vector<int64_t>> shapes)
    : model(std::move(given)), parts(model->getStates().size()) {
  for (size_t s = 0; s < parts.size(); ++s) {
    Part &part = parts[s];
    part.shape = std::move(shapes[s]);
    const lathe_state_info &info = getInfo(s);
    int64_t stride = 1;
    bool overflows = false;
    part.strides.resize(part.shape.size());
    for (auto d = static_cast<int32_t>(part.shape.size()) - 1; d >= 0; --d) {
      part.strides[d] = stride;
      if (d != info.axis)
        overflows |= __builtin_mul_overflow(stride, part.shape[d], &stride);
    }
    if (info.axis >= 0)
      part.strides[info.axis] = stride;
    overflows |=
        __builtin_mul_overflow(stride, getInput(s).dtype.bits / 8,
                               &part.stepBytes) ||
        __builtin_mul_overflow(part.stepBytes, info.axis >= 0 ? info.max : 1,
                               &part.bytes);
    if (overflows)
      throw RuntimeFailure(LATHE_OUT_OF_MEMORY,
                           "input '" + getInput(s).name +
                               "': expected a state that fits in memory");
    allocate(s);
  }
  reset();
}

State::State(const State &other) : model(other.model), parts(other.parts) {
  for (size_t s = 0; s < parts.size(); ++s) {
    allocate(s);
    std::memcpy(parts[s].memory.get(), other.parts[s].memory.get(),
                other.getHeldBytes(s));
  }
}

void State::allocate(size_t index) {
  Part &part = parts[index];
  void *memory = nullptr;
  if (posix_memalign(&memory, alignment,
                     std::max<size_t>(part.bytes, alignment)))
    throw RuntimeFailure(LATHE_OUT_OF_MEMORY, "input '" + getInput(index).name +
                                                  "': cannot allocate " +
                                                  std::to_string(part.bytes) +
                                                  " bytes for a state");
  part.memory.reset(static_cast<char *>(memory), free);
}

State::Use::Use(State &state) : state(state) {
  if (state.isBusy.exchange(true))
    throw RuntimeFailure(LATHE_BUSY, "state: expected one call at a time, got "
                                     "another while a run is in progress");
}

DLTensor State::getView(size_t index) {
  Part &part = parts[index];
  DLTensor view = {};
  view.data = part.memory.get();
  view.device = {kDLCPU, 0};
  view.dtype = getInput(index).dtype;
  view.ndim = static_cast<int32_t>(part.shape.size());
  view.shape = part.shape.data();
  view.strides = part.strides.data();
  return view;
}

int64_t State::getBytes() const {
  int64_t bytes = 0;
  for (const Part &part : parts)
    bytes += part.bytes;
  return bytes;
}

int64_t State::getHeldBytes(size_t index) const {
  const Part &part = parts[index];
  int32_t axis = getInfo(index).axis;
  return axis < 0 ? part.bytes : part.shape[axis] * part.stepBytes;
}

void State::advance(size_t index, lathe_context *context, DLTensor &output) {
  int32_t axis = getInfo(index).axis;
  if (axis >= 0)
    setLength(index, output.shape[axis]);
  lathe_release_output(context, &output);
}

void State::setLength(size_t index, int64_t length) {
  parts[index].shape[getInfo(index).axis] = length;
}

void State::reset() {
  for (size_t s = 0; s < parts.size(); ++s) {
    if (getInfo(s).axis >= 0)
      setLength(s, 0);
    else
      std::memset(parts[s].memory.get(), 0, parts[s].bytes);
  }
}
