/* Part of the Lathe project, under the Apache License v2.0 with LLVM
 * Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * The compiler as a C library (liblathe.so), for C11 and C++.
 *
 *   lathe_compiler *compiler;
 *   lathe_compiler_create(&compiler);
 *   lathe_compiler_set_option(compiler, "fusion", "none");
 *   if (lathe_compiler_compile_file(compiler, "m.onnx", "m.so"))
 *     fputs(lathe_compiler_text(compiler), stderr);
 *   lathe_compiler_destroy(compiler);
 *
 * Compiled models have an interface of their own, lathe-rt/lathe.h, which needs
 * no compiler.
 *
 * A compiler serves one call at a time. Different ones may be used from
 * different threads; their compilations then run one after another, each on as
 * many threads as option "j" says. Functions only get added; nothing that this
 * header declares changes its meaning within one LATHE_COMPILER_API_VERSION.
 */
#ifndef LATHE_C_COMPILER_H
#define LATHE_C_COMPILER_H

#include <stddef.h>
#include <stdint.h>

#if defined(_WIN32)
#define LATHE_C_API
#else
#define LATHE_C_API __attribute__((visibility("default")))
#endif

#ifdef __cplusplus
extern "C" {
#endif

#define LATHE_COMPILER_API_VERSION 1

/* What every function that can fail returns. */
typedef int32_t lathe_compiler_status;
enum {
  LATHE_COMPILER_OK = 0,
  LATHE_COMPILER_WRONG_USAGE = 1, /* an argument or option; see the text */
  LATHE_COMPILER_FAILED = 2,      /* the model; see the diagnostics */
  LATHE_COMPILER_OUT_OF_MEMORY = 3
};

/* The options of a compilation, and what the latest one said. */
typedef struct lathe_compiler lathe_compiler;

/* How much a diagnostic matters. A note explains the one before it. */
typedef enum lathe_severity {
  LATHE_SEVERITY_ERROR = 0,
  LATHE_SEVERITY_WARNING = 1,
  LATHE_SEVERITY_NOTE = 2
} lathe_severity;

/* What the compiler has to say about a model. No string is NULL. */
typedef struct lathe_diagnostic {
  lathe_severity severity;
  const char *file;
  const char *node; /* name of the ONNX node, "" where it concerns none */
  const char *op;   /* its operator, "" where not known */
  const char *message;
} lathe_diagnostic;

/* What an option takes. */
typedef enum lathe_option_kind {
  LATHE_OPTION_VALUE = 0, /* one value; the last one counts */
  LATHE_OPTION_FLAG = 1,  /* "true" or "false" */
  LATHE_OPTION_LIST = 2   /* one value a call; all count */
} lathe_option_kind;

/* An option of `lathe compile`, without its dashes. No string is NULL. */
typedef struct lathe_option_info {
  const char *name;
  lathe_option_kind kind;
  const char *value_name; /* as help shows it, like "auto|none" */
  const char *default_value;
  const char *help;
} lathe_option_info;

/* Told the name of each stage of a compilation as it begins, on the thread that
 * called compile. Must not call the compiler. */
typedef void (*lathe_progress)(void *user, const char *stage);

/* --- What there is ------------------------------------------------------ */

/* Version of the library, like "0.1.0". */
LATHE_C_API const char *lathe_compiler_version(void);
/* LATHE_COMPILER_API_VERSION of the library. */
LATHE_C_API int32_t lathe_compiler_api_version(void);
/* The `index`-th option, fusion (for option "fusion") or target (for option
 * "target"). WRONG_USAGE, or NULL, past the last one. */
LATHE_C_API lathe_compiler_status
lathe_compiler_get_option_info(int32_t index, lathe_option_info *info);
LATHE_C_API const char *lathe_compiler_get_fusion(int32_t index);
LATHE_C_API const char *lathe_compiler_get_target(int32_t index);

/* --- Compiling ---------------------------------------------------------- */

/* Makes a compiler with default options, to be ended with
 * lathe_compiler_destroy. */
LATHE_C_API lathe_compiler_status
lathe_compiler_create(lathe_compiler **compiler);
/* NULL is allowed. */
LATHE_C_API void lathe_compiler_destroy(lathe_compiler *compiler);
/* Sets an option by its name. On WRONG_USAGE nothing changes, and the text says
 * what was expected. */
LATHE_C_API lathe_compiler_status lathe_compiler_set_option(
    lathe_compiler *compiler, const char *name, const char *value);
/* `progress` may be NULL. */
LATHE_C_API void lathe_compiler_set_progress(lathe_compiler *compiler,
                                             lathe_progress progress,
                                             void *user);

/* Compiles the model in a file. The suffix of `output` picks the kind of
 * artifact: .so .o .a .ll .s .mlir. On failure nothing is written. */
LATHE_C_API lathe_compiler_status lathe_compiler_compile_file(
    lathe_compiler *compiler, const char *model, const char *output);
/* Compiles a serialized ModelProto, which is not needed after the call and can
 * have no external data. `name` stands for the file in diagnostics. */
LATHE_C_API lathe_compiler_status
lathe_compiler_compile_bytes(lathe_compiler *compiler, const void *bytes,
                             size_t size, const char *name, const char *output);

/* --- What the latest call said ------------------------------------------ */

/* Diagnostics of the latest compilation; strings live until the next one. */
LATHE_C_API int32_t
lathe_compiler_num_diagnostics(const lathe_compiler *compiler);
LATHE_C_API lathe_compiler_status lathe_compiler_get_diagnostic(
    const lathe_compiler *compiler, int32_t index, lathe_diagnostic *diag);
/* All that the latest call has to say, as the driver prints it: diagnostics,
 * timing, IR. Lives until the next call. */
LATHE_C_API const char *lathe_compiler_text(const lathe_compiler *compiler);

#ifdef __cplusplus
}
#endif
#endif /* LATHE_C_COMPILER_H */
