// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "lathe/Dialect/Lathe/IR/Lathe.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/Builders.h"
#include "mlir/Interfaces/FunctionImplementation.h"

using namespace mlir;
using namespace lathe;

#define GET_OP_CLASSES
#include "lathe/Dialect/Lathe/IR/LatheOps.cpp.inc"

Value lathe::getViewedValue(Value value) {
  while (auto view = value.getDefiningOp<ViewOp>())
    value = view.getSource();
  return value;
}

Value lathe::getSlicedValue(Value value) {
  value = getViewedValue(value);
  while (auto slice = value.getDefiningOp<SliceOp>())
    value = getViewedValue(slice.getSource());
  return value;
}

WeightOp lathe::findWeight(Value value, SmallVectorImpl<Attribute> &recipe) {
  SmallVector<Attribute> views;
  while (auto view = value.getDefiningOp<ViewOp>()) {
    auto type = cast<RankedTensorType>(view.getType());
    if (!type.hasStaticShape())
      return {};
    views.push_back(ReshapeStepAttr::get(value.getContext(), type.getShape()));
    value = view.getSource();
  }
  auto weight = value.getDefiningOp<WeightOp>();
  if (!weight)
    return {};
  llvm::append_range(recipe, weight.getRecipe());
  llvm::append_range(recipe, llvm::reverse(views));
  return weight;
}

int64_t lathe::getElementBytes(Type type) {
  return llvm::divideCeil(type.getIntOrFloatBitWidth(), 8);
}

int64_t lathe::getKnownBytes(RankedTensorType type) {
  int64_t bytes = getElementBytes(type.getElementType());
  for (int64_t dim : type.getShape())
    if (!ShapedType::isDynamic(dim))
      bytes *= dim;
  return bytes;
}

//===----------------------------------------------------------------------===//
// WeightOp
//===----------------------------------------------------------------------===//

LogicalResult WeightOp::verify() {
  auto type = dyn_cast<RankedTensorType>(getValue().getType());
  if (!type)
    return emitOpError("expects a ranked tensor value, got ")
           << getValue().getType();
  FailureOr<RankedTensorType> made =
      applyRecipe(type, getRecipeAttr(), [&] { return emitOpError(); });
  if (failed(made))
    return failure();
  if (*made != getType())
    return emitOpError("expects result type ")
           << *made << ", got " << getType();
  return success();
}

//===----------------------------------------------------------------------===//
// ViewOp
//===----------------------------------------------------------------------===//

LogicalResult ViewOp::verify() {
  auto source = cast<RankedTensorType>(getSource().getType());
  auto result = cast<RankedTensorType>(getType());
  if (getDims().size() != result.getNumDynamicDims())
    return emitOpError("expects ")
           << result.getNumDynamicDims() << " dynamic sizes, got "
           << getDims().size();
  if (source.getElementType() != result.getElementType())
    return emitOpError("expects element type ")
           << source.getElementType() << ", got " << result.getElementType();
  if (source.hasStaticShape() && result.hasStaticShape() &&
      source.getNumElements() != result.getNumElements())
    return emitOpError("expects ")
           << source.getNumElements() << " elements, got "
           << result.getNumElements();
  return success();
}

OpFoldResult ViewOp::fold(FoldAdaptor) {
  auto type = cast<RankedTensorType>(getType());
  if (getSource().getType() == type && type.hasStaticShape())
    return getSource();
  // A view of a view reads the first source.
  if (auto view = getSource().getDefiningOp<ViewOp>()) {
    getSourceMutable().assign(view.getSource());
    return getResult();
  }
  return {};
}

LogicalResult ViewOp::reifyResultShapes(OpBuilder &builder,
                                        ReifiedRankedShapedTypeDims &shapes) {
  shapes.push_back(getMixedValues(cast<RankedTensorType>(getType()).getShape(),
                                  getDims(), builder));
  return success();
}

//===----------------------------------------------------------------------===//
// GridOp
//===----------------------------------------------------------------------===//

ArrayRef<int64_t> GridOp::getResultLoops(unsigned i) {
  return cast<DenseI64ArrayAttr>(getLoops()[i]).asArrayRef();
}

