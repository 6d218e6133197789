/* Part of the Lathe project, under the Apache License v2.0 with LLVM
 * Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * The C API of the compiler: liblathe.so as a program in C uses it.
 *
 *   compiler MODEL.onnx BAD.onnx FOLDER
 */
#include "lathe-c/compiler.h"
#include "../Inputs/expect.h"

#include <stdio.h>
#include <string.h>

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
  EXPECT(stage && *stage);
  ++*(int *)user;
}

static void testLists(void) {
  lathe_option_info info;
  int32_t count = 0, hasFusion = 0;
  EXPECT(lathe_compiler_api_version() == LATHE_COMPILER_API_VERSION);
  EXPECT(strlen(lathe_compiler_version()) > 0);
  while (!lathe_compiler_get_option_info(count, &info)) {
    EXPECT(*info.name && *info.help && info.value_name && info.default_value);
    hasFusion |= !strcmp(info.name, "fusion");
    ++count;
  }
  EXPECT(count > 5 && hasFusion);
  EXPECT(lathe_compiler_get_option_info(-1, &info));
  EXPECT(lathe_compiler_get_option_info(0, NULL));
  EXPECT(!strcmp(lathe_compiler_get_target(0), "cpu"));
  EXPECT(!lathe_compiler_get_target(1000) && !lathe_compiler_get_target(-1));
  EXPECT(lathe_compiler_get_fusion(0) && !lathe_compiler_get_fusion(-1));
}

static void testOptions(lathe_compiler *compiler) {
  EXPECT(!lathe_compiler_set_option(compiler, "fusion", "none"));
  EXPECT(lathe_compiler_set_option(compiler, "fusion", "nothing") ==
         LATHE_COMPILER_WRONG_USAGE);
  EXPECT(strstr(lathe_compiler_text(compiler), "nothing"));
  EXPECT(lathe_compiler_set_option(compiler, "no-such", "1"));
  EXPECT(lathe_compiler_set_option(compiler, "dim", "n"));
  EXPECT(lathe_compiler_set_option(compiler, "O", "9"));
  EXPECT(lathe_compiler_set_option(compiler, NULL, "1"));
  EXPECT(lathe_compiler_set_option(NULL, "fusion", "none"));
  EXPECT(!lathe_compiler_set_option(compiler, "O", "1"));
}

static void testFile(lathe_compiler *compiler, const char *model) {
  int stages = 0;
  lathe_compiler_set_progress(compiler, countStages, &stages);
  EXPECT(!lathe_compiler_compile_file(compiler, model, inFolder("a.so")));
  EXPECT(stages > 3);
  EXPECT(lathe_compiler_num_diagnostics(compiler) == 0);
  EXPECT(!*lathe_compiler_text(compiler));
  EXPECT(exists(inFolder("a.so")) && exists(inFolder("a.h")));
  lathe_compiler_set_progress(compiler, NULL, NULL);
  EXPECT(lathe_compiler_compile_file(compiler, model, inFolder("a.txt")) ==
         LATHE_COMPILER_WRONG_USAGE);
  EXPECT(lathe_compiler_compile_file(compiler, NULL, "a.so"));
  EXPECT(lathe_compiler_compile_file(compiler, model, ""));
}

static void testBytes(lathe_compiler *compiler, const char *model) {
  static char bytes[1 << 20];
  FILE *file = fopen(model, "rb");
  size_t size;
  EXPECT(file);
  size = fread(bytes, 1, sizeof(bytes), file);
  fclose(file);
  EXPECT(!lathe_compiler_compile_bytes(compiler, bytes, size, "bytes",
                                       inFolder("b.so")));
  EXPECT(exists(inFolder("b.so")));
  EXPECT(lathe_compiler_compile_bytes(compiler, bytes, size / 2, "half",
                                      inFolder("c.so")) ==
         LATHE_COMPILER_FAILED);
  EXPECT(!exists(inFolder("c.so")));
  EXPECT(lathe_compiler_compile_bytes(compiler, NULL, 0, "none",
                                      inFolder("c.so")) ==
         LATHE_COMPILER_WRONG_USAGE);
}

static void testDiagnostics(lathe_compiler *compiler, const char *model) {
  lathe_diagnostic diag;
  EXPECT(lathe_compiler_compile_file(compiler, model, inFolder("d.so")) ==
         LATHE_COMPILER_FAILED);
  EXPECT(!exists(inFolder("d.so")));
  EXPECT(lathe_compiler_num_diagnostics(compiler) == 2);
  EXPECT(!lathe_compiler_get_diagnostic(compiler, 1, &diag));
  EXPECT(diag.severity == LATHE_SEVERITY_ERROR);
  EXPECT(!strcmp(diag.file, model));
  EXPECT(!strcmp(diag.node, "second") && !strcmp(diag.op, "Worse"));
  EXPECT(strstr(diag.message, "expected"));
  EXPECT(strstr(lathe_compiler_text(compiler), diag.message));
  EXPECT(lathe_compiler_get_diagnostic(compiler, 2, &diag));
  EXPECT(lathe_compiler_get_diagnostic(compiler, 0, NULL));
}

int main(int argc, char **argv) {
  lathe_compiler *compiler = NULL;
  EXPECT(argc == 4);
  snprintf(folder, sizeof(folder), "%s", argv[3]);
  testLists();
  EXPECT(lathe_compiler_create(NULL) == LATHE_COMPILER_WRONG_USAGE);
  EXPECT(!lathe_compiler_create(&compiler));
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
