// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Describes a lowered program. Every access to memory is listed with the place
// it goes to, so that the plan can be checked by who knows nothing of it.

#include "lathe/Pipeline/Inspect.h"

#include "SizeExpr.h"
#include "lathe/Import/Import.h"
#include "lathe/Transforms/Fusion/ProgramOps.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Interfaces/LoopLikeInterface.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace lathe;
namespace json = llvm::json;

namespace {
class Describer {
public:
  Describer(ModuleOp module, func::FuncOp main, json::Object &report)
      : module(module), main(main), report(report) {}
  void run();

private:
  /// Where a tensor lies: one place, or several that a loop swaps.
  struct Place {
    StringRef storage; ///< arena, input, output or weight.
    int64_t index;
  };
  void describeSignature();
  void describeArena();
  void describeWeights();
  void describeFusions();
  void findShared();
  json::Object describeLaunch(LaunchOp launch);
  SmallVector<Place> getPlaces(Value value);
  SmallVector<Place> getPlaces(Operation *op, unsigned result);
  json::Object describeAccess(Value value);
  json::Value getSize(std::optional<AffineExpr> expr);
  json::Value getSize(LaunchOp launch, StringRef attr, unsigned result,
                      int64_t otherwise);
  json::Value getBytes(Value value);
  json::Object describeTensor(Value value, StringAttr name, Attribute original,
                              ArrayAttr dims);

  ModuleOp module;
  func::FuncOp main;
  json::Object &report;
  SizeExprs sizes;
  ArrayRef<int64_t> offsets;
  DenseMap<Value, int64_t> values;
  DenseSet<int64_t> shared; ///< Slots that control flow passes on.
  llvm::MapVector<std::pair<Attribute, Attribute>, WeightOp> weights;
};
} // namespace

static Value getRoot(Value value) {
  value = getStorageRoot(value);
  while (auto insert = value.getDefiningOp<InsertOp>())
    value = getStorageRoot(insert.getDest());
  return value;
}

/// A number, or text over the names of the program's symbols.
json::Value Describer::getSize(std::optional<AffineExpr> expr) {
  if (!expr)
    return "?";
  if (auto constant = dyn_cast<AffineConstantExpr>(*expr))
    return constant.getValue();
  if (auto symbol = dyn_cast<AffineSymbolExpr>(*expr))
    return json::fixUTF8(sizes.symbols[symbol.getPosition()]);
  auto binary = cast<AffineBinaryOpExpr>(*expr);
  StringRef op = "+";
  switch (binary.getKind()) {
  case AffineExprKind::Mul:
    op = "*";
    break;
  case AffineExprKind::Mod:
    op = "mod";
    break;
  case AffineExprKind::FloorDiv:
    op = "floordiv";
    break;
  case AffineExprKind::CeilDiv:
    op = "ceildiv";
    break;
  default:
    break;
  }
  auto print = [&](AffineExpr side) {
    json::Value value = getSize(side);
    std::string text;
    if (std::optional<int64_t> number = value.getAsInteger())
      text = std::to_string(*number);
    else
      text = value.getAsString()->str();
    return isa<AffineBinaryOpExpr>(side) ? "(" + text + ")" : text;
  };
  return print(binary.getLHS()) + " " + op.str() + " " + print(binary.getRHS());
}

json::Value Describer::getSize(LaunchOp launch, StringRef attr, unsigned result,
                               int64_t otherwise) {
  auto kernel = module.lookupSymbol<KernelOp>(launch.getKernel());
  auto map = kernel->getAttrOfType<AffineMapAttr>(attr);
  if (!map)
    return otherwise;
  return getSize(sizes.get(launch, map.getValue().getResult(result)));
}

json::Value Describer::getBytes(Value value) {
  auto type = cast<RankedTensorType>(value.getType());
  AffineExpr bytes = getAffineConstantExpr(
      llvm::divideCeil(type.getElementTypeBitWidth(), 8), main.getContext());
  OpBuilder builder(main.getContext());
  FailureOr<SmallVector<Value>> dims = getDynamicDims(builder, value);
  if (failed(dims))
    return "?";
  for (int64_t dim : type.getShape())
    if (!ShapedType::isDynamic(dim))
      bytes = bytes * dim;
  for (Value dim : *dims) {
    std::optional<AffineExpr> expr = sizes.get(dim);
    if (!expr)
      return "?";
    bytes = bytes * *expr;
  }
  return getSize(bytes);
}

//===----------------------------------------------------------------------===//
// Storage
//===----------------------------------------------------------------------===//