SmallVector<OpFoldResult> GridOp::getResultSizes(unsigned i) {
  unsigned first = 0;
  for (Value before : getResults().take_front(i))
    first += cast<RankedTensorType>(before.getType()).getNumDynamicDims();
  auto type = cast<RankedTensorType>(getResult(i).getType());
  Builder builder(getContext());
  return getMixedValues(type.getShape(),
                        getDims().slice(first, type.getNumDynamicDims()),
                        builder);
}

LogicalResult GridOp::reifyResultShapes(OpBuilder &,
                                        ReifiedRankedShapedTypeDims &shapes) {
  for (unsigned i = 0, e = getNumResults(); i != e; ++i)
    shapes.push_back(getResultSizes(i));
  return success();
}

LogicalResult GridOp::verify() {
  Block &block = getBody().front();
  unsigned numLoops = getExtents().size(), numResults = getNumResults();
  if (block.getNumArguments() != numLoops + numResults)
    return emitOpError("expects ")
           << numLoops + numResults << " arguments of the body, got "
           << block.getNumArguments();
  if (getLoops().size() != numResults)
    return emitOpError("expects ")
           << numResults << " lists in loops, got " << getLoops().size();
  for (BlockArgument index : block.getArguments().take_front(numLoops))
    if (!index.getType().isIndex())
      return emitOpError("expects points of type 'index', got ")
             << index.getType();
  auto yield = dyn_cast<YieldOp>(block.getTerminator());
  if (!yield || yield.getResults().size() != numResults)
    return emitOpError("expects to end in 'lathe.yield' of ")
           << numResults << " values";
  int64_t numDynamic = 0;
  for (unsigned i = 0; i != numResults; ++i) {
    auto type = cast<RankedTensorType>(getResult(i).getType());
    numDynamic += type.getNumDynamicDims();
    auto loops = dyn_cast<DenseI64ArrayAttr>(getLoops()[i]);
    if (!loops || loops.size() != type.getRank())
      return emitOpError("expects ")
             << type.getRank() << " numbers in loops for " << type << ", got "
             << getLoops()[i];
    SmallVector<int64_t> shape(type.getShape());
    for (auto [size, loop] : llvm::zip_equal(shape, loops.asArrayRef())) {
      if (loop < -1 || loop >= int64_t(numLoops))
        return emitOpError("expects loops in [-1, ")
               << numLoops << "), got " << loop;
      if (loop >= 0)
        size = 1;
    }
    RankedTensorType part = type.clone(shape);
    for (Value value :
         {Value(block.getArgument(numLoops + i)), yield.getResults()[i]})
      if (value.getType() != part)
        return emitOpError("expects parts of type ")
               << part << ", got " << value.getType();
  }
  if (int64_t(getDims().size()) != numDynamic)
    return emitOpError("expects ")
           << numDynamic << " sizes of results, got " << getDims().size();
  return success();
}

//===----------------------------------------------------------------------===//
// KernelOp
//===----------------------------------------------------------------------===//

bool KernelOp::isBufferForm() {
  return llvm::any_of(getBlock().getArgumentTypes(),
                      [](Type type) { return isa<MemRefType>(type); });
}

ArrayRef<BlockArgument> KernelOp::getInputs() {
  return getBlock().getArguments().take_front(getNumInputs());
}

ArrayRef<BlockArgument> KernelOp::getOutputs() {
  if (!isBufferForm())
    return {};
  return getBlock().getArguments().slice(getNumInputs(), getNumOutputs());
}

ArrayRef<BlockArgument> KernelOp::getSizes() {
  return getBlock().getArguments().drop_front(
      getNumInputs() + (isBufferForm() ? getNumOutputs() : 0));
}

SmallVector<Value> KernelOp::getDynamicDims(BlockArgument arg) {
  unsigned i = arg.getArgNumber();
  Attribute positions = i < getNumInputs()
                            ? getInputDims()[i]
                            : getResultDims()[i - getNumInputs()];
  ArrayRef<BlockArgument> sizes = getSizes();
  return llvm::map_to_vector(
      cast<DenseI64ArrayAttr>(positions).asArrayRef(),
      [&](int64_t position) -> Value { return sizes[position]; });
}

