// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Compiles the kernels of a file, runs each on random data, compares the
// results with those of plain scalar loops over the same body, and prints the
// time and the share of the core's FMA peak.

#include "Peak.h"

#include "lathe/Dialect/Lathe/IR/Lathe.h"
#include "lathe/Target/CPU/CPU.h"
#include "lathe/Target/Kernel/Passes.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Linalg/Transforms/Transforms.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Support/FileUtilities.h"
#include "llvm/ExecutionEngine/Orc/LLJIT.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/InitLLVM.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/SourceMgr.h"
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <numeric>
#include <random>

using namespace mlir;
using namespace lathe;
namespace cl = llvm::cl;

static cl::opt<std::string>
    inputName(cl::Positional, cl::desc("<kernels.mlir>"), cl::init("-"));
static cl::opt<std::string> cpuName("cpu", cl::desc("Processor to compile for"),
                                    cl::init("native"));
static cl::list<int64_t> sizeValues("sizes", cl::CommaSeparated,
                                    cl::desc("Values of the kernel's sizes"));
static cl::opt<double> tolerance("tolerance", cl::init(1e-4),
                                 cl::desc("Relative error allowed"));
static cl::opt<double>
    seconds("seconds", cl::init(0.2),
            cl::desc("Time to measure each kernel; 0: once"));
static cl::opt<bool> printAssembly("print-asm", cl::desc("Print assembly"));
static cl::opt<bool> printIR("print-ir", cl::desc("Print the buffer form"));
static cl::opt<bool> printLLVM("print-llvm", cl::desc("Print LLVM IR"));
static cl::opt<bool> noReference("no-reference",
                                 cl::desc("Do not compare results"));

using Clock = std::chrono::steady_clock;
using KernelFn = int32_t (*)(const int64_t *, int64_t, int64_t, void *);

static double since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

/// Aligned memory with guard space, so that no vector load faults by accident
/// and stray stores are seen.
struct Buffer {
  explicit Buffer(size_t bytes) : bytes(bytes), data(bytes + 256, 0x5A) {}
  char *get() {
    return reinterpret_cast<char *>(
        llvm::alignTo(reinterpret_cast<uintptr_t>(data.data()), 64));
  }
  size_t bytes;
  std::vector<char> data;
};

static int64_t evaluate(KernelOp kernel, StringRef name,
                        ArrayRef<int64_t> sizes) {
  auto map = kernel->getAttrOfType<AffineMapAttr>(name);
  if (!map)
    return name == gridAttrName ? 1 : 0;
  Builder builder(kernel.getContext());
  SmallVector<AffineExpr> symbols;
  for (int64_t size : sizes)
    symbols.push_back(builder.getAffineConstantExpr(size));
  AffineExpr expr = map.getValue().getResult(0).replaceSymbols(symbols);
  return cast<AffineConstantExpr>(simplifyAffineExpr(expr, 0, 0)).getValue();
}

static int64_t countElements(KernelOp kernel, ShapedType type, Attribute dims,
                             ArrayRef<int64_t> sizes) {
  int64_t count = 1;
  unsigned next = 0;
  for (int64_t size : type.getShape())
    count *= ShapedType::isDynamic(size)
                 ? sizes[cast<DenseI64ArrayAttr>(dims)[next++]]
                 : size;
  return count;
}

static void fillRandom(Buffer &buffer, Type type, std::mt19937 &random) {
  char *data = buffer.get();
  std::uniform_real_distribution<float> floats(-1, 1);
  size_t width = std::max(1u, type.getIntOrFloatBitWidth() / 8);
  for (size_t i = 0; i + width <= buffer.bytes; i += width) {
    if (type.isF32()) {
      float value = floats(random);
      memcpy(data + i, &value, 4);
    } else if (type.isF64()) {
      double value = floats(random);
      memcpy(data + i, &value, 8);
    } else if (auto floatType = dyn_cast<FloatType>(type)) {
      llvm::APFloat value(floats(random));
      bool lost;
      value.convert(floatType.getFloatSemantics(),
                    llvm::APFloat::rmNearestTiesToEven, &lost);
      uint64_t bits = value.bitcastToAPInt().getZExtValue();
      memcpy(data + i, &bits, width);
    } else {
      // Bytes take all values, wider integers may be indices.
      int64_t value = random() % (type.isInteger(1)   ? 2
                                  : type.isInteger(8) ? 256
                                                      : 4);
      memcpy(data + i, &value, width);
    }
  }
}

static double readNumber(const char *data, Type type) {
  if (auto floatType = dyn_cast<FloatType>(type)) {
    uint64_t bits = 0;
    memcpy(&bits, data, type.getIntOrFloatBitWidth() / 8);
    llvm::APFloat value(floatType.getFloatSemantics(),
                        llvm::APInt(type.getIntOrFloatBitWidth(), bits));
    bool lost;
    value.convert(llvm::APFloat::IEEEdouble(),
                  llvm::APFloat::rmNearestTiesToEven, &lost);
    return value.convertToDouble();
  }
  int64_t value = 0;
  unsigned width = std::max(1u, type.getIntOrFloatBitWidth() / 8);
  memcpy(&value, data, width);
  return llvm::SignExtend64(value, 8 * width);
}