/// Where result `result` of `op` lies, by the attributes of memory planning.
SmallVector<Describer::Place> Describer::getPlaces(Operation *op,
                                                   unsigned result) {
  SmallVector<Place> places;
  if (auto storage = op->getAttrOfType<ArrayAttr>(storageAttrName)) {
    if (auto slot = dyn_cast<ArenaAttr>(storage[result]))
      places.push_back({"arena", slot.getSlot()});
    else if (auto output = dyn_cast<OutputAttr>(storage[result]))
      places.push_back({"output", output.getIndex()});
  }
  // Loops also use the buffer that they start from.
  if (auto loop = dyn_cast<scf::ForOp>(op))
    llvm::append_range(places, getPlaces(loop.getInitArgs()[result]));
  if (auto loop = dyn_cast<scf::WhileOp>(op))
    llvm::append_range(places, getPlaces(loop.getInits()[result]));
  if (!places.empty())
    return places;
  // What control flow around it yields lies where that says.
  SmallVector<Value> aliases = {op->getResult(result)};
  while (!aliases.empty())
    for (OpOperand &use : aliases.pop_back_val().getUses()) {
      Operation *user = use.getOwner();
      if (isa<ViewOp>(user))
        aliases.push_back(user->getResult(0));
      if (isa<scf::YieldOp>(user))
        return getPlaces(user->getParentOp(), use.getOperandNumber());
    }
  return places;
}

SmallVector<Describer::Place> Describer::getPlaces(Value value) {
  value = getRoot(value);
  if (auto weight = value.getDefiningOp<WeightOp>()) {
    auto key = std::pair<Attribute, Attribute>(weight.getValue(),
                                               weight.getRecipeAttr());
    return {{"weight", weights.find(key) - weights.begin()}};
  }
  auto arg = dyn_cast<BlockArgument>(value);
  if (!arg)
    return getPlaces(value.getDefiningOp(),
                     cast<OpResult>(value).getResultNumber());
  if (arg.getOwner() == &main.getBody().front())
    return {{"input", arg.getArgNumber()}};
  Operation *parent = arg.getOwner()->getParentOp();
  return getPlaces(parent, arg.getArgNumber() - isa<scf::ForOp>(parent));
}

/// Finds slots that several values of control flow share.
void Describer::findShared() {
  main.walk([&](Operation *op) {
    if (!isa<scf::IfOp, scf::ForOp, scf::WhileOp>(op))
      return;
    for (auto [i, result] : llvm::enumerate(op->getResults()))
      if (isa<RankedTensorType>(result.getType()))
        for (Place place : getPlaces(op, i))
          if (place.storage == "arena")
            shared.insert(place.index);
  });
}

json::Object Describer::describeAccess(Value value) {
  // Which parts of a concatenation.
  SmallVector<Value> leaves;
  Value shown = getSlicedValue(value);
  if (auto concat = shown.getDefiningOp<ConcatOp>())
    collectParts(concat, leaves);
  else if (findConcatUse(shown))
    leaves.push_back(shown);
  value = getRoot(value);
  int64_t id = values.try_emplace(value, values.size()).first->second;
  SmallVector<Place> places = getPlaces(value);
  json::Array list;
  bool isShared = false;
  for (Place place : places) {
    json::Object entry{{"storage", place.storage}, {"buffer", place.index}};
    if (place.storage == "arena" && place.index < (int64_t)offsets.size())
      entry["offset"] = offsets[place.index];
    isShared |= place.storage == "arena" && shared.contains(place.index);
    list.push_back(std::move(entry));
  }
  json::Object access{{"value", id},
                      {"bytes", getBytes(value)},
                      {"shared", isShared},
                      {"places", std::move(list)}};
  if (!leaves.empty()) {
    json::Array parts;
    for (Value part : leaves)
      parts.push_back(values.try_emplace(part, values.size()).first->second);
    access["parts"] = std::move(parts);
  }
  return access;
}

//===----------------------------------------------------------------------===//
// Parts of the report
//===----------------------------------------------------------------------===//

json::Object Describer::describeLaunch(LaunchOp launch) {
  json::Array nodes, reads, writes;
  if (launch.getNodes())
    for (StringRef node : launch.getNodes()->getAsValueRange<StringAttr>())
      nodes.push_back(json::fixUTF8(node));
  for (Value input : launch.getInputs())
    reads.push_back(describeAccess(input));
  for (Value result : launch.getResults())
    writes.push_back(describeAccess(result));
  json::Object entry{{"kernel", launch.getKernel().str()},
                     {"nodes", std::move(nodes)},
                     {"grid", getSize(launch, gridAttrName, 0, 1)},
                     {"flops", getSize(launch, costAttrName, 0, 0)},
                     {"bytes", getSize(launch, costAttrName, 1, 0)},
                     {"scratch", getSize(launch, scratchAttrName, 0, 0)},
                     {"reads", std::move(reads)},
                     {"writes", std::move(writes)}};
  auto kernel = module.lookupSymbol<KernelOp>(launch.getKernel());
  if (Attribute decisions = kernel->getAttr(decisionsAttrName)) {
    std::string text;
    llvm::raw_string_ostream os(text);
    decisions.print(os);
    entry["decisions"] = std::move(text);
  }
  if (auto apart = launch->getAttrOfType<ArrayAttr>(apartAttrName)) {
    json::Array reasons;
    for (StringRef reason : apart.getAsValueRange<StringAttr>())
      reasons.push_back(json::fixUTF8(reason));
    entry["apart"] = std::move(reasons);
  }
  if (auto sums = kernel->getAttrOfType<ArrayAttr>(sumsAttrName)) {
    json::Array kinds;
    for (StringRef kind : sums.getAsValueRange<StringAttr>())
      kinds.push_back(json::fixUTF8(kind));
    entry["sums"] = std::move(kinds);
  }
  return entry;
}

