// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Model.h"
#include <algorithm>
#include <cstdlib>
#include <dlfcn.h>
#include <thread>

using namespace lathe::python;

/// Describes an input (`index` >= 0) or output ~index.
static Signature describe(const lathe_model *model, int32_t index) {
  lathe_tensor_info info;
  if (index >= 0)
    lathe_model_get_input(model, index, &info);
  else
    lathe_model_get_output(model, ~index, &info);
  const char *type = lathe_model_get_type(model, index);
  Signature signature{info.name, info.dtype, {}, type ? type : ""};
  for (int32_t d = 0; d < info.rank; ++d) {
    int64_t size = -1;
    const char *name = nullptr;
    lathe_model_get_dim(model, index, d, &size, &name);
    signature.dims.push_back({size, name ? name : ""});
  }
  return signature;
}

Model::Model(const std::string &path, const std::string &entry,
             const std::string &weights, int32_t threads, bool flushDenormals)
    : weights(weights), threads(threads), flushDenormals(flushDenormals) {
  library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (!library)
    throw RuntimeFailure(LATHE_SYSTEM, dlerror());
  try {
    auto *function = reinterpret_cast<const lathe_model *(*)()>(
        dlsym(library, entry.c_str()));
    if (!function)
      throw RuntimeFailure(LATHE_UNSUPPORTED, dlerror());
    model = function();
    if (model->abi_version != LATHE_ABI_VERSION)
      throw RuntimeFailure(LATHE_UNSUPPORTED,
                           path + ": expected ABI version " +
                               std::to_string(LATHE_ABI_VERSION) + ", got " +
                               std::to_string(model->abi_version));
    for (int32_t i = 0; i < lathe_model_num_inputs(model); ++i)
      inputs.push_back(describe(model, i));
    for (int32_t i = 0; i < lathe_model_num_outputs(model); ++i)
      outputs.push_back(describe(model, ~i));
    lathe_state_info state;
    while (!lathe_model_get_state(model, static_cast<int32_t>(states.size()),
                                  &state))
      states.push_back(state);
    // What cannot run here should fail now rather than at the first run.
    release(acquire());
  } catch (...) {
    dlclose(library);
    throw;
  }
}

Model::~Model() {
  for (lathe_context *context : idle)
    lathe_context_destroy(context);
  dlclose(library);
}

lathe_context *Model::acquire() {
  {
    std::lock_guard<std::mutex> lock(mutex);
    if (!idle.empty()) {
      lathe_context *context = idle.back();
      idle.pop_back();
      return context;
    }
  }
  char message[1024] = "cannot create a context";
  lathe_options options = LATHE_OPTIONS_INIT;
  options.num_threads = threads;
  options.flags = flushDenormals ? LATHE_FLUSH_DENORMALS : 0;
  // What outputs are made of, so that they can be freed without a context.
  options.allocator.allocate = [](void *, size_t bytes,
                                  size_t alignment) -> void * {
    void *memory = nullptr;
    return posix_memalign(&memory, alignment, bytes) ? nullptr : memory;
  };
  options.allocator.release = [](void *, void *memory) { free(memory); };
  options.weights_path = weights.empty() ? nullptr : weights.c_str();
  options.message = message;
  options.message_bytes = sizeof(message);
  lathe_context *context;
  if (lathe_status status = lathe_context_create(model, &options, &context))
    throw RuntimeFailure(status, message);
  return context;
}

void Model::release(lathe_context *context) {
  size_t kept = std::max(1u, std::thread::hardware_concurrency());
  {
    std::lock_guard<std::mutex> lock(mutex);
    if (idle.size() < kept) {
      idle.push_back(context);
      return;
    }
  }
  lathe_context_destroy(context);
}

void Model::Use::check(lathe_status status) const {
  if (status)
    throw RuntimeFailure(status, lathe_context_message(context));
}
