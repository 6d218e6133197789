// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Constants are computed by the code that would compute them when the model
// runs: objects and the runtime, as in an artifact, but linked into this
// process. The weights lie in memory that has a path.

#include "lathe/Pipeline/Evaluate.h"

#include "lathe-rt/lathe.h"
#include "lathe/Pipeline/Artifact.h"
#include "lathe/Pipeline/Compile.h"
#include "lathe/Pipeline/Pipeline.h"
#include "lathe/Pipeline/Register.h"
#include "lathe/Target/Target.h"

#include "mlir/IR/AsmState.h"
#include "mlir/IR/DialectResourceBlobManager.h"
#include "mlir/IR/Threading.h"
#include "mlir/Pass/PassManager.h"
#include "llvm/ExecutionEngine/Orc/ExecutionUtils.h"
#include "llvm/ExecutionEngine/Orc/LLJIT.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/TargetParser/Host.h"
#include "llvm/TargetParser/Triple.h"

#include <sys/mman.h>
#include <unistd.h>

using namespace mlir;
using namespace lathe;

/// Names of the library's symbols begin with this.
static constexpr llvm::StringLiteral prefix = "constants";

/// Floating-point operations that are worth spending on constants: some
/// seconds on one core.
static constexpr int64_t maxFlops = 200'000'000'000;

/// Bytes of intermediate values that are worth having for constants.
static constexpr int64_t maxArenaBytes = int64_t(1) << 30;

/// Up to this many bytes constants are `dense` (docs/Architecture.md).
static constexpr int64_t maxDenseBytes = 1024;

namespace {
/// A library on its way into the process, and what it leaves behind.
class HostProgram {
public:
  explicit HostProgram(ModuleOp module) : module(module) {}
  ~HostProgram();

  /// Failure where a level refuses the module; says so as that level does.
  LogicalResult lower(const TargetInterface &target);
  bool isTooMuch() const;
  llvm::Error link(StringRef runtimeLibrary);
  llvm::Error run(SmallVectorImpl<ElementsAttr> &results);

private:
  llvm::Error saveWeights();

  ModuleOp module;
  OwningOpRef<ModuleOp> program;
  ProgramTables tables;
  SmallVector<TargetInterface::Bytes> kernels;
  TargetInterface::Bytes code;
  int weights = -1; ///< File descriptor.
  std::unique_ptr<llvm::orc::LLJIT> jit;
  lathe_context *context = nullptr;
};
} // namespace

HostProgram::~HostProgram() {
  lathe_context_destroy(context);
  if (weights >= 0)
    close(weights);
}

LogicalResult HostProgram::lower(const TargetInterface &target) {
  FusionOptions fusion;
  PassManager pm(module.getContext());
  buildGraphPipeline(pm, fusion);
  buildTensorPipeline(pm, fusion, getLayout(target), target.getAbilities());
  target.buildKernelPipeline(pm.nest<KernelOp>());
  buildMemoryPipeline(pm, "greedy");
  if (failed(pm.run(module)))
    return failure();
  program = lowerProgramToLLVM(module, prefix, tables);
  if (!program || isTooMuch())
    return success(static_cast<bool>(program));
  SmallVector<KernelOp> ops(module.getOps<KernelOp>());
  kernels.resize(ops.size());
  if (failed(failableParallelForEachN(
          module.getContext(), 0, ops.size(), [&](size_t i) -> LogicalResult {
            FailureOr<TargetInterface::Bytes> made = target.emitKernel(
                ops[i], getKernelSymbol(prefix, ops[i].getSymName()), ".o");
            if (succeeded(made))
              kernels[i] = std::move(*made);
            return made;
          })))
    return failure();
  TableTarget described = {
      target.getDescription(), target.getRequiredFeatures(),
      /*hasWeights=*/false,
      /*hasDevice=*/false,     prefix.str(),
      {prefix.str()}};
  FailureOr<TargetInterface::Bytes> object =
      target.emitProgram(*program, prefix, {}, [&](llvm::Module &llvmModule) {
        addTables(llvmModule, tables, described);
      });
  if (failed(object))
    return failure();
  code = std::move(*object);
  return success();
}

bool HostProgram::isTooMuch() const {
  int64_t left = maxFlops;
  for (const ProgramTables::Launch &launch : tables.launches)
    left -= std::clamp<int64_t>(launch.flops, 0, left);
  return left == 0 || tables.arenaBytes > maxArenaBytes;
}

llvm::Error HostProgram::saveWeights() {
  weights = memfd_create("lathe-constants", MFD_CLOEXEC);
  if (weights < 0)
    return llvm::createStringError("cannot make a file in memory");
  llvm::raw_fd_ostream os(weights, /*shouldClose=*/false);
  llvm::Error error = writeWeights(tables, os);
  os.flush();
  std::error_code code = os.error();
  os.clear_error();
  return code && !error ? llvm::createFileError("weights", code)
                        : std::move(error);
}

llvm::Error HostProgram::link(StringRef runtimeLibrary) {
  using namespace llvm::orc;
  llvm::Expected<std::unique_ptr<LLJIT>> made =
      LLJITBuilder().setPlatformSetUp(setUpInactivePlatform).create();
  if (!made)
    return made.takeError();
  jit = std::move(*made);
  auto runtime = StaticLibraryDefinitionGenerator::Load(
      jit->getObjLinkingLayer(), runtimeLibrary.str().c_str());
  if (!runtime)
    return runtime.takeError();
  jit->getMainJITDylib().addGenerator(std::move(*runtime));
  auto add = [&](const TargetInterface::Bytes &object,
                 const llvm::Twine &name) {
    return jit->addObjectFile(llvm::MemoryBuffer::getMemBuffer(
        StringRef(object.data(), object.size()), name.str(),
        /*RequiresNullTerminator=*/false));
  };
  for (auto [i, kernel] : llvm::enumerate(kernels))
    if (llvm::Error error = add(kernel, "kernel" + llvm::Twine(i)))
      return error;
  return add(code, "program");
}

