// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "lathe/Conversion/LatheToLLVM/ProgramToLLVM.h"

#include "ProgramLowering.h"
#include "SplitFunction.h"
#include "lathe/Transforms/Fusion/ConcatParts.h"
#include "lathe/Transforms/Fusion/ProgramOps.h"

#include "mlir/Conversion/Passes.h"
#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Arith/Transforms/Passes.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Transforms/Passes.h"
#include "llvm/ADT/SmallBitVector.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace lathe;

/// Weights start at cache lines; vectors of them are loaded aligned.
static constexpr int64_t weightAlignment = 64;

std::string lathe::getKernelSymbol(StringRef prefix, StringRef kernel) {
  return (prefix + "_" + kernel).str();
}

/// Reports sizes that neither an input nor the program gives.
LogicalResult ProgramLowering::verifySymbols() {
  llvm::SmallBitVector bound(tables.symbols.size());
  for (const ProgramTables::Tensor &input : tables.inputs)
    for (TableSize dim : input.dims)
      if (dim < 0)
        bound.set(~dim);
  bool ok = true;
  sizes.setBoundAtEntry(bound);
  main.walk([&](BindOp op) { bound.set(*sizes.findSymbol(op.getName())); });
  main.walk([&](SymbolOp op) {
    if (op->use_empty() || bound.test(*sizes.findSymbol(op.getName())))
      return;
    ok = false;
    op.emitError("expects sizes that the shapes of the inputs give, got '")
        << op.getName() << "', which depends on data";
  });
  if (auto constraints = main->getAttrOfType<ArrayAttr>(constraintsAttrName))
    for (AffineMap map : constraints.getAsValueRange<AffineMapAttr>())
      for (unsigned i : getReadSymbols(map))
        if (!bound.test(i)) {
          ok = false;
          main.emitError(
              "expects conditions on sizes that the inputs give, got "
              "one on '")
              << tables.symbols[i] << "', which depends on data";
        }
  return success(ok);
}

LogicalResult ProgramLowering::collectSignature() {
  auto describe = [&](StringRef name, Type type, Attribute original) {
    ProgramTables::Tensor tensor;
    tensor.name = name.str();
    if (isa<ValueType>(type))
      return tensor;
    auto shown = dyn_cast_or_null<TypeAttr>(original);
    tensor.elementType =
        cast<ShapedType>(shown ? shown.getValue() : type).getElementType();
    return tensor;
  };
  for (BlockArgument arg : main.getArguments()) {
    auto type = dyn_cast<RankedTensorType>(arg.getType());
    if (!type && !isa<ValueType>(arg.getType()))
      return main.emitError("expects inputs that are ranked tensors, got ")
             << arg.getType();
    unsigned i = arg.getArgNumber();
    auto name = main.getArgAttrOfType<StringAttr>(i, nameAttrName);
    Attribute original = main.getArgAttr(i, "lathe.type");
    auto &input = tables.inputs.emplace_back(
        describe(name ? name.getValue() : "", arg.getType(), original));
    auto names = main.getArgAttrOfType<ArrayAttr>(i, dimsAttrName);
    if (!type) {
      auto shown = dyn_cast_or_null<TypeAttr>(original);
      if (llvm::failed(describeValue(
              input, main.getArgAttrOfType<StringAttr>(i, valueTypeAttrName),
              shown ? shown.getValue() : Type(), names)))
        return failure();
      continue;
    }
    for (auto [d, dim] : llvm::enumerate(type.getShape())) {
      if (!ShapedType::isDynamic(dim)) {
        input.dims.push_back(dim);
        input.dimNames.push_back("");
        continue;
      }
      auto dimName = names ? cast<StringAttr>(names[d]).getValue() : "";
      std::optional<unsigned> symbol = sizes.findSymbol(dimName);
      if (!symbol)
        return main.emitError("expects a symbol for dimension ")
               << d << " of input '" << input.name << "', got '" << dimName
               << "'";
      input.dims.push_back(~(int64_t)*symbol);
      input.dimNames.push_back(dimName.str());
    }
  }
  if (llvm::failed(verifySymbols()))
    return failure();
  auto ret = cast<func::ReturnOp>(main.getBody().front().getTerminator());
  for (auto [i, value] : llvm::enumerate(ret.getOperands())) {
    auto type = dyn_cast<RankedTensorType>(value.getType());
    auto name = main.getResultAttrOfType<StringAttr>(i, nameAttrName);
    Attribute original = main.getResultAttr(i, "lathe.type");
    auto &output = tables.outputs.emplace_back(
        describe(name ? name.getValue() : "", value.getType(), original));
    if (!type) {
      auto shown = dyn_cast_or_null<TypeAttr>(original);
      if (llvm::failed(describeValue(
              output,
              main.getResultAttrOfType<StringAttr>(i, valueTypeAttrName),
              shown ? shown.getValue() : Type(), {})))
        return failure();
      continue;
    }
    FailureOr<SmallVector<Value>> dynamic = getDynamicDims(builder, value);
    if (llvm::failed(dynamic))
      return ret.emitError("failed to find the sizes of result ") << i;
    unsigned next = 0;
    for (auto [d, dim] : llvm::enumerate(type.getShape())) {
      output.dimNames.push_back("");
      if (!ShapedType::isDynamic(dim)) {
        output.dims.push_back(dim);
        continue;
      }
      Value size = (*dynamic)[next++];
      output.dims.push_back(sizes.add(size));
      if (!isKnownAtEntry(size) && !getConstantIntValue(size))
        output.dataDims |= uint64_t(1) << d;
    }
  }
  return collectStates();
}