static FailureOr<KernelFn> load(llvm::orc::LLJIT &jit, ArrayRef<char> object,
                                StringRef symbol) {
  auto memory = llvm::MemoryBuffer::getMemBufferCopy(
      StringRef(object.data(), object.size()), symbol);
  if (auto error = jit.addObjectFile(std::move(memory))) {
    llvm::errs() << toString(std::move(error)) << "\n";
    return failure();
  }
  auto address = jit.lookup(symbol);
  if (!address) {
    llvm::errs() << toString(address.takeError()) << "\n";
    return failure();
  }
  return address->toPtr<KernelFn>();
}

/// The kernel as plain scalar loops.
static FailureOr<OwningOpRef<ModuleOp>> buildReference(ModuleOp module) {
  OwningOpRef<ModuleOp> clone = module.clone();
  PassManager passes(module.getContext());
  passes.nest<KernelOp>().addPass(createSimplifyKernel());
  passes.nest<KernelOp>().addPass(createBufferizeKernel());
  if (failed(passes.run(*clone)))
    return failure();
  IRRewriter rewriter(module.getContext());
  SmallVector<linalg::LinalgOp> ops;
  clone->walk([&](linalg::LinalgOp op) { ops.push_back(op); });
  for (linalg::LinalgOp op : ops) {
    rewriter.setInsertionPoint(op);
    if (failed(linalg::linalgOpToLoops(rewriter, op)))
      return failure();
    rewriter.eraseOp(op);
  }
  return clone;
}

static double countFlops(KernelOp kernel, ArrayRef<int64_t> sizes) {
  double flops = 0;
  kernel.walk([&](linalg::LinalgOp op) {
    if (!op.getNumReductionLoops() || op.getNumDpsInputs() < 2)
      return;
    double points = 2;
    for (int64_t range : op.getStaticLoopRanges())
      points *=
          ShapedType::isDynamic(range) ? (sizes.empty() ? 1 : sizes[0]) : range;
    flops += points;
  });
  return flops;
}

static LogicalResult runKernel(KernelOp original, KernelOp kernel,
                               KernelOp reference, const cpu::Target &target,
                               double peak) {
  auto start = Clock::now();
  FailureOr<SmallVector<char, 0>> object =
      cpu::emitKernel(kernel, target, "kernel");
  if (failed(object))
    return failure();
  double emitSeconds = since(start);
  for (auto [wanted, output] :
       {std::pair(bool(printLLVM), cpu::Output::LLVMIR),
        std::pair(bool(printAssembly), cpu::Output::Assembly)})
    if (wanted) {
      auto text = cpu::emitKernel(kernel, target, "kernel", output);
      llvm::outs() << StringRef(text->data(), text->size());
    }
  auto jit = llvm::orc::LLJITBuilder().create();
  auto referenceJit = llvm::orc::LLJITBuilder().create();
  if (!jit || !referenceJit)
    return kernel.emitError("expected a JIT for this machine");
  FailureOr<KernelFn> function = load(**jit, *object, "kernel");
  if (failed(function))
    return failure();

  SmallVector<int64_t> sizes(sizeValues.begin(), sizeValues.end());
  if (sizes.size() < kernel.getSizes().size())
    return kernel.emitError("expected --sizes with ")
           << kernel.getSizes().size() << " values";
  sizes.resize(kernel.getSizes().size());
  std::mt19937 random(7);
  std::vector<std::unique_ptr<Buffer>> buffers, expected;
  SmallVector<int64_t> args, referenceArgs;
  double bytes = 0;
  for (unsigned i = 0; i < kernel.getNumInputs() + kernel.getNumOutputs();
       ++i) {
    auto type = cast<ShapedType>(kernel.getBlock().getArgument(i).getType());
    bool isInput = i < kernel.getNumInputs();
    Attribute dims = isInput
                         ? kernel.getInputDims()[i]
                         : kernel.getResultDims()[i - kernel.getNumInputs()];
    size_t count = countElements(kernel, type, dims, sizes);
    size_t size = count * std::max(1u, type.getElementTypeBitWidth() / 8);
    bytes += size;
    buffers.push_back(std::make_unique<Buffer>(size));
    args.push_back(reinterpret_cast<int64_t>(buffers.back()->get()));
    if (isInput) {
      fillRandom(*buffers.back(), type.getElementType(), random);
      referenceArgs.push_back(args.back());
      continue;
    }
    expected.push_back(std::make_unique<Buffer>(size));
    referenceArgs.push_back(reinterpret_cast<int64_t>(expected.back()->get()));
  }
  args.append(sizes);
  referenceArgs.append(sizes);
  int64_t tiles = evaluate(kernel, gridAttrName, sizes);
  Buffer scratch(evaluate(kernel, scratchAttrName, sizes));
  // Two calls, as two threads would make.
  (*function)(args.data(), 0, tiles / 2, scratch.get());
  (*function)(args.data(), tiles / 2, tiles, scratch.get());

  double worst = 0;
  if (!noReference) {
    FailureOr<SmallVector<char, 0>> plain =
        cpu::emitKernel(reference, target, "reference");
    if (failed(plain))
      return failure();
    FailureOr<KernelFn> referenceFunction =
        load(**referenceJit, *plain, "reference");
    if (failed(referenceFunction))
      return failure();
    Buffer referenceScratch(evaluate(reference, scratchAttrName, sizes));
    (*referenceFunction)(referenceArgs.data(), 0, 1, referenceScratch.get());
    for (unsigned i = 0; i < kernel.getNumOutputs(); ++i) {
      Type type = kernel.getResultType(i).getElementType();
      unsigned width = std::max(1u, type.getIntOrFloatBitWidth() / 8);
      Buffer &got = *buffers[kernel.getNumInputs() + i], &want = *expected[i];
      double scale = 1e-30, error = 0;
      for (size_t at = 0; at < got.bytes; at += width) {
        double a = readNumber(got.get() + at, type);
        double b = readNumber(want.get() + at, type);
        scale = std::max(scale, std::isfinite(b) ? std::abs(b) : 0);
        if (!(a == b) && !(std::isnan(a) && std::isnan(b)))
          error =
              std::max(error, std::isnan(a - b) ? HUGE_VAL : std::abs(a - b));
      }
      worst = std::max(worst, error / scale);
      for (size_t at = got.bytes; at < got.bytes + 64; ++at)
        if (got.get()[at] != 0x5A)
          return kernel.emitError("expected stores inside output ") << i;
    }
  }

  // Few tiles run undisturbed where other programs run, too: the best time of
  // each group of them, in order, so that caches hold what they would.
  int64_t groups = std::min<int64_t>(tiles, 64);
  SmallVector<double> shares(groups, 1e30);
  auto begin = Clock::now();
  for (int i = 0; i < 3 || since(begin) < seconds; ++i) {
    for (int64_t group = 0; group < groups; ++group) {
      auto now = Clock::now();
      (*function)(args.data(), group *tiles / groups,
                  (group + 1) * tiles / groups, scratch.get());
      shares[group] = std::min(shares[group], since(now));
    }
    if (seconds == 0)
      break;
  }
  double best = std::accumulate(shares.begin(), shares.end(), 0.0);
  double flops = countFlops(original, sizes);
  llvm::outs() << llvm::format("%-28s", kernel.getSymName().str().c_str())
               << (worst <= tolerance ? "ok  " : "BAD ")
               << llvm::format("error %.1e  tiles %4lld  %9.1f us", worst,
                               (long long)tiles, best * 1e6)
               << llvm::format("  %6.1f GFLOP/s (%3.0f%%)  %5.1f GB/s",
                               flops / best / 1e9,
                               peak > 0 ? 100 * flops / best / peak : 0.0,
                               bytes / best / 1e9)
               << llvm::format("  scratch %lld  emit %.0f ms\n",
                               (long long)scratch.bytes, emitSeconds * 1e3);
  return success(worst <= tolerance);
}