json::Object Describer::describeTensor(Value value, StringAttr name,
                                       Attribute original, ArrayAttr dims) {
  auto type = dyn_cast<RankedTensorType>(value.getType());
  if (!type) {
    // A value has a type and no shape.
    auto text = dyn_cast_or_null<StringAttr>(original);
    return json::Object{
        {"name", json::fixUTF8(name ? name.getValue() : StringRef())},
        {"type", text ? text.getValue().str() : std::string("?")}};
  }
  Type element = type.getElementType();
  if (auto shown = dyn_cast_or_null<TypeAttr>(original))
    element = cast<ShapedType>(shown.getValue()).getElementType();
  std::string elementName;
  llvm::raw_string_ostream(elementName) << element;
  OpBuilder builder(main.getContext());
  FailureOr<SmallVector<Value>> dynamic = getDynamicDims(builder, value);
  json::Array shape;
  unsigned next = 0;
  for (auto [i, dim] : llvm::enumerate(type.getShape())) {
    if (!ShapedType::isDynamic(dim))
      shape.push_back(dim);
    else if (failed(dynamic))
      shape.push_back("?");
    else
      shape.push_back(getSize(sizes.get((*dynamic)[next++])));
  }
  return json::Object{
      {"name", json::fixUTF8(name ? name.getValue() : StringRef())},
      {"type", elementName},
      {"dims", std::move(shape)}};
}

void Describer::describeSignature() {
  json::Array inputs, outputs;
  auto choose = [](Attribute value, Attribute tensor) {
    return value ? value : tensor;
  };
  for (BlockArgument arg : main.getArguments()) {
    unsigned i = arg.getArgNumber();
    inputs.push_back(
        describeTensor(arg, main.getArgAttrOfType<StringAttr>(i, nameAttrName),
                       choose(main.getArgAttr(i, valueTypeAttrName),
                              main.getArgAttr(i, "lathe.type")),
                       main.getArgAttrOfType<ArrayAttr>(i, dimsAttrName)));
  }
  Operation *ret = main.getBody().front().getTerminator();
  for (auto [i, value] : llvm::enumerate(ret->getOperands()))
    outputs.push_back(describeTensor(
        value, main.getResultAttrOfType<StringAttr>(i, nameAttrName),
        choose(main.getResultAttr(i, valueTypeAttrName),
               main.getResultAttr(i, "lathe.type")),
        {}));
  report["inputs"] = std::move(inputs);
  report["outputs"] = std::move(outputs);
  json::Object calls;
  main.walk([&](CallOp call) {
    std::string function = call.getFunction().str();
    int64_t count = calls.getInteger(function).value_or(0);
    calls[function] = count + 1;
  });
  if (!calls.empty())
    report["calls"] = std::move(calls);
}

void Describer::describeArena() {
  json::Array buffers;
  auto lives = main->getAttrOfType<ArrayAttr>(slotsAttrName);
  for (size_t i = 0, e = lives ? lives.size() : 0; i < e; ++i) {
    auto life = cast<DenseI64ArrayAttr>(lives[i]);
    json::Object buffer{{"first", life[0]}, {"last", life[1]}};
    if (i < offsets.size())
      buffer["offset"] = offsets[i];
    buffers.push_back(std::move(buffer));
  }
  json::Object arena{{"buffers", std::move(buffers)}};
  if (auto bytes = main->getAttrOfType<IntegerAttr>(arenaBytesAttrName))
    arena["bytes"] = bytes.getInt();
  if (auto bound = main->getAttrOfType<IntegerAttr>(arenaBoundAttrName))
    arena["bound"] = bound.getInt();
  report["arena"] = std::move(arena);
}

void Describer::describeWeights() {
  int64_t bytes = 0;
  for (auto &[key, weight] : weights) {
    auto type = cast<RankedTensorType>(weight.getType());
    bytes += type.getNumElements() *
             llvm::divideCeil(type.getElementTypeBitWidth(), 8);
  }
  report["weights"] =
      json::Object{{"count", (int64_t)weights.size()}, {"bytes", bytes}};
}