/// Fills the table of states. What grows has its axis first in the program, and
/// where the model has it in the signature.
LogicalResult ProgramLowering::collectStates() {
  auto moveBack = [](auto &list, int64_t axis) {
    std::rotate(list.begin(), list.begin() + 1, list.begin() + axis + 1);
  };
  for (unsigned i = 0; i < main.getNumArguments(); ++i) {
    auto attr = main.getArgAttrOfType<DictionaryAttr>(i, stateAttrName);
    if (!attr)
      continue;
    auto get = [&](StringRef name) {
      return attr.getAs<IntegerAttr>(name).getInt();
    };
    ProgramTables::State state = {get("input"), get("output"), get("axis"),
                                  get("max")};
    tables.states.push_back(state);
    if (tables.outputs[state.output].dataDims)
      return main.emitError("expects output '")
             << tables.outputs[state.output].name
             << "' of a state to have sizes that are known before a run, got "
                "one that depends on data";
    if (state.axis < 0)
      continue;
    for (auto *tensor :
         {&tables.inputs[state.input], &tables.outputs[state.output]}) {
      moveBack(tensor->dims, state.axis);
      moveBack(tensor->dimNames, state.axis);
    }
  }
  return success();
}

LogicalResult ProgramLowering::collectSlots() {
  auto lives = main->getAttrOfType<ArrayAttr>(slotsAttrName);
  if (!lives)
    return main.emitError("expects a program after memory planning");
  tables.slots.resize(lives.size());
  SmallVector<bool> sized(lives.size());
  for (auto [slot, life] : llvm::zip_equal(tables.slots, lives)) {
    slot.first = cast<DenseI64ArrayAttr>(life)[0];
    slot.last = cast<DenseI64ArrayAttr>(life)[1];
  }
  LogicalResult ok = success();
  main.walk([&](Operation *op) {
    auto storage = op->getAttrOfType<ArrayAttr>(storageAttrName);
    if (!storage)
      return;
    for (auto [result, where] : llvm::zip_equal(op->getResults(), storage)) {
      auto slot = dyn_cast<ArenaAttr>(where);
      if (!slot || sized[slot.getSlot()])
        continue;
      sized[slot.getSlot()] = true;
      auto type = cast<RankedTensorType>(result.getType());
      AffineExpr expr = builder.getAffineConstantExpr(getKnownBytes(type));
      OpBuilder before(op);
      FailureOr<SmallVector<Value>> dims = getBoundedDims(before, result);
      if (llvm::failed(dims)) {
        ok = op->emitError("failed to find the sizes of a result");
        return;
      }
      for (unsigned i = 0; i < dims->size(); ++i)
        expr = builder.getAffineSymbolExpr(i) * expr;
      tables.slots[slot.getSlot()].bytes = sizes.add(
          AffineMap::get(0, dims->size(), expr), *dims, op, /*result=*/0);
    }
  });
  if (auto planned = main->getAttrOfType<DenseI64ArrayAttr>(offsetsAttrName)) {
    tables.offsets = SmallVector<int64_t>(planned.asArrayRef());
    tables.arenaBytes =
        main->getAttrOfType<IntegerAttr>(arenaBytesAttrName).getInt();
  }
  return ok;
}