int main(int argc, char **argv) {
  llvm::InitLLVM init(argc, argv);
  cl::ParseCommandLineOptions(argc, argv, "runs and times kernels\n");
  std::string error;
  FailureOr<cpu::Target> target = cpu::parseTarget(cpuName, error);
  if (failed(target)) {
    llvm::errs() << error << "\n";
    return 2;
  }
  DialectRegistry registry;
  cpu::registerDialects(registry);
  MLIRContext context(registry);
  context.loadAllAvailableDialects();
  llvm::SourceMgr sources;
  auto file = openInputFile(inputName, &error);
  if (!file) {
    llvm::errs() << error << "\n";
    return 2;
  }
  sources.AddNewSourceBuffer(std::move(file), llvm::SMLoc());
  SourceMgrDiagnosticHandler handler(sources, &context);
  OwningOpRef<ModuleOp> module = parseSourceFile<ModuleOp>(sources, &context);
  if (!module)
    return 1;
  OwningOpRef<ModuleOp> compiled = module->clone();
  PassManager passes(&context);
  cpu::buildKernelPipeline(passes.nest<KernelOp>(), *target);
  auto start = Clock::now();
  if (failed(passes.run(*compiled)))
    return 1;
  double passSeconds = since(start);
  if (printIR)
    compiled->print(llvm::outs());
  FailureOr<OwningOpRef<ModuleOp>> reference = failure();
  if (!noReference) {
    reference = buildReference(*module);
    if (failed(reference))
      return 1;
  }
  double peak = seconds > 0 ? measurePeak() : 0;
  llvm::outs() << llvm::format("peak %.1f GFLOP/s, passes %.0f ms\n",
                               peak / 1e9, passSeconds * 1e3);
  bool ok = true;
  for (auto kernel : compiled->getOps<KernelOp>()) {
    auto original = module->lookupSymbol<KernelOp>(kernel.getSymName());
    KernelOp plain =
        noReference ? KernelOp()
                    : (*reference)->lookupSymbol<KernelOp>(kernel.getSymName());
    ok &= succeeded(runKernel(original, kernel, plain, *target, peak));
  }
  return ok ? 0 : 1;
}
