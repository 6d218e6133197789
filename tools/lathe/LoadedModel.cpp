// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Loads compiled models and runs them through lathe.h.

#include "LoadedModel.h"
#include "HostValue.h"
#include "llvm/ADT/ScopeExit.h"
#include "llvm/ADT/SmallString.h"
#include "llvm/Object/ELFObjectFile.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include <dlfcn.h>

using namespace lathe::driver;
using namespace llvm;

/// The name of the exported function that ends in "_lathe_model".
static Expected<std::string> findEntry(StringRef path) {
  constexpr StringLiteral suffix = "_lathe_model";
  ErrorOr<std::unique_ptr<MemoryBuffer>> file = MemoryBuffer::getFile(
      path, /*IsText=*/false, /*RequiresNullTerminator=*/false);
  if (!file)
    return createStringError(path + ": " + file.getError().message());
  Expected<std::unique_ptr<object::ObjectFile>> object =
      object::ObjectFile::createObjectFile((*file)->getMemBufferRef());
  if (!object)
    return createStringError(
        path + ": expected a compiled model: " + toString(object.takeError()));
  auto *elf = dyn_cast<object::ELFObjectFileBase>(object->get());
  if (!elf)
    return createStringError(path + ": expected an ELF library");
  for (object::ELFSymbolRef symbol : elf->getDynamicSymbolIterators()) {
    Expected<StringRef> name = symbol.getName();
    if (!name)
      return createStringError(path + ": " + toString(name.takeError()));
    if (name->ends_with(suffix))
      return name->str();
  }
  return createStringError(
      path + ": expected a compiled model, which exports NAME" + suffix);
}

static TensorSignature describe(const lathe_model *model, int32_t index,
                                bool isInput) {
  lathe_tensor_info info;
  TensorSignature signature;
  if (isInput)
    lathe_model_get_input(model, index, &info);
  else
    lathe_model_get_output(model, index, &info);
  signature.name = info.name;
  signature.dtype = info.dtype;
  if (const char *type = lathe_model_get_type(model, isInput ? index : ~index))
    signature.type = type;
  for (int32_t d = 0; d < info.rank; ++d) {
    const char *name = nullptr;
    Dimension dim;
    lathe_model_get_dim(model, isInput ? index : ~index, d, &dim.size, &name);
    dim.name = name ? name : "";
    signature.dims.push_back(dim);
  }
  return signature;
}