void ProgramLowering::collectWeights() {
  for (auto [i, weight] : llvm::enumerate(tables.weights))
    weightIds.insert(
        {{weight.op.getValue(), weight.op.getRecipeAttr()}, (unsigned)i});
  main.walk([&](WeightOp op) {
    auto key =
        std::pair<Attribute, Attribute>(op.getValue(), op.getRecipeAttr());
    auto [it, fresh] = weightIds.insert({key, tables.weights.size()});
    if (!fresh)
      return;
    auto type = cast<RankedTensorType>(op.getType());
    int64_t bytes =
        type.getNumElements() * getElementBytes(type.getElementType());
    tables.weights.push_back({op, tables.weightsBytes, bytes});
    tables.weightsBytes += llvm::alignTo(bytes, weightAlignment);
  });
}

void ProgramLowering::declare(StringRef name, Type result,
                              ArrayRef<Type> arguments) {
  LLVM::LLVMFuncOp::create(builder, main.getLoc(), name,
                           LLVM::LLVMFunctionType::get(result, arguments));
}

Value ProgramLowering::constant(int64_t value, Location loc, unsigned bits) {
  return LLVM::ConstantOp::create(builder, loc, builder.getIntegerType(bits),
                                  value);
}

Value ProgramLowering::addBytes(Value pointer, int64_t bytes, Location loc) {
  if (bytes == 0)
    return pointer;
  return LLVM::GEPOp::create(builder, loc, pointerType, builder.getI8Type(),
                             pointer, LLVM::GEPArg(constant(bytes, loc)));
}

Value ProgramLowering::loadField(FrameField field, Location loc) {
  return LLVM::LoadOp::create(builder, loc, pointerType,
                              addBytes(frame, field, loc));
}

Value ProgramLowering::loadAt(Type type, Value pointer, int64_t index,
                              Location loc) {
  return LLVM::LoadOp::create(builder, loc, type,
                              addBytes(pointer, index * 8, loc));
}

Value ProgramLowering::getSize(Value index, Location loc) {
  if (isDynamic(index))
    return arith::IndexCastOp::create(builder, loc, builder.getI64Type(),
                                      getScalar(index, loc));
  TableSize size = sizes.add(index);
  if (size >= 0)
    return constant(size, loc);
  return loadAt(builder.getI64Type(), values, ~size, loc);
}

Value ProgramLowering::addDynamicBytes(Value pointer, Value bytes,
                                       Location loc) {
  return LLVM::GEPOp::create(builder, loc, pointerType, builder.getI8Type(),
                             pointer, LLVM::GEPArg(bytes));
}

/// Where a slot or an output lies.
Value ProgramLowering::getSlotAddress(Attribute where, Location loc) {
  if (auto output = dyn_cast<OutputAttr>(where))
    return loadAt(pointerType, io, main.getNumArguments() + output.getIndex(),
                  loc);
  int64_t slot = cast<ArenaAttr>(where).getSlot();
  if (tables.offsets)
    return addBytes(arena, (*tables.offsets)[slot], loc);
  return addDynamicBytes(arena,
                         loadAt(builder.getI64Type(), offsets, slot, loc), loc);
}

