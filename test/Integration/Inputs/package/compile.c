/* Part of the Lathe project, under the Apache License v2.0 with LLVM
 * Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * compile MODEL.onnx OUTPUT, with the compiler as a library.
 */
#include <lathe-c/compiler.h>

#include <stdio.h>

int main(int argc, char **argv) {
  lathe_compiler *compiler;
  lathe_compiler_status status;
  if (argc != 3 || lathe_compiler_create(&compiler))
    return 2;
  status = lathe_compiler_compile_file(compiler, argv[1], argv[2]);
  if (status)
    fputs(lathe_compiler_text(compiler), stderr);
  lathe_compiler_destroy(compiler);
  return status;
}
