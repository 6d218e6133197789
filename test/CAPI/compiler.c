/* Part of the Lathe project, under the Apache License v2.0 with LLVM
 * Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * The C API of the compiler: liblathe.so as a program in C uses it.
 *
 *   compiler MODEL.onnx BAD.onnx FOLDER
 */
#include "lathe-c/compiler.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHECK(condition)                                                       \
  do {                                                                         \
    if (!(condition)) {                                                        \
      fprintf(stderr, "%s:%d: expected %s\n", __FILE__, __LINE__, #condition); \
      exit(1);                                                                 \
    }                                                                          \
  } while (0)

static char folder[4096];

static const char *inFolder(const char *name) {
  static char path[8192];
  snprintf(path, sizeof(path), "%s/%s", folder, name);
  return path;
}

static int exists(const char *path) {
  FILE *file = fopen(path, "rb");
  if (file)
    fclose(file);
  return file != NULL;
}

static void countStages(void *user, const char *stage) {
  CHECK(stage && *stage);
  ++*(int *)user;
}

static void testLists(void) {
  lathe_option_info info;
  int32_t count = 0, hasFusion = 0;
  CHECK(lathe_compiler_api_version() == LATHE_COMPILER_API_VERSION);
  CHECK(strlen(lathe_compiler_version()) > 0);
  while (!lathe_compiler_get_option_info(count, &info)) {
    CHECK(*info.name && *info.help && info.value_name && info.default_value);
    hasFusion |= !strcmp(info.name, "fusion");
    ++count;
  }
  CHECK(count > 5 && hasFusion);
  CHECK(lathe_compiler_get_option_info(-1, &info));
  CHECK(lathe_compiler_get_option_info(0, NULL));
  CHECK(!strcmp(lathe_compiler_get_target(0), "cpu"));
  CHECK(!lathe_compiler_get_target(1000) && !lathe_compiler_get_target(-1));
  CHECK(lathe_compiler_get_fusion(0) && !lathe_compiler_get_fusion(-1));
}

static void testOptions(lathe_compiler *compiler) {
  CHECK(!lathe_compiler_set_option(compiler, "fusion", "none"));
  CHECK(lathe_compiler_set_option(compiler, "fusion", "nothing") ==
        LATHE_COMPILER_WRONG_USAGE);
  CHECK(strstr(lathe_compiler_text(compiler), "nothing"));
  CHECK(lathe_compiler_set_option(compiler, "no-such", "1"));
  CHECK(lathe_compiler_set_option(compiler, "dim", "n"));
  CHECK(lathe_compiler_set_option(compiler, "O", "9"));
  CHECK(lathe_compiler_set_option(compiler, NULL, "1"));
  CHECK(lathe_compiler_set_option(NULL, "fusion", "none"));
  CHECK(!lathe_compiler_set_option(compiler, "O", "1"));
}

static void testFile(lathe_compiler *compiler, const char *model) {
  int stages = 0;
  lathe_compiler_set_progress(compiler, countStages, &stages);
  CHECK(!lathe_compiler_compile_file(compiler, model, inFolder("a.so")));
  CHECK(stages > 3);
  CHECK(lathe_compiler_num_diagnostics(compiler) == 0);
  CHECK(!*lathe_compiler_text(compiler));
  CHECK(exists(inFolder("a.so")) && exists(inFolder("a.h")));
  lathe_compiler_set_progress(compiler, NULL, NULL);
  CHECK(lathe_compiler_compile_file(compiler, model, inFolder("a.txt")) ==
        LATHE_COMPILER_WRONG_USAGE);
  CHECK(lathe_compiler_compile_file(compiler, NULL, "a.so"));
  CHECK(lathe_compiler_compile_file(compiler, model, ""));
}

static void testBytes(lathe_compiler *compiler, const char *model) {
  static char bytes[1 << 20];
  FILE *file = fopen(model, "rb");
  size_t size;
  CHECK(file);
  size = fread(bytes, 1, sizeof(bytes), file);
  fclose(file);
  CHECK(!lathe_compiler_compile_bytes(compiler, bytes, size, "bytes",
                                      inFolder("b.so")));
  CHECK(exists(inFolder("b.so")));
  CHECK(lathe_compiler_compile_bytes(compiler, bytes, size / 2, "half",
                                     inFolder("c.so")) ==
        LATHE_COMPILER_FAILED);
  CHECK(!exists(inFolder("c.so")));
  CHECK(lathe_compiler_compile_bytes(compiler, NULL, 0, "none",
                                     inFolder("c.so")) ==
        LATHE_COMPILER_WRONG_USAGE);
}

static void testDiagnostics(lathe_compiler *compiler, const char *model) {
  lathe_diagnostic diag;
  CHECK(lathe_compiler_compile_file(compiler, model, inFolder("d.so")) ==
        LATHE_COMPILER_FAILED);
  CHECK(!exists(inFolder("d.so")));
  CHECK(lathe_compiler_num_diagnostics(compiler) == 2);
  CHECK(!lathe_compiler_get_diagnostic(compiler, 1, &diag));
  CHECK(diag.severity == LATHE_SEVERITY_ERROR);
  CHECK(!strcmp(diag.file, model));
  CHECK(!strcmp(diag.node, "second") && !strcmp(diag.op, "Worse"));
  CHECK(strstr(diag.message, "expected"));
  CHECK(strstr(lathe_compiler_text(compiler), diag.message));
  CHECK(lathe_compiler_get_diagnostic(compiler, 2, &diag));
  CHECK(lathe_compiler_get_diagnostic(compiler, 0, NULL));
}

int main(int argc, char **argv) {
  lathe_compiler *compiler = NULL;
  CHECK(argc == 4);
  snprintf(folder, sizeof(folder), "%s", argv[3]);
  testLists();
  CHECK(lathe_compiler_create(NULL) == LATHE_COMPILER_WRONG_USAGE);
  CHECK(!lathe_compiler_create(&compiler));
  testOptions(compiler);
  testFile(compiler, argv[1]);
  testBytes(compiler, argv[1]);
  testDiagnostics(compiler, argv[2]);
  /* The compiler is as usable after a failure as before. */
  testFile(compiler, argv[1]);
  lathe_compiler_destroy(compiler);
  lathe_compiler_destroy(NULL);
  return 0;
}