Value ProgramLowering::getAddress(Value tensor, Location loc) {
  if (Value known = addresses.lookup(tensor))
    return known;
  if (auto view = tensor.getDefiningOp<ViewOp>())
    return getAddress(view.getSource(), loc);
  if (auto slice = tensor.getDefiningOp<SliceOp>()) {
    Value base = getAddress(slice.getSource(), loc);
    if (!base)
      return {};
    Value bytes = LLVM::MulOp::create(
        builder, loc, getSize(slice.getOffset(), loc),
        constant(getElementBytes(slice.getType().getElementType()), loc));
    return addDynamicBytes(base, bytes, loc);
  }
  if (auto arg = dyn_cast<BlockArgument>(tensor);
      arg && arg.getOwner() == &main.getBody().front())
    return loadAt(pointerType, io, arg.getArgNumber(), loc);
  if (auto weight = tensor.getDefiningOp<WeightOp>()) {
    unsigned id = weightIds.lookup({weight.getValue(), weight.getRecipeAttr()});
    return addBytes(weights, tables.weights[id].offset, loc);
  }
  if (OpOperand *use = findConcatUse(tensor)) {
    Value base = getAddress(use->getOwner()->getResult(0), loc);
    FailureOr<Value> offset = getPartOffset(builder, *use);
    if (!base || llvm::failed(offset))
      return {};
    auto type = cast<RankedTensorType>(tensor.getType());
    Value bytes = LLVM::MulOp::create(
        builder, loc, getSize(*offset, loc),
        constant(getElementBytes(type.getElementType()), loc));
    return addDynamicBytes(base, bytes, loc);
  }
  Operation *def = tensor.getDefiningOp();
  auto storage =
      def ? def->getAttrOfType<ArrayAttr>(storageAttrName) : ArrayAttr();
  if (!storage) {
    emitError(loc, "expects a tensor with storage, got one of ")
        << (def ? def->getName().getStringRef() : "a region's argument");
    return {};
  }
  return getSlotAddress(storage[cast<OpResult>(tensor).getResultNumber()], loc);
}

/// The number of tiles of a launch, as i64.
Value ProgramLowering::getTiles(LaunchOp launch, AffineMap grid) {
  Location loc = launch.getLoc();
  bool inTable = true;
  for (auto [i, size] : llvm::enumerate(launch.getSizes()))
    inTable &= !grid.isFunctionOfSymbol(i) || !isDynamic(size);
  if (inTable) {
    TableSize tiles = getCost(launch, grid, 0);
    return tiles >= 0 ? constant(tiles, loc)
                      : loadAt(builder.getI64Type(), values, ~tiles, loc);
  }
  SmallVector<Value> symbols;
  for (Value size : launch.getSizes())
    symbols.push_back(arith::IndexCastOp::create(
        builder, loc, builder.getIndexType(), getSize(size, loc)));
  return arith::IndexCastOp::create(
      builder, loc, builder.getI64Type(),
      expandSizeExpr(builder, loc, grid.getResult(0), {}, symbols));
}

/// A function of a launch's sizes, in the table; what is known only while the
/// program runs counts as zero.
TableSize ProgramLowering::getCost(LaunchOp launch, AffineMap map,
                                   unsigned result) {
  SmallVector<Value> known;
  SmallVector<AffineExpr> symbols;
  for (Value size : launch.getSizes()) {
    if (isDynamic(size)) {
      symbols.push_back(builder.getAffineConstantExpr(0));
      continue;
    }
    symbols.push_back(builder.getAffineSymbolExpr(known.size()));
    known.push_back(size);
  }
  AffineMap reduced = map.replaceDimsAndSymbols({}, symbols, 0, known.size());
  return sizes.add(reduced, known, launch, result);
}

