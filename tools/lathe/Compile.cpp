// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// `lathe compile`.

#include "Commands.h"
#include "CompileFlags.h"

#include "lathe/Import/Diagnostics.h"
#include "lathe/Pipeline/Compile.h"
#include "lathe/Pipeline/Pipeline.h"

#include "llvm/Support/JSON.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Process.h"
#include "llvm/Support/raw_ostream.h"

using namespace lathe::driver;
using namespace llvm;

cl::SubCommand &lathe::driver::getCompileCommand() {
  static cl::SubCommand command("compile", "Compile a model into native code");
  return command;
}

#define LATHE_COMPILE                                                          \
  cl::sub(getCompileCommand()), cl::cat(getCompileCategory())

static cl::opt<std::string>
    input(cl::Positional, cl::desc("MODEL.onnx (-: from standard input)"),
          LATHE_COMPILE);
static cl::opt<std::string> output(
    "o", cl::value_desc("file"),
    cl::desc("What to write; the suffix picks the kind: .so .o .a .ll .s "
             ".ptx .mlir (a .h is written beside .so, .o and .a)"),
    LATHE_COMPILE);
static cl::opt<bool> showFusions("list-fusions",
                                 cl::desc("List the names for --fusion"),
                                 LATHE_COMPILE);
static cl::opt<std::string>
    progress("progress", cl::init("auto"), cl::value_desc("auto|off"),
             cl::desc("Print the stages to a terminal (default auto)"),
             LATHE_COMPILE);
static cl::opt<std::string>
    diagnostics("diagnostics", cl::init("text"), cl::value_desc("text|json"),
                cl::desc("How to print diagnostics (default text); as JSON, "
                         "one object a line, also for each stage"),
                LATHE_COMPILE);

/// Reports wrong usage.
static int complain(const Twine &message) {
  errs() << "lathe compile: " << message << '\n';
  return WrongUsage;
}

static void printAsJSON(const lathe::UserDiagnostic &diag) {
  constexpr StringLiteral names[] = {"error", "warning", "note"};
  errs() << json::Value(json::Object{
                {"severity", names[static_cast<int>(diag.severity)]},
                {"file", json::fixUTF8(diag.file)},
                {"node", json::fixUTF8(diag.node)},
                {"op", json::fixUTF8(diag.op)},
                {"message", json::fixUTF8(diag.message)}})
         << '\n';
}

/// The model from standard input. Its bytes are mapped where they are a file.
static Expected<std::unique_ptr<MemoryBuffer>>
readStandardInput(lathe::CompileOptions &options) {
  options.input = "<stdin>";
  ErrorOr<std::unique_ptr<MemoryBuffer>> buffer = MemoryBuffer::getOpenFile(
      sys::fs::getStdinHandle(), options.input, /*FileSize=*/-1,
      /*RequiresNullTerminator=*/false);
  if (!buffer)
    return createStringError("<stdin>: " + buffer.getError().message());
  if ((*buffer)->getBufferSize() == 0)
    return createStringError("<stdin>: expected a model, got nothing");
  options.bytes = {(*buffer)->getBufferStart(), (*buffer)->getBufferSize()};
  return std::move(*buffer);
}

int lathe::driver::runCompile() {
  if (showFusions) {
    for (StringRef kind : lathe::listFusions())
      outs() << kind << '\n';
    return Success;
  }
  if (input.empty())
    return complain("expected MODEL.onnx, got nothing");
  if (output.empty())
    return complain("expected -o FILE, got nothing");
  if (diagnostics != "text" && diagnostics != "json")
    return complain("expected --diagnostics=text|json, got '" + diagnostics +
                    "'");

  lathe::CompileOptions options;
  options.input = input;
  options.output = output;
  options.progress =
      progress == "auto" && sys::Process::StandardErrIsDisplayed();
  if (diagnostics == "json") {
    options.progress = false;
    options.onDiagnostic = printAsJSON;
    options.onStage = [](StringRef stage) {
      errs() << json::Value(json::Object{{"stage", stage}}) << '\n';
    };
  }
  if (std::string wrong = setOptions(options, getCompileFlags());
      !wrong.empty())
    return complain(wrong);
  std::unique_ptr<MemoryBuffer> bytes;
  if (input == "-") {
    Expected<std::unique_ptr<MemoryBuffer>> read = readStandardInput(options);
    if (!read) {
      errs() << toString(read.takeError()) << '\n';
      return Failure;
    }
    bytes = std::move(*read);
  }
  return succeeded(lathe::compileModel(options, errs())) ? Success : Failure;
}
