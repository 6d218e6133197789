// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// `lathe compile`.

#include "Commands.h"

#include "lathe/Pipeline/Compile.h"
#include "lathe/Pipeline/Pipeline.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/Process.h"
#include "llvm/Support/raw_ostream.h"

using namespace lathe::driver;
using namespace llvm;

cl::SubCommand &lathe::driver::getCompileCommand() {
  static cl::SubCommand command("compile", "Compile a model into native code");
  return command;
}

static cl::OptionCategory compileCategory("Compile options");

#define LATHE_COMPILE cl::sub(getCompileCommand()), cl::cat(compileCategory)

static cl::opt<std::string> input(cl::Positional, cl::desc("MODEL.onnx"),
                                  LATHE_COMPILE);
static cl::opt<std::string> output(
    "o", cl::value_desc("file"),
    cl::desc("What to write; the suffix picks the kind: .so .o .a .ll .s "
             ".mlir (a .h is written beside .so, .o and .a)"),
    LATHE_COMPILE);
static cl::opt<std::string> target("target", cl::init("cpu"),
                                   cl::value_desc("cpu"),
                                   cl::desc("What to generate code for"),
                                   LATHE_COMPILE);
static cl::opt<std::string>
    cpu("cpu", cl::init("native"), cl::value_desc("name"),
        cl::desc("Processor: native, x86-64-v3, x86-64-v4, sapphirerapids, "
                 "cortex-a76, ... (default native)"),
        LATHE_COMPILE);
static cl::list<std::string>
    shapes("shape", cl::value_desc("input:1x3x224x224"),
           cl::desc("Shape of an input; symbolic dimensions stay symbolic "
                    "without it"),
           LATHE_COMPILE);
static cl::list<std::string> dims("dim", cl::value_desc("name:size"),
                                  cl::desc("Size of a symbolic dimension"),
                                  LATHE_COMPILE);
static cl::opt<std::string> fusion("fusion", cl::init("all"),
                                   cl::value_desc("all|none|NAME,-NAME"),
                                   cl::desc("What may be fused (default all)"),
                                   LATHE_COMPILE);
static cl::opt<bool> showFusions("list-fusions",
                                 cl::desc("List the names for --fusion"),
                                 LATHE_COMPILE);
static cl::opt<std::string> layout("layout", cl::init("auto"),
                                   cl::value_desc("auto|none"),
                                   cl::desc("Choice of layouts (default auto)"),
                                   LATHE_COMPILE);
static cl::opt<std::string>
    memoryPlan("memory-plan", cl::init("search"),
               cl::value_desc("search|greedy|none"),
               cl::desc("Placement of values in the arena (default search)"),
               LATHE_COMPILE);
static cl::opt<std::string>
    precision("precision", cl::init("strict"), cl::value_desc("strict"),
              cl::desc("Arithmetic that may change results (default strict: "
                       "none)"),
              LATHE_COMPILE);
static cl::opt<std::string> name(
    "name", cl::value_desc("prefix"),
    cl::desc("Prefix of the artifact's symbols (default: the file's name)"),
    LATHE_COMPILE);
static cl::opt<std::string>
    weights("weights", cl::init("embed"), cl::value_desc("embed|file"),
            cl::desc("Where weights go: into the artifact or PREFIX.weights "
                     "beside it (default embed)"),
            LATHE_COMPILE);
static cl::opt<unsigned> optLevel("O", cl::Prefix, cl::init(3),
                                  cl::value_desc("0..3"),
                                  cl::desc("Effort of LLVM (default 3)"),
                                  LATHE_COMPILE);
static cl::opt<unsigned> jobs("j", cl::Prefix, cl::init(0), cl::value_desc("n"),
                              cl::desc("Threads that compile (default: all)"),
                              LATHE_COMPILE);
static cl::opt<bool>
    timing("timing", cl::desc("Print where the time went, and the memory"),
           LATHE_COMPILE);
static cl::opt<std::string>
    progress("progress", cl::init("auto"), cl::value_desc("auto|off"),
             cl::desc("Print the stages to a terminal (default auto)"),
             LATHE_COMPILE);
static cl::opt<std::string>
    printIRAfter("print-ir-after", cl::value_desc("pass"),
                 cl::desc("Print the IR after a pass, or after 'all'"),
                 LATHE_COMPILE);

/// Reports wrong usage.
static int complain(const Twine &message) {
  errs() << "lathe compile: " << message << '\n';
  return WrongUsage;
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

  lathe::CompileOptions options;
  options.input = input;
  options.output = output;
  options.target = target;
  options.cpu = cpu;
  options.fusion = fusion;
  options.layout = layout;
  options.memoryPlan = memoryPlan;
  options.precision = precision;
  options.name = name;
  options.weights = weights;
  options.optLevel = optLevel;
  options.jobs = jobs;
  options.timing = timing;
  options.progress =
      progress == "auto" && sys::Process::StandardErrIsDisplayed();
  options.printIRAfter = printIRAfter;
  for (StringRef entry : shapes) {
    auto [inputName, text] = entry.rsplit(':');
    SmallVector<StringRef> parts;
    text.split(parts, 'x');
    std::vector<int64_t> shape;
    for (StringRef part : parts) {
      int64_t size;
      if (inputName.empty() || part.getAsInteger(10, size) || size < 0)
        return complain("expected --shape=INPUT:1x3x224x224, got '" + entry +
                        "'");
      shape.push_back(size);
    }
    options.shapes.push_back({inputName.str(), std::move(shape)});
  }
  for (StringRef entry : dims) {
    auto [dim, text] = entry.rsplit(':');
    int64_t size;
    if (dim.empty() || text.getAsInteger(10, size) || size < 0)
      return complain("expected --dim=NAME:SIZE, got '" + entry + "'");
    options.dims.push_back({dim.str(), size});
  }
  if (std::string wrong = lathe::findWrongOption(options); !wrong.empty())
    return complain(wrong);
  return succeeded(lathe::compileModel(options, errs())) ? Success : Failure;
}