void Describer::describeFusions() {
  json::Object fusions;
  for (const FusionSaving &saving : getFusionSavings(module)) {
    // Symbols are numbered as that function met them.
    SizeExprs named;
    named.symbols = saving.symbols;
    std::swap(sizes.symbols, named.symbols);
    fusions[saving.kind] =
        json::Object{{"count", saving.count}, {"bytes", getSize(saving.bytes)}};
    std::swap(sizes.symbols, named.symbols);
  }
  report["fusions"] = std::move(fusions);
}

void Describer::run() {
  if (auto planned = main->getAttrOfType<DenseI64ArrayAttr>(offsetsAttrName))
    offsets = planned.asArrayRef();
  main.walk([&](WeightOp op) {
    weights.insert({{op.getValue(), op.getRecipeAttr()}, op});
  });
  findShared();
  describeSignature();
  // Everything that touches memory, in program order; loops by number.
  json::Array steps;
  llvm::StringSet<> kernels;
  DenseMap<Operation *, int64_t> loops;
  main.walk<WalkOrder::PreOrder>([&](Operation *op) {
    json::Object step;
    if (auto launch = dyn_cast<LaunchOp>(op)) {
      kernels.insert(launch.getKernel());
      step = describeLaunch(launch);
    } else if (auto insert = dyn_cast<InsertOp>(op)) {
      step["reads"] = json::Array{describeAccess(insert.getSource())};
      step["writes"] = json::Array{describeAccess(insert.getDest())};
    } else if (auto extract = dyn_cast<tensor::ExtractOp>(op)) {
      step["reads"] = json::Array{describeAccess(extract.getTensor())};
    } else {
      return;
    }
    json::Array around;
    for (Operation *parent = op->getParentOp(); parent != main;
         parent = parent->getParentOp())
      if (isa<LoopLikeOpInterface>(parent))
        around.insert(around.begin(),
                      loops.try_emplace(parent, loops.size()).first->second);
    if (!around.empty())
      step["loops"] = std::move(around);
    steps.push_back(std::move(step));
  });
  report["kernels"] = (int64_t)kernels.size();
  report["steps"] = std::move(steps);
  describeArena();
  describeWeights();
  describeFusions();
}

//===----------------------------------------------------------------------===//
// The model
//===----------------------------------------------------------------------===//

static void addSummary(const ModelSummary &summary, json::Object &report) {
  json::Object opsets;
  for (const auto &[domain, version] : summary.opsets)
    opsets[json::fixUTF8(domain)] = version;
  json::Array operators;
  for (const auto &[name, count] : summary.operators)
    operators.push_back(json::Object{{"domain", json::fixUTF8(name.first)},
                                     {"operator", json::fixUTF8(name.second)},
                                     {"count", count}});
  report["ir_version"] = summary.irVersion;
  report["producer"] = json::fixUTF8(summary.producer);
  report["opsets"] = std::move(opsets);
  report["operators"] = std::move(operators);
}

LogicalResult lathe::inspectModel(const CompileOptions &options,
                                  json::Object &report,
                                  llvm::raw_ostream &errs) {
  ModelSummary summary;
  std::string messages;
  llvm::raw_string_ostream os(messages);
  LogicalResult lowered =
      lowerModel(options, os, summary, [&](ModuleOp module) -> LogicalResult {
        auto main = module.lookupSymbol<func::FuncOp>("main");
        if (!main)
          return module.emitError("expects a program 'main'");
        Describer(module, main, report).run();
        return success();
      });
  if (summary.operators.empty() && failed(lowered)) {
    errs << messages;
    return failure();
  }
  report["model"] = json::fixUTF8(options.input);
  addSummary(summary, report);
  std::string error;
  if (llvm::FailureOr<std::unique_ptr<TargetInterface>> target =
          createTarget(options, error);
      succeeded(target)) {
    report["target"] = (*target)->getDescription();
    report["features"] = (*target)->getRequiredFeatures();
  }
  if (succeeded(lowered)) {
    errs << messages;
    return success();
  }
  // What is about a node goes into the report, anything else is an error.
  json::Array lines;
  SmallVector<StringRef> parts;
  StringRef(messages).split(parts, '\n', -1, /*KeepEmpty=*/false);
  for (StringRef line : parts) {
    StringRef text = line;
    if (text.consume_front(options.input))
      text.consume_front(": ");
    if (text.starts_with("node '"))
      lines.push_back(json::fixUTF8(text));
    else
      errs << line << '\n';
  }
  if (lines.empty())
    report.clear();
  else
    report["unsupported"] = std::move(lines);
  return failure();
}
