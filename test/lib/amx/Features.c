/* Part of the Lathe project, under the Apache License v2.0 with LLVM
 * Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * In place of lib/Runtime/CpuFeatures.c, for models that run with Emulator.c:
 * says that the processor has AMX, and asks it for all else.
 */
#define lathe_rt_has_features askProcessor
#include "../../../lib/Runtime/CpuFeatures.c"
#undef lathe_rt_has_features

bool lathe_rt_has_features(const char *features, lathe_rt_text *missing) {
  char others[1024] = "";
  while (features && *features) {
    size_t length = strcspn(features, ",");
    const char *name = features + (*features == '+');
    if (strncmp(name, "amx-", 4) != 0) {
      if (strlen(others) + length + 2 > sizeof(others))
        return false;
      strncat(others, features, length);
      strcat(others, ",");
    }
    features += length;
    features += *features == ',';
  }
  return askProcessor(others, missing);
}