RankedTensorType KernelOp::getResultType(unsigned i) {
  return cast<RankedTensorType>(cast<TypeAttr>(getResultTypes()[i]).getValue());
}

/// Checks one of the two lists of positions ([C2], [C3], [C4]).
static LogicalResult verifyDims(KernelOp op, StringRef name, Attribute list,
                                Type type, int64_t numSizes) {
  auto shaped = dyn_cast<ShapedType>(type);
  if (!shaped || !shaped.hasRank())
    return op.emitOpError("expects ranked tensors and buffers, got ") << type;
  auto positions = dyn_cast<DenseI64ArrayAttr>(list);
  if (!positions || positions.asArrayRef().size() != shaped.getNumDynamicDims())
    return op.emitOpError("expects ")
           << shaped.getNumDynamicDims() << " positions in " << name << " for "
           << type << ", got " << list;
  for (int64_t position : positions.asArrayRef())
    if (position < 0 || position >= numSizes)
      return op.emitOpError("expects positions in ")
             << name << " below " << numSizes << ", got " << position;
  return success();
}

LogicalResult KernelOp::verifyRegions() {
  if (getResultDims().size() != getResultTypes().size())
    return emitOpError("expects one list of result_dims per result, got ")
           << getResultDims().size() << " for " << getResultTypes().size();
  unsigned numArgs = getBlock().getNumArguments();
  if (numArgs < getNumInputs() + (isBufferForm() ? getNumOutputs() : 0))
    return emitOpError("expects an argument per input and output, got ")
           << numArgs << " arguments";
  int64_t numSizes = getSizes().size();
  for (BlockArgument size : getSizes())
    if (!size.getType().isIndex())
      return emitOpError("expects sizes of type 'index', got ")
             << size.getType();
  for (auto [i, input] : llvm::enumerate(getInputs()))
    if (failed(verifyDims(*this, "input_dims", getInputDims()[i],
                          input.getType(), numSizes)))
      return failure();
  for (unsigned i = 0, e = getResultTypes().size(); i != e; ++i)
    if (failed(verifyDims(*this, "result_dims", getResultDims()[i],
                          getResultType(i), numSizes)))
      return failure();
  auto yield = dyn_cast<YieldOp>(getBlock().getTerminator());
  if (!yield)
    return emitOpError("expects to end in 'lathe.yield'");
  if (isBufferForm())
    return success();
  if (yield.getResults().size() != getResultTypes().size())
    return emitOpError("expects to yield ")
           << getResultTypes().size() << " values, got "
           << yield.getResults().size();
  for (unsigned i = 0, e = getResultTypes().size(); i != e; ++i)
    if (yield.getResults()[i].getType() != getResultType(i))
      return emitOpError("expects to yield ")
             << getResultType(i) << ", got " << yield.getResults()[i].getType();
  return success();
}

/// kernel @name(%x: type, ...) -> (types) input_dims [...] result_dims [...]
///     (attributes {...})? { body }
ParseResult KernelOp::parse(OpAsmParser &parser, OperationState &result) {
  StringAttr name;
  SmallVector<OpAsmParser::Argument> args;
  SmallVector<Type> types;
  ArrayAttr inputDims, resultDims;
  Builder &b = parser.getBuilder();
  auto properties = [&](StringRef attr, Attribute value) {
    result.addAttribute(attr, value);
  };
  if (parser.parseSymbolName(name) ||
      parser.parseArgumentList(args, OpAsmParser::Delimiter::Paren,
                               /*allowType=*/true) ||
      parser.parseArrow() || parser.parseLParen())
    return failure();
  if (failed(parser.parseOptionalRParen()))
    if (parser.parseTypeList(types) || parser.parseRParen())
      return failure();
  auto parseDims = [&](ArrayAttr &out) -> ParseResult {
    SmallVector<Attribute> lists;
    auto parseOne = [&]() -> ParseResult {
      SmallVector<int64_t> positions;
      if (parser.parseCommaSeparatedList(OpAsmParser::Delimiter::Square, [&] {
            return parser.parseInteger(positions.emplace_back());
          }))
        return failure();
      lists.push_back(b.getDenseI64ArrayAttr(positions));
      return success();
    };
    if (parser.parseCommaSeparatedList(OpAsmParser::Delimiter::Square,
                                       parseOne))
      return failure();
    out = b.getArrayAttr(lists);
    return success();
  };
  if (parser.parseKeyword("input_dims") || parseDims(inputDims) ||
      parser.parseKeyword("result_dims") || parseDims(resultDims) ||
      parser.parseOptionalAttrDictWithKeyword(result.attributes) ||
      parser.parseRegion(*result.addRegion(), args))
    return failure();
  properties(getSymNameAttrName(result.name), name);
  properties(getResultTypesAttrName(result.name), b.getTypeArrayAttr(types));
  properties(getInputDimsAttrName(result.name), inputDims);
  properties(getResultDimsAttrName(result.name), resultDims);
  return success();
}

