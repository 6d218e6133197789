// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The C API of the compiler, over lathe/Pipeline.

#include "lathe-c/compiler.h"

#include "lathe/Import/Diagnostics.h"
#include "lathe/Pipeline/Compile.h"
#include "lathe/Pipeline/Options.h"
#include "lathe/Pipeline/Pipeline.h"
#include "lathe/Pipeline/Register.h"
#include "llvm/ADT/SmallString.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"
#include <dlfcn.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif
#include <mutex>
#include <new>

using namespace lathe;
using llvm::StringRef;

struct lathe_compiler {
  CompileOptions options;
  lathe_progress progress = nullptr;
  void *user = nullptr;
  std::vector<UserDiagnostic> diagnostics;
  std::string text;
};

//===----------------------------------------------------------------------===//
// What there is
//===----------------------------------------------------------------------===//

template <typename Range>
static bool isIndexOf(const Range &range, int32_t index) {
  return index >= 0 && static_cast<size_t>(index) < range.size();
}

const char *lathe_compiler_version(void) { return LATHE_VERSION; }

int32_t lathe_compiler_api_version(void) { return LATHE_COMPILER_API_VERSION; }

lathe_compiler_status lathe_compiler_get_option_info(int32_t index,
                                                     lathe_option_info *info) {
  llvm::ArrayRef<OptionInfo> table = getOptionTable();
  if (!isIndexOf(table, index) || !info)
    return LATHE_COMPILER_WRONG_USAGE;
  const OptionInfo &option = table[index];
  info->name = option.name.data();
  info->kind = option.kind == OptionKind::List   ? LATHE_OPTION_LIST
               : option.kind == OptionKind::Flag ? LATHE_OPTION_FLAG
                                                 : LATHE_OPTION_VALUE;
  info->value_name = option.valueName.data();
  info->default_value = option.defaultValue.data();
  info->help = option.help.data();
  return LATHE_COMPILER_OK;
}

// The names are literals, so they end with a zero.
const char *lathe_compiler_get_fusion(int32_t index) {
  auto names = listFusions();
  return isIndexOf(names, index) ? names[index].data() : nullptr;
}

const char *lathe_compiler_get_target(int32_t index) {
  auto targets = getTargets();
  return isIndexOf(targets, index) ? targets[index].name.data() : nullptr;
}

//===----------------------------------------------------------------------===//
// Compiling
//===----------------------------------------------------------------------===//

lathe_compiler_status lathe_compiler_create(lathe_compiler **compiler) {
  if (!compiler)
    return LATHE_COMPILER_WRONG_USAGE;
  *compiler = new (std::nothrow) lathe_compiler;
  return *compiler ? LATHE_COMPILER_OK : LATHE_COMPILER_OUT_OF_MEMORY;
}

void lathe_compiler_destroy(lathe_compiler *compiler) { delete compiler; }

static lathe_compiler_status complain(lathe_compiler *compiler,
                                      const llvm::Twine &message) {
  compiler->diagnostics.clear();
  compiler->text = message.str();
  return LATHE_COMPILER_WRONG_USAGE;
}

lathe_compiler_status lathe_compiler_set_option(lathe_compiler *compiler,
                                                const char *name,
                                                const char *value) {
  if (!compiler)
    return LATHE_COMPILER_WRONG_USAGE;
  if (!name || !value)
    return complain(compiler, "expected an option's name and value, got NULL");
  CompileOptions changed = compiler->options;
  std::string wrong = setOption(changed, name, value);
  if (wrong.empty())
    wrong = findWrongOption(changed);
  if (!wrong.empty())
    return complain(compiler, wrong);
  compiler->options = std::move(changed);
  compiler->text.clear();
  return LATHE_COMPILER_OK;
}

void lathe_compiler_set_progress(lathe_compiler *compiler,
                                 lathe_progress progress, void *user) {
  if (!compiler)
    return;
  compiler->progress = progress;
  compiler->user = user;
}