Expected<std::unique_ptr<LoadedModel>> LoadedModel::load(StringRef path) {
  Expected<std::string> entry = findEntry(path);
  if (!entry)
    return entry.takeError();
  SmallString<256> absolute(path);
  if (std::error_code error = sys::fs::make_absolute(absolute))
    return createStringError(path + ": " + error.message());
  std::unique_ptr<LoadedModel> loaded(new LoadedModel);
  loaded->library = dlopen(absolute.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (!loaded->library)
    return createStringError(path + ": " + dlerror());
  auto *function = reinterpret_cast<const lathe_model *(*)()>(
      dlsym(loaded->library, entry->c_str()));
  if (!function)
    return createStringError(path + ": " + dlerror());
  loaded->model = function();
  if (loaded->model->abi_version != LATHE_ABI_VERSION)
    return createStringError(path + ": expected ABI version " +
                             Twine(LATHE_ABI_VERSION) + ", got " +
                             Twine(loaded->model->abi_version));
  for (int32_t i = 0; i < lathe_model_num_inputs(loaded->model); ++i)
    loaded->inputs.push_back(describe(loaded->model, i, /*isInput=*/true));
  for (int32_t i = 0; i < lathe_model_num_outputs(loaded->model); ++i)
    loaded->outputs.push_back(describe(loaded->model, i, /*isInput=*/false));
  return loaded;
}

LoadedModel::~LoadedModel() {
  if (library)
    dlclose(library);
}

Expected<std::unique_ptr<Session>> Session::create(const LoadedModel &model,
                                                   unsigned threads,
                                                   bool flushDenormals) {
  std::unique_ptr<Session> session(new Session(model));
  char message[1024] = "cannot create a context";
  lathe_options options = LATHE_OPTIONS_INIT;
  options.num_threads = static_cast<int32_t>(threads);
  options.flags = flushDenormals ? LATHE_FLUSH_DENORMALS : 0;
  options.message = message;
  options.message_bytes = sizeof(message);
  if (lathe_context_create(model.get(), &options, &session->context))
    return createStringError(Twine(message));
  State state;
  while (
      !lathe_model_get_state(model.get(), session->states.size(), &state.info))
    session->states.push_back(state);
  return session;
}

Session::~Session() { lathe_context_destroy(context); }

Expected<std::vector<HostTensor>>
Session::makeOutputs(ArrayRef<HostTensor> inputs) {
  std::vector<const int64_t *> inputShapes;
  std::vector<std::vector<int64_t>> shapes;
  std::vector<int64_t *> outputShapes;
  // The runtime trusts the number of sizes behind each pointer.
  for (auto [input, signature] : zip_equal(inputs, model.getInputs())) {
    if (signature.type.empty() != !input.value)
      return createStringError(
          "input '" + signature.name + "': expected " +
          (signature.type.empty() ? "a plain tensor" : signature.type) +
          ", got " + summarize(input));
    // A value without a known rank says its shape itself.
    bool isChecked = signature.type.empty() || !signature.dims.empty();
    if (isChecked && input.shape.size() != signature.dims.size())
      return createStringError("input '" + signature.name + "': expected " +
                               Twine(signature.dims.size()) +
                               " dimensions, got " + toString(input.shape));
    inputShapes.push_back(input.shape.data());
  }
  for (const TensorSignature &output : model.getOutputs())
    shapes.emplace_back(output.dims.size());
  for (std::vector<int64_t> &shape : shapes)
    outputShapes.push_back(shape.data());
  if (lathe_infer_shapes(context, inputShapes.data(), outputShapes.data()))
    return createStringError(Twine(lathe_context_message(context)));
  std::vector<HostTensor> outputs;
  for (auto [shape, signature] : zip_equal(shapes, model.getOutputs())) {
    // Known when it is computed.
    if (is_contained(shape, -1) || !signature.type.empty()) {
      HostTensor output;
      output.dtype = signature.dtype;
      output.shape = shape;
      outputs.push_back(std::move(output));
      continue;
    }
    Expected<HostTensor> output = HostTensor::create(signature.dtype, shape);
    if (!output)
      return output.takeError();
    outputs.push_back(std::move(*output));
  }
  return outputs;
}

/// Copies steps between the model's order, in which the axis of `count` steps
/// stands behind `outer` others, and that of states, in which it stands first.
static void copySteps(const char *from, char *to, int64_t outer, int64_t count,
                      int64_t inner, bool toState) {
  for (int64_t o = 0; o < outer; ++o)
    for (int64_t s = 0; s < count; ++s) {
      int64_t dense = (o * count + s) * inner, state = (s * outer + o) * inner;
      std::memcpy(to + (toState ? state : dense),
                  from + (toState ? dense : state), inner);
    }
}

static int64_t getOuter(ArrayRef<int64_t> shape, int32_t axis) {
  int64_t outer = 1;
  for (int64_t size : shape.take_front(axis))
    outer *= size;
  return outer;
}

Error Session::fillState(State &state, const HostTensor &input,
                         DLTensor &view) {
  int32_t axis = state.info.axis;
  int64_t rank = input.shape.size();
  if (axis >= rank)
    return Error::success(); // Refused by the runtime, with both ranks.
  bool isNew = state.source != input.data.get() || state.shape != input.shape;
  std::vector<int64_t> shape = input.shape;
  if (isNew) {
    if (axis >= 0)
      shape[axis] = state.info.max;
    Expected<HostTensor> room = HostTensor::create(input.dtype, shape);
    if (!room)
      return room.takeError();
    state.memory = room->data;
    state.source = input.data.get();
    state.shape = input.shape;
  }
  // A state that does not grow is written over by each run.
  if (axis < 0) {
    std::memcpy(state.memory.get(), input.data.get(), input.getNumBytes());
    view.data = state.memory.get();
    return Error::success();
  }
  int64_t outer = getOuter(input.shape, axis), count = input.shape[axis];
  if (isNew && count <= state.info.max && input.getNumElements())
    copySteps(input.data.get(), state.memory.get(), outer, count,
              input.getNumBytes() / (outer * count), /*toState=*/true);
  state.strides.assign(rank, 1);
  int64_t stride = 1;
  for (int64_t d = rank - 1; d >= 0; --d)
    if (d != axis) {
      state.strides[d] = stride;
      stride *= input.shape[d];
    }
  state.strides[axis] = stride;
  view.data = state.memory.get();
  view.strides = state.strides.data();
  return Error::success();
}

/// Copies what the runtime has made, and gives it back.
Error Session::readOutput(DLTensor &view, HostTensor &output) {
  if (view.dtype == valueType) {
    Expected<HostTensor> value =
        readValue(model.get(), static_cast<lathe_value *>(view.data));
    lathe_release_output(context, &view);
    if (value)
      output = std::move(*value);
    return value.takeError();
  }
  ArrayRef<int64_t> shape(view.shape, view.ndim);
  Expected<HostTensor> made = HostTensor::create(view.dtype, shape);
  if (!made)
    return made.takeError();
  const char *data = static_cast<const char *>(view.data) + view.byte_offset;
  int32_t axis = -1;
  for (const State &state : states)
    if (&view == &outputViews[state.info.output])
      axis = state.info.axis;
  if (axis >= 0 && made->getNumElements()) {
    int64_t outer = getOuter(shape, axis);
    copySteps(data, made->data.get(), outer, shape[axis],
              made->getNumBytes() / (outer * shape[axis]), /*toState=*/false);
  } else if (made->getNumElements()) {
    std::memcpy(made->data.get(), data, made->getNumBytes());
  }
  output = std::move(*made);
  lathe_release_output(context, &view);
  return Error::success();
}

Error Session::run(ArrayRef<HostTensor> inputs,
                   MutableArrayRef<HostTensor> outputs) {
  inputViews.clear();
  outputViews.clear();
  SmallVector<lathe_value *> values;
  llvm::scope_exit release([&] {
    for (lathe_value *value : values)
      lathe_value_release(model.get(), value);
  });
  for (const HostTensor &input : inputs) {
    if (!input.value) {
      inputViews.push_back(input.getView());
      continue;
    }
    Expected<lathe_value *> value = createValue(model.get(), input);
    if (!value)
      return value.takeError();
    values.push_back(*value);
    DLTensor view = {};
    view.data = *value;
    view.device = {kDLCPU, 0};
    view.dtype = valueType;
    inputViews.push_back(view);
  }
  for (const HostTensor &output : outputs)
    outputViews.push_back(output.data ? output.getView() : DLTensor());
  for (State &state : states) {
    outputViews[state.info.output] = DLTensor();
    if (Error error = fillState(state, inputs[state.info.input],
                                inputViews[state.info.input]))
      return error;
  }
  SmallVector<bool> isMade;
  for (const DLTensor &view : outputViews)
    isMade.push_back(!view.data && !view.shape);
  if (lathe_run(context, inputViews.data(), outputViews.data()))
    return createStringError(Twine(lathe_context_message(context)));
  for (auto [view, output, made] :
       zip_equal(outputViews, outputs, ArrayRef(isMade)))
    if (made)
      if (Error error = readOutput(view, output))
        return error;
  return Error::success();
}
