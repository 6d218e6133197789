// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Loads compiled models and runs them through lathe.h.

#include "LoadedModel.h"
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
    if (input.shape.size() != signature.dims.size())
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
    Expected<HostTensor> output = HostTensor::create(signature.dtype, shape);
    if (!output)
      return output.takeError();
    outputs.push_back(std::move(*output));
  }
  return outputs;
}

Error Session::run(ArrayRef<HostTensor> inputs, ArrayRef<HostTensor> outputs) {
  inputViews.clear();
  outputViews.clear();
  for (const HostTensor &input : inputs)
    inputViews.push_back(input.getView());
  for (const HostTensor &output : outputs)
    outputViews.push_back(output.getView());
  if (lathe_run(context, inputViews.data(), outputViews.data()))
    return createStringError(Twine(lathe_context_message(context)));
  return Error::success();
}