/// The runtime archive beside this library, or in the `lib` folder beside its
/// own; empty where neither is there, for the compiler's own guess.
static std::string findRuntimeLibrary() {
  Dl_info info;
  if (!dladdr(reinterpret_cast<void *>(lathe_compiler_create), &info) ||
      !info.dli_fname)
    return "";
  StringRef folder = llvm::sys::path::parent_path(info.dli_fname);
  for (StringRef way : {"", "../lib"}) {
    llvm::SmallString<256> path(folder);
    llvm::sys::path::append(path, way, "liblathe_rt.a");
    if (llvm::sys::fs::exists(path))
      return path.str().str();
  }
  return "";
}

/// Stages are no C strings.
static void tellStage(const lathe_compiler &compiler, StringRef stage) {
  compiler.progress(compiler.user, stage.str().c_str());
}

static lathe_compiler_status compile(lathe_compiler *compiler,
                                     CompileOptions options) {
  compiler->diagnostics.clear();
  compiler->text.clear();
  if (std::string wrong = findWrongOption(options); !wrong.empty())
    return complain(compiler, wrong);
  llvm::raw_string_ostream os(compiler->text);
  options.onDiagnostic = [&](const UserDiagnostic &diag) {
    compiler->diagnostics.push_back(diag);
    printDiagnostic(diag, os);
  };
  if (compiler->progress)
    options.onStage = [&](StringRef stage) { tellStage(*compiler, stage); };
  if (options.runtimeLibrary.empty())
    options.runtimeLibrary = findRuntimeLibrary();
  // A compilation uses all processors by itself, and the linker resets the
  // options of LLVM, which all share.
  static std::mutex mutex;
  std::lock_guard<std::mutex> lock(mutex);
  bool isDone = succeeded(compileModel(options, os));
#ifdef __GLIBC__
  // The freed memory of a large model otherwise stays with this process.
  malloc_trim(0);
#endif
  return isDone ? LATHE_COMPILER_OK : LATHE_COMPILER_FAILED;
}

lathe_compiler_status lathe_compiler_compile_file(lathe_compiler *compiler,
                                                  const char *model,
                                                  const char *output) {
  if (!compiler)
    return LATHE_COMPILER_WRONG_USAGE;
  if (!model || !output || !*output)
    return complain(compiler, "expected paths of a model and an output, got "
                              "NULL or an empty one");
  CompileOptions options = compiler->options;
  options.input = model;
  options.output = output;
  return compile(compiler, std::move(options));
}

lathe_compiler_status lathe_compiler_compile_bytes(lathe_compiler *compiler,
                                                   const void *bytes,
                                                   size_t size,
                                                   const char *name,
                                                   const char *output) {
  if (!compiler)
    return LATHE_COMPILER_WRONG_USAGE;
  if (!bytes || !size || !name || !output || !*output)
    return complain(compiler,
                    "expected the bytes of a model, its name and the path of "
                    "an output, got NULL or an empty one");
  CompileOptions options = compiler->options;
  options.input = name;
  options.bytes = {static_cast<const char *>(bytes), size};
  options.output = output;
  return compile(compiler, std::move(options));
}

//===----------------------------------------------------------------------===//
// What the latest call said
//===----------------------------------------------------------------------===//

int32_t lathe_compiler_num_diagnostics(const lathe_compiler *compiler) {
  return compiler ? static_cast<int32_t>(compiler->diagnostics.size()) : 0;
}

lathe_compiler_status
lathe_compiler_get_diagnostic(const lathe_compiler *compiler, int32_t index,
                              lathe_diagnostic *diag) {
  if (!diag || index < 0 || index >= lathe_compiler_num_diagnostics(compiler))
    return LATHE_COMPILER_WRONG_USAGE;
  const UserDiagnostic &found = compiler->diagnostics[index];
  diag->severity = found.severity == Severity::Error ? LATHE_SEVERITY_ERROR
                   : found.severity == Severity::Warning
                       ? LATHE_SEVERITY_WARNING
                       : LATHE_SEVERITY_NOTE;
  diag->file = found.file.c_str();
  diag->node = found.node.c_str();
  diag->op = found.op.c_str();
  diag->message = found.message.c_str();
  return LATHE_COMPILER_OK;
}

const char *lathe_compiler_text(const lathe_compiler *compiler) {
  return compiler ? compiler->text.c_str() : "";
}
