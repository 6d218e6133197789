/* Part of the Lathe project, under the Apache License v2.0 with LLVM
 * Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * Weights that lie beside the library: mapped, so that all processes share
 * them and only what is used is read.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "Runtime.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* "FOLDER/NAME.weights", FOLDER being where the model's code was loaded from.
 */
static bool defaultWeightsPath(const lathe_rt_model *model, char *path,
                               size_t bytes) {
  Dl_info info;
  lathe_rt_text text;
  size_t folder;
  if (!dladdr((const void *)model, &info) || !info.dli_fname)
    return false;
  folder = strlen(info.dli_fname);
  while (folder && info.dli_fname[folder - 1] != '/')
    --folder;
  if (folder + strlen(model->name) + sizeof(".weights") > bytes)
    return false;
  memcpy(path, info.dli_fname, folder);
  lathe_rt_text_begin(&text, path + folder, bytes - folder);
  lathe_rt_text_string(&text, model->name);
  lathe_rt_text_string(&text, ".weights");
  return true;
}

lathe_status lathe_rt_map_weights(const lathe_rt_model *model, const char *path,
                                  const char **weights,
                                  lathe_rt_text *message) {
  char found[4096];
  struct stat stat;
  void *memory = MAP_FAILED;
  int file;
  if (!path) {
    if (!defaultWeightsPath(model, found, sizeof(found))) {
      lathe_rt_text_string(message, "expected weights_path: the model's "
                                    "weights are in a file of their own");
      return LATHE_INVALID_ARGUMENT;
    }
    path = found;
  }
  file = open(path, O_RDONLY | O_CLOEXEC);
  lathe_rt_text_string(message, "weights file '");
  lathe_rt_text_string(message, path);
  if (file < 0 || fstat(file, &stat)) {
    lathe_rt_text_string(message, "': cannot be opened");
  } else if (stat.st_size != model->weights_bytes) {
    lathe_rt_text_string(message, "': expected ");
    lathe_rt_text_int(message, model->weights_bytes);
    lathe_rt_text_string(message, " bytes, got ");
    lathe_rt_text_int(message, stat.st_size);
  } else {
    memory = mmap(NULL, (size_t)stat.st_size, PROT_READ, MAP_SHARED, file, 0);
    if (memory == MAP_FAILED)
      lathe_rt_text_string(message, "': cannot be mapped");
  }
  if (file >= 0)
    close(file);
  if (memory == MAP_FAILED)
    return LATHE_SYSTEM;
  *weights = memory;
  return LATHE_OK;
}

void lathe_rt_unmap_weights(const char *weights, int64_t bytes) {
  munmap((void *)(uintptr_t)weights, (size_t)bytes);
}