/// Bytes as the value of a constant: one element where all are equal.
static ElementsAttr makeConstant(RankedTensorType type, AsmResourceBlob blob) {
  ArrayRef<char> bytes = blob.getData();
  Type element = type.getElementType();
  size_t size = getElementBytes(element);
  // Each byte equals the one an element before it.
  bool isSplat =
      bytes.size() >= size &&
      !memcmp(bytes.data(), bytes.data() + size, bytes.size() - size);
  if (!isSplat && (int64_t)bytes.size() > maxDenseBytes)
    return DenseResourceElementsAttr::get(type, "folded", std::move(blob));
  if (element.isInteger(1)) {
    SmallVector<bool> bools(bytes.begin(), bytes.end());
    return DenseElementsAttr::get(type, isSplat ? ArrayRef(bools).take_front(1)
                                                : ArrayRef(bools));
  }
  return DenseElementsAttr::getFromRawBuffer(
      type, isSplat ? bytes.take_front(size) : bytes);
}

llvm::Error HostProgram::run(SmallVectorImpl<ElementsAttr> &results) {
  if (llvm::Error error = saveWeights())
    return error;
  llvm::Expected<llvm::orc::ExecutorAddr> entry =
      jit->lookup((prefix + "_lathe_model").str());
  if (!entry)
    return entry.takeError();
  const lathe_model *model = entry->toPtr<const lathe_model *()>()();
  char message[1024] = "cannot create a context";
  std::string weightsPath = "/proc/self/fd/" + std::to_string(weights);
  lathe_options options = LATHE_OPTIONS_INIT;
  options.weights_path = weightsPath.c_str();
  options.message = message;
  options.message_bytes = sizeof(message);
  if (lathe_context_create(model, &options, &context))
    return llvm::createStringError(llvm::Twine(message));

  SmallVector<RankedTensorType> types;
  for (const ProgramTables::Tensor &output : tables.outputs)
    types.push_back(RankedTensorType::get(output.dims, output.elementType));
  SmallVector<AsmResourceBlob> blobs;
  SmallVector<DLTensor> outputs;
  for (auto [i, type] : llvm::enumerate(types)) {
    int64_t bytes =
        type.getNumElements() * getElementBytes(type.getElementType());
    blobs.push_back(HeapAsmResourceBlob::allocate(bytes, 64,
                                                  /*dataIsMutable=*/true));
    lathe_tensor_info info;
    lathe_model_get_output(model, i, &info);
    DLTensor &output = outputs.emplace_back();
    output = {};
    output.data = blobs.back().getMutableData().data();
    output.device = {kDLCPU, 0};
    output.dtype = info.dtype;
    output.ndim = type.getRank();
    // A tensor without a shape would ask the runtime to make it.
    static int64_t none;
    output.shape =
        type.getRank() ? const_cast<int64_t *>(type.getShape().data()) : &none;
  }
  if (lathe_run(context, nullptr, outputs.data()))
    return llvm::createStringError(llvm::Twine(lathe_context_message(context)));
  for (auto [type, blob] : llvm::zip_equal(types, blobs))
    results.push_back(makeConstant(type, std::move(blob)));
  return llvm::Error::success();
}

/// A processor that all machines of this one's kind are at least, in practice;
/// empty where we know none.
static StringRef getBaseline() {
  llvm::Triple triple(llvm::sys::getProcessTriple());
  if (triple.isAArch64())
    return "generic";
  if (triple.getArch() != llvm::Triple::x86_64)
    return "";
  llvm::StringMap<bool> features = llvm::sys::getHostCPUFeatures();
  for (StringRef feature :
       {"avx2", "bmi", "bmi2", "f16c", "fma", "lzcnt", "movbe"})
    if (!features.lookup(feature))
      return "";
  return "x86-64-v3";
}

static ConstantEvaluator::Results evaluate(ModuleOp module,
                                           const std::string &runtimeLibrary) {
  SmallVector<ElementsAttr> results;
  CompileOptions options;
  options.cpu = getBaseline();
  options.optLevel = 1;
  options.runtimeLibrary = runtimeLibrary;
  if (options.cpu.empty())
    return results;
  std::string message;
  FailureOr<std::unique_ptr<TargetInterface>> target =
      createTarget(options, message);
  if (failed(target))
    return module.emitError(message);
  HostProgram program(module);
  {
    // What no level can compile is reported when the model itself gets there,
    // with all else that is unsupported.
    ScopedDiagnosticHandler quiet(module.getContext(),
                                  [](Diagnostic &) { return success(); });
    if (failed(program.lower(**target)))
      return results;
  }
  if (program.isTooMuch())
    return results;
  llvm::Error error = program.link(getRuntimeLibrary(options));
  if (!error)
    error = program.run(results);
  if (error)
    return module.emitError(llvm::toString(std::move(error)));
  return results;
}

ConstantEvaluator lathe::getHostEvaluator(std::string runtimeLibrary) {
  return {[runtimeLibrary = std::move(runtimeLibrary)](ModuleOp module) {
            return evaluate(module, runtimeLibrary);
          },
          [](DialectRegistry &registry) { registerAllDialects(registry); }};
}