LogicalResult ProgramLowering::lowerLaunch(LaunchOp launch) {
  auto kernel = kernels.lookup<KernelOp>(launch.getKernel());
  Location loc = launch.getLoc();
  SmallVector<Value> fields;
  for (Value input : launch.getInputs())
    fields.push_back(getAddress(input, loc));
  if (llvm::failed(reserveResults(launch)))
    return failure();
  for (Value result : launch.getResults())
    fields.push_back(getAddress(result, loc));
  if (llvm::is_contained(fields, Value()))
    return failure();
  for (Value size : launch.getSizes())
    fields.push_back(getSize(size, loc));
  for (auto [i, field] : llvm::enumerate(fields))
    LLVM::StoreOp::create(builder, loc, field, addBytes(args, i * 8, loc));

  auto getMap = [&](StringRef name, unsigned results) {
    auto attr = kernel->getAttrOfType<AffineMapAttr>(name);
    return attr ? attr.getValue()
                : AffineMap::get(0, launch.getSizes().size(),
                                 SmallVector<AffineExpr>(
                                     results, builder.getAffineConstantExpr(0)),
                                 builder.getContext());
  };
  AffineMap grid = getMap(gridAttrName, 1), cost = getMap(costAttrName, 2),
            scratch = getMap(scratchAttrName, 1);
  for (auto [i, size] : llvm::enumerate(launch.getSizes()))
    if (scratch.isFunctionOfSymbol(i) && isDynamic(size))
      return launch.emitError(
          "expects scratch memory whose size is known when the program starts");
  std::string nodes;
  if (launch.getNodes())
    nodes = llvm::join(launch.getNodes()->getAsValueRange<StringAttr>(), ", ");
  tables.launches.push_back({launch.getKernel().str(), nodes,
                             getCost(launch, cost, 0),
                             getCost(launch, cost, 1)});
  sizes.addMaximum(getCost(launch, scratch, 0));

  Value code = LLVM::AddressOfOp::create(
      builder, loc, pointerType,
      getKernelSymbol(tables.prefix, launch.getKernel()));
  auto call = LLVM::CallOp::create(
      builder, loc, TypeRange(builder.getI32Type()), "lathe_rt_launch",
      ValueRange{frame, constant(tables.launches.size() - 1, loc, 32), code,
                 args, getTiles(launch, grid)});
  Value before =
      LLVM::LoadOp::create(builder, loc, builder.getI32Type(), failed);
  LLVM::StoreOp::create(
      builder, loc, LLVM::OrOp::create(builder, loc, before, call.getResult()),
      failed);
  return success();
}

LogicalResult ProgramLowering::lowerBlock(Block &block) {
  for (Operation &op : block.without_terminator()) {
    LogicalResult ok =
        llvm::TypeSwitch<Operation *, LogicalResult>(&op)
            .Case([&](LaunchOp op) { return lowerLaunch(op); })
            .Case([&](scf::IfOp op) { return lowerIf(op); })
            .Case([&](scf::ForOp op) { return lowerFor(op); })
            .Case([&](scf::WhileOp op) { return lowerWhile(op); })
            .Case([&](tensor::ExtractOp op) { return lowerExtract(op); })
            .Case([&](InsertOp op) { return lowerInsert(op); })
            .Case([&](CheckOp op) { return lowerCheck(op); })
            .Case([&](BindOp op) { return lowerBind(op); })
            .Case([&](CallOp op) { return lowerCall(op); })
            .Case([&](ValueSizeOp op) { return lowerValueSize(op); })
            .Case([&](arith::SelectOp op) -> LogicalResult {
              if (!isa<ValueType>(op.getType()))
                return lowerScalarOp(op);
              lowerValueSelect(op);
              return success();
            })
            // Views have no code of their own, nor have sizes in the table.
            .Case<ViewOp, SliceOp, ConcatOp, WeightOp, SymbolOp, LiteralOp>(
                [&](Operation *) { return success(); })
            .Default([&](Operation *op) { return lowerScalarOp(op); });
    if (llvm::failed(ok))
      return failure();
  }
  return success();
}