void KernelOp::print(OpAsmPrinter &p) {
  p << ' ';
  p.printSymbolName(getSymName());
  p << '(';
  llvm::interleaveComma(getBlock().getArguments(), p,
                        [&](BlockArgument arg) { p.printRegionArgument(arg); });
  p << ") -> (";
  llvm::interleaveComma(getResultTypes().getAsValueRange<TypeAttr>(), p);
  p << ')';
  auto printDims = [&](ArrayAttr lists) {
    p << '[';
    llvm::interleaveComma(lists, p, [&](Attribute list) {
      p << '[';
      llvm::interleaveComma(cast<DenseI64ArrayAttr>(list).asArrayRef(), p);
      p << ']';
    });
    p << ']';
  };
  p << " input_dims ";
  printDims(getInputDims());
  p << " result_dims ";
  printDims(getResultDims());
  p.printOptionalAttrDictWithKeyword(
      (*this)->getAttrs(), {getSymNameAttrName(), getResultTypesAttrName(),
                            getInputDimsAttrName(), getResultDimsAttrName()});
  p << ' ';
  p.printRegion(getBody(), /*printEntryBlockArgs=*/false);
}

//===----------------------------------------------------------------------===//
// LaunchOp
//===----------------------------------------------------------------------===//

LogicalResult LaunchOp::verifySymbolUses(SymbolTableCollection &symbols) {
  auto kernel =
      symbols.lookupNearestSymbolFrom<KernelOp>(*this, getKernelAttr());
  if (!kernel)
    return emitOpError("expects a 'lathe.kernel' named ") << getKernelAttr();
  if (kernel.getNumInputs() != getInputs().size() ||
      kernel.getSizes().size() != getSizes().size())
    return emitOpError("expects ")
           << kernel.getNumInputs() << " inputs and "
           << kernel.getSizes().size() << " sizes, got " << getInputs().size()
           << " and " << getSizes().size();
  for (auto [arg, input] : llvm::zip_equal(kernel.getInputs(), getInputs())) {
    auto want = cast<ShapedType>(arg.getType());
    auto have = cast<ShapedType>(input.getType());
    if (want.getShape() != have.getShape() ||
        want.getElementType() != have.getElementType())
      return emitOpError("expects an input of ") << want << ", got " << have;
  }
  if (kernel.getResultTypes().size() != getNumResults())
    return emitOpError("expects ") << kernel.getResultTypes().size()
                                   << " results, got " << getNumResults();
  for (unsigned i = 0, e = getNumResults(); i != e; ++i)
    if (kernel.getResultType(i) != getResult(i).getType())
      return emitOpError("expects a result of ")
             << kernel.getResultType(i) << ", got " << getResult(i).getType();
  return success();
}

LogicalResult LaunchOp::reifyResultShapes(OpBuilder &builder,
                                          ReifiedRankedShapedTypeDims &shapes) {
  auto kernel =
      SymbolTable::lookupNearestSymbolFrom<KernelOp>(*this, getKernelAttr());
  if (!kernel)
    return failure();
  for (auto [i, result] : llvm::enumerate(getResults())) {
    auto positions = cast<DenseI64ArrayAttr>(kernel.getResultDims()[i]);
    SmallVector<Value> dynamic =
        llvm::map_to_vector(positions.asArrayRef(), [&](int64_t position) {
          return Value(getSizes()[position]);
        });
    shapes.push_back(getMixedValues(
        cast<RankedTensorType>(result.getType()).getShape(), dynamic, builder));
  }
  return success();
}