OwningOpRef<ModuleOp> ProgramLowering::run() {
  MLIRContext *context = module.getContext();
  Location loc = main.getLoc();
  OwningOpRef<ModuleOp> result = ModuleOp::create(loc);
  pointerType = LLVM::LLVMPointerType::get(context);
  Type i32 = builder.getI32Type(), i64 = builder.getI64Type();

  builder.setInsertionPointToStart(&main.getBody().front());
  if (llvm::failed(collectSignature()) || llvm::failed(collectSlots()))
    return {};
  collectWeights();

  builder.setInsertionPointToEnd(result->getBody());
  declare("lathe_rt_launch", i32,
          {pointerType, i32, pointerType, pointerType, i64});
  if (deviceMemory)
    for (StringRef name : {"lathe_rt_read", "lathe_rt_copy"})
      declare(name, i32, {pointerType, pointerType, pointerType, i64});
  for (auto kernel : module.getOps<KernelOp>())
    declare(getKernelSymbol(tables.prefix, kernel.getSymName()), i32,
            {pointerType, i64, i64, pointerType});
  declareSizeFunctions();
  declareValueFunctions();
  main.walk([&](LaunchOp launch) {
    numArgs = std::max<int64_t>(numArgs, launch.getNumOperands() +
                                             launch.getNumResults());
  });

  auto program =
      LLVM::LLVMFuncOp::create(builder, loc, tables.prefix + "_program",
                               LLVM::LLVMFunctionType::get(i32, {pointerType}));
  Block *entry = program.addEntryBlock(builder);
  builder.setInsertionPointToStart(entry);
  frame = entry->getArgument(0);
  values = loadField(FrameValues, loc);
  arena = loadField(FrameArena, loc);
  offsets = loadField(FrameOffsets, loc);
  weights = loadField(FrameWeights, loc);
  io = loadField(FrameIO, loc);
  args = LLVM::AllocaOp::create(builder, loc, pointerType, i64,
                                constant(numArgs, loc), /*alignment=*/8);
  if (deviceMemory)
    transfer = LLVM::AllocaOp::create(builder, loc, pointerType, i64,
                                      constant(1, loc), /*alignment=*/8);
  failed = LLVM::AllocaOp::create(builder, loc, pointerType, i32,
                                  constant(1, loc), /*alignment=*/4);
  LLVM::StoreOp::create(builder, loc, constant(0, loc, 32), failed);
  if (llvm::failed(lowerBlock(main.getBody().front())))
    return {};
  for (auto [i, value] :
       llvm::enumerate(main.getBody().front().getTerminator()->getOperands()))
    if (isa<ValueType>(value.getType()))
      moveValue(main.getNumArguments() + i, getValueSlot(value), loc);
  tables.numValueSlots = hasValues ? nextSlot : 0;
  LLVM::ReturnOp::create(
      builder, loc,
      LLVM::LoadOp::create(builder, loc, i32, failed).getResult());

  builder.setInsertionPointToEnd(result->getBody());
  if (llvm::failed(sizes.emitEval(builder, tables.prefix + "_eval")))
    return {};
  for (auto function :
       llvm::make_early_inc_range(result->getOps<LLVM::LLVMFuncOp>()))
    if (!function.isExternal())
      splitFunction(function);
  if (auto growables = main->getAttrOfType<IntegerAttr>(growablesAttrName))
    tables.numGrowables = growables.getInt();
  tables.scratchBytes = sizes.getMaximum();
  tables.numValues = sizes.getNumValues();

  PassManager pm(context);
  pm.addPass(arith::createArithExpandOpsPass());
  pm.addPass(createSCFToControlFlowPass());
  pm.addPass(createConvertControlFlowToLLVMPass());
  pm.addPass(createArithToLLVMConversionPass());
  pm.addPass(createReconcileUnrealizedCastsPass());
  pm.addPass(createCanonicalizerPass());
  pm.addPass(createCSEPass());
  if (llvm::failed(pm.run(*result)))
    return {};
  return result;
}

OwningOpRef<ModuleOp> lathe::lowerProgramToLLVM(ModuleOp module,
                                                StringRef prefix,
                                                ProgramTables &tables,
                                                bool deviceMemory) {
  auto main = module.lookupSymbol<func::FuncOp>("main");
  if (!main || !main.getBody().hasOneBlock()) {
    module.emitError("expects a program 'main' of one block");
    return {};
  }
  return ProgramLowering(module, main, prefix, tables, deviceMemory).run();
}
