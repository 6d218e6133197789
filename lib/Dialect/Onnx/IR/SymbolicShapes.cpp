// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Walks a function once, op by op; the ops with sub-graphs walk those through
// their own rule. Each op's rule says what its results are; what the result's
// type declares already is merged with that.

#include "lathe/Dialect/Onnx/IR/SymbolicShapes.h"
#include "lathe/Dialect/Onnx/IR/Control.h"
#include <cmath>

using namespace mlir;
using namespace lathe::onnx;

//===----------------------------------------------------------------------===//
// What is known of a value
//===----------------------------------------------------------------------===//

Scalar Scalar::getReal(MLIRContext *context, double value) {
  Scalar scalar;
  if (std::trunc(value) == value && std::fabs(value) < 0x1p53 &&
      !(value == 0 && std::signbit(value)))
    scalar.expr = getAffineConstantExpr(static_cast<int64_t>(value), context);
  else
    scalar.real = value;
  return scalar;
}

std::optional<double> Scalar::getNumber() const {
  if (auto c = getConstant(expr))
    return static_cast<double>(*c);
  return real;
}

std::optional<Dims> TensorInfo::getExprs() const {
  if (!contents)
    return std::nullopt;
  Dims exprs;
  for (const Scalar &element : *contents) {
    if (!element.expr)
      return std::nullopt;
    exprs.push_back(element.expr);
  }
  return exprs;
}

std::optional<SmallVector<int64_t, 4>> TensorInfo::getInts() const {
  if (!contents)
    return std::nullopt;
  SmallVector<int64_t, 4> ints;
  for (const Scalar &element : *contents) {
    auto c = getConstant(element.expr);
    if (!c)
      return std::nullopt;
    ints.push_back(*c);
  }
  return ints;
}

Type TensorInfo::getType(MLIRContext *context) const {
  if (valueType)
    return valueType;
  Type element = elementType ? elementType : UnknownType::get(context);
  if (!dims)
    return UnrankedTensorType::get(element);
  SmallVector<int64_t> shape;
  for (AffineExpr dim : *dims)
    shape.push_back(getConstant(dim).value_or(ShapedType::kDynamic));
  return RankedTensorType::get(shape, element);
}

//===----------------------------------------------------------------------===//
// The analysis
//===----------------------------------------------------------------------===//

static std::string getName(Operation *op) {
  if (auto name = dyn_cast<NameLoc>(op->getLoc()))
    return name.getName().str();
  return op->getName().stripDialect().str();
}

static bool isInferred(Type type) {
  auto tensor = dyn_cast<TensorType>(type);
  return !tensor || !isa<UnknownType>(tensor.getElementType());
}

const TensorInfo &SymbolicShapes::get(Value value) const {
  static const TensorInfo nothing;
  auto it = infos.find(value);
  return it == infos.end() ? nothing : it->second;
}

std::string SymbolicShapes::print(AffineExpr expr) const {
  if (auto symbol = dyn_cast<AffineSymbolExpr>(expr))
    return symbols[symbol.getPosition()];
  auto binary = dyn_cast<AffineBinaryOpExpr>(expr);
  if (!binary) {
    std::string text;
    llvm::raw_string_ostream(text) << expr;
    return text;
  }
  StringRef sign;
  switch (binary.getKind()) {
  case AffineExprKind::Add:
    sign = " + ";
    break;
  case AffineExprKind::Mul:
    sign = " * ";
    break;
  case AffineExprKind::Mod:
    sign = " mod ";
    break;
  case AffineExprKind::CeilDiv:
    sign = " ceildiv ";
    break;
  default:
    sign = " floordiv ";
    break;
  }
  return ("(" + Twine(print(binary.getLHS())) + sign +
          Twine(print(binary.getRHS())) + ")")
      .str();
}

AffineExpr SymbolicShapes::addSymbol(StringRef name) {
  std::string unique = name.str();
  for (unsigned i = 1; llvm::is_contained(symbols, unique); ++i)
    unique = (name + "_" + Twine(i)).str();
  symbols.push_back(unique);
  return getAffineSymbolExpr(symbols.size() - 1, context);
}

AffineExpr SymbolicShapes::getSymbol(StringRef name) {
  auto *it = llvm::find(symbols, name);
  if (it != symbols.end())
    return getAffineSymbolExpr(it - symbols.begin(), context);
  return addSymbol(name);
}

TensorInfo SymbolicShapes::getDeclared(Value value, StringRef name,
                                       ArrayAttr dimNames) {
  TensorInfo info;
  auto tensor = dyn_cast<TensorType>(value.getType());
  if (!tensor) {
    info.valueType = value.getType();
    return info;
  }
  if (!isa<UnknownType>(tensor.getElementType()))
    info.elementType = tensor.getElementType();
  if (!tensor.hasRank())
    return info;
  info.dims.emplace();
  for (auto [i, size] : llvm::enumerate(tensor.getShape())) {
    if (!ShapedType::isDynamic(size)) {
      info.dims->push_back(getAffineConstantExpr(size, context));
      continue;
    }
    StringRef dimName;
    if (dimNames && i < dimNames.size())
      if (auto text = dyn_cast<StringAttr>(dimNames[i]))
        dimName = text.getValue();
    info.dims->push_back(dimName.empty()
                             ? addSymbol((name + "_d" + Twine(i)).str())
                             : getSymbol(dimName));
  }
  return info;
}

FailureOr<SymbolicShapes> SymbolicShapes::analyze(func::FuncOp func) {
  SymbolicShapes shapes(func.getContext());
  for (BlockArgument argument : func.getArguments()) {
    unsigned i = argument.getArgNumber();
    std::string name = ("arg" + Twine(i)).str();
    if (auto given = func.getArgAttrOfType<StringAttr>(i, "lathe.name"))
      name = given.str();
    shapes.infos[argument] = shapes.getDeclared(
        argument, name, func.getArgAttrOfType<ArrayAttr>(i, "lathe.dims"));
  }
  shapes.numEntrySymbols = shapes.symbols.size();
  for (Block &block : func.getBody())
    if (failed(shapes.inferBlock(block)))
      return failure();
  return shapes;
}

LogicalResult SymbolicShapes::inferBlock(Block &block) {
  for (Operation &op : block)
    if (failed(inferOp(&op)))
      return failure();
  return success();
}

LogicalResult SymbolicShapes::inferOp(Operation *op) {
  ShapeContext context(*this, op);
  if (auto rule = dyn_cast<ShapeInferenceOpInterface>(op))
    if (failed(rule.inferShapes(context)))
      return failure();
  for (OpResult result : op->getResults()) {
    TensorInfo &info = context.results[result.getResultNumber()];
    if (failed(finish(result, info)))
      return failure();
    infos[result] = std::move(info);
  }
  return success();
}

/// Brings what a rule said of `result` into normal form and merges it with what
/// the type of `result` says.
LogicalResult SymbolicShapes::finish(OpResult result, TensorInfo &info) {
  Operation *op = result.getOwner();
  ShapeContext rule(*this, op);
  auto declared = dyn_cast<TensorType>(result.getType());
  if (info.valueType)
    return success();
  if (!declared) {
    if (!isa<NoneType>(result.getType()))
      info.valueType = result.getType();
    return success();
  }
  if (!isa<UnknownType>(declared.getElementType())) {
    if (info.elementType && info.elementType != declared.getElementType())
      return op->emitOpError("expects element type ")
             << info.elementType << " of result #" << result.getResultNumber()
             << ", got " << declared.getElementType();
    info.elementType = declared.getElementType();
  }
  // Slots from here on are for dimensions that the rule leaves open.
  constexpr unsigned unknownSlots = 1u << 16;
  if (declared.hasRank()) {
    if (!info.dims)
      info.dims.emplace(declared.getRank(), AffineExpr());
    if (info.getRank() != declared.getRank())
      return op->emitOpError("expects result #")
             << result.getResultNumber() << " of rank " << info.getRank()
             << ", got " << declared;
    for (auto [i, size] : llvm::enumerate(declared.getShape())) {
      AffineExpr &dim = (*info.dims)[i];
      if (ShapedType::isDynamic(size))
        continue;
      AffineExpr known = getAffineConstantExpr(size, context);
      if (dim && !rule.assumeEqual(dim, known))
        return op->emitOpError("expects dimension ")
               << i << " of result #" << result.getResultNumber() << " to be "
               << *getConstant(simplify(dim)) << ", got " << size;
      dim = known;
    }
  }
  if (!info.dims) {
    info.contents.reset();
    return success();
  }
  std::optional<int64_t> count = 1;
  for (auto [i, dim] : llvm::enumerate(*info.dims)) {
    if (!dim)
      dim = rule.fresh(unknownSlots + 64 * result.getResultNumber() + i);
    dim = simplify(dim);
    auto size = getConstant(dim);
    if (!size && !isNonNegative(dim))
      rule.assumeAtLeast(dim, getAffineConstantExpr(0, context));
    if (size && *size < 0)
      return op->emitOpError("expects no negative size, got ")
             << *size << " in dimension " << i << " of result #"
             << result.getResultNumber();
    if (!size || !count || llvm::MulOverflow(*count, *size, *count))
      count.reset();
  }
  if (!info.contents)
    return success();
  if (!count || *count != static_cast<int64_t>(info.contents->size()) ||
      *count > maxContents ||
      llvm::none_of(*info.contents,
                    [](const Scalar &s) { return s.isKnown(); })) {
    if (!count || *count != 0)
      info.contents.reset();
    return success();
  }
  auto integer = dyn_cast_or_null<IntegerType>(info.elementType);
  for (Scalar &element : *info.contents) {
    if (!element.expr)
      continue;
    element.expr = simplify(element.expr);
    // What wraps around in a narrow type is not followed.
    auto number = getConstant(element.expr);
    if (number && integer &&
        !(integer.isUnsigned() || integer.getWidth() == 1
              ? llvm::isUIntN(integer.getWidth(), *number)
              : llvm::isIntN(integer.getWidth(), *number)))
      element = {};
  }
  return success();
}

//===----------------------------------------------------------------------===//
// What a rule sees
//===----------------------------------------------------------------------===//

AffineExpr ShapeContext::fresh(unsigned slot) {
  AffineExpr &symbol = shapes.fresh[{op, slot}];
  if (!symbol)
    symbol = shapes.addSymbol(getName(op) + "_d" + std::to_string(slot % 64));
  return symbol;
}

Dims ShapeContext::freshDims(unsigned slot, int64_t rank) {
  Dims dims;
  for (int64_t i = 0; i < rank; ++i)
    dims.push_back(fresh(slot + i));
  return dims;
}

void ShapeContext::addConstraint(AffineExpr a, AffineExpr b) {
  // What a branch supposes need not hold where the other one is taken.
  Region *branch = op->getParentRegion();
  while (branch && !isa<IfOp>(branch->getParentOp()))
    branch = branch->getParentRegion();
  SizeConstraint constraint = {a, b, branch};
  if (!llvm::is_contained(shapes.constraints, constraint))
    shapes.constraints.push_back(constraint);
}

bool ShapeContext::assumeEqual(AffineExpr a, AffineExpr b) {
  AffineExpr difference = simplify(a - b);
  if (auto constant = getConstant(difference))
    return *constant == 0;
  if (isPositive(difference) || isPositive(simplify(b - a)))
    return false;
  addConstraint(simplify(a), simplify(b));
  return true;
}

bool ShapeContext::assumeAtLeast(AffineExpr a, AffineExpr b) {
  AffineExpr difference = simplify(a - b);
  if (isNonNegative(difference))
    return true;
  if (isPositive(simplify(b - a)))
    return false;
  // 0 <= a - b < 2^40, written as an equation. It is kept as it is: the normal
  // form has factors of 2^40, which overflow where it is evaluated.
  addConstraint(difference.floorDiv(int64_t(1) << 40),
                getAffineConstantExpr(0, shapes.context));
  return true;
}

AffineExpr ShapeContext::broadcast(AffineExpr a, AffineExpr b) {
  if (a == b)
    return a;
  auto l = getConstant(a), r = getConstant(b);
  if (l && *l == 1)
    return b;
  if (r && *r == 1)
    return a;
  if (!assumeEqual(a, b))
    return {};
  return r ? b : a;
}

FailureOr<Dims> ShapeContext::broadcast(ArrayRef<AffineExpr> a,
                                        ArrayRef<AffineExpr> b) {
  if (a.size() < b.size())
    std::swap(a, b);
  Dims dims(a.begin(), a.end());
  size_t offset = a.size() - b.size();
  for (auto [i, other] : llvm::enumerate(b)) {
    AffineExpr &dim = dims[offset + i];
    AffineExpr both = broadcast(dim, other);
    if (!both) {
      emitError() << "expects shapes that broadcast, got sizes " << dim
                  << " and " << other << " in dimension " << offset + i;
      return failure();
    }
    dim = both;
  }
  return dims;
}

FailureOr<Type>
ShapeContext::getCommonElementType(ArrayRef<unsigned> operands) {
  Type common;
  for (unsigned i : operands) {
    if (!isPresent(i) || !operand(i).elementType)
      continue;
    Type type = operand(i).elementType;
    if (common && common != type) {
      emitError() << "expects operands of one element type, got " << common
                  << " and " << type << " (operand #" << i << ")";
      return failure();
    }
    common = type;
  }
  return common;
}

FailureOr<int64_t> ShapeContext::normalizeAxis(int64_t axis, int64_t rank) {
  if (axis < -rank || axis >= rank) {
    emitError() << "expects axis in [-" << rank << ", " << rank << "), got "
                << axis;
    return failure();
  }
  return axis < 0 ? axis + rank : axis;
}

FailureOr<SmallVector<int64_t, 4>>
ShapeContext::normalizeAxes(ArrayRef<int64_t> axes, int64_t rank) {
  SmallVector<int64_t, 4> result;
  for (int64_t axis : axes) {
    auto normal = normalizeAxis(axis, rank);
    if (failed(normal))
      return failure();
    if (llvm::is_contained(result, *normal)) {
      emitError() << "expects distinct axes, got " << axis << " twice";
      return failure();
    }
    result.push_back(*normal);
  }
  return result;
}

LogicalResult ShapeContext::expectRank(unsigned i, int64_t rank) {
  if (!isPresent(i) || !operand(i).dims || operand(i).getRank() == rank)
    return success();
  return emitError() << "expects operand #" << i << " of rank " << rank
                     << ", got rank " << operand(i).getRank();
}

bool ShapeContext::isBoundAtEntry(AffineExpr expr) const {
  bool bound = true;
  expr.walk([&](AffineExpr e) {
    if (auto symbol = dyn_cast<AffineSymbolExpr>(e))
      bound = bound && symbol.getPosition() < shapes.numEntrySymbols;
  });
  return bound;
}

bool ShapeContext::isInside(AffineExpr expr) const {
  for (const auto &[key, symbol] : shapes.fresh) {
    auto [owner, slot] = key;
    bool inside =
        owner == op ? slot >= iterationSlots : op->isProperAncestor(owner);
    if (inside &&
        expr.isFunctionOfSymbol(cast<AffineSymbolExpr>(symbol).getPosition()))
      return true;
  }
  return false;
}

LogicalResult ShapeContext::inferRegion(Region &region) {
  return shapes.inferBlock(region.front());
}

bool ShapeContext::tryBranch(Region &branch) {
  std::string why;
  ScopedDiagnosticHandler handler(shapes.context, [&](Diagnostic &diagnostic) {
    if (diagnostic.getSeverity() != DiagnosticSeverity::Error || !why.empty())
      return;
    std::string text = diagnostic.str();
    auto [op, message] = StringRef(text).split("' op ");
    llvm::raw_string_ostream os(why);
    if (auto name = diagnostic.getLocation()->findInstanceOf<NameLoc>())
      os << "node '" << name.getName().getValue() << "' ";
    os << '(' << op.rsplit('.').second << "): " << message;
  });
  if (succeeded(inferRegion(branch))) {
    shapes.contradictions.erase(&branch);
    return true;
  }
  shapes.contradictions[&branch] = why;
  branch.walk([&](Operation *inner) {
    for (Value result : inner->getResults())
      shapes.infos.erase(result);
    for (Region &region : inner->getRegions())
      for (Value argument : region.getArguments())
        shapes.infos.erase(argument);
  });
  llvm::erase_if(shapes.constraints, [&](const SizeConstraint &constraint) {
    return constraint.branch && branch.isAncestor(constraint.branch);
  });
  return false;
}

//===----------------------------------------------------------------------===//
// Types from shapes
//===----------------------------------------------------------------------===//

LogicalResult lathe::onnx::inferShapes(func::FuncOp func) {
  if (func.isExternal())
    return success();
  auto shapes = SymbolicShapes::analyze(func);
  if (failed(shapes))
    return failure();
  auto setType = [&](Value value) {
    const TensorInfo &info = shapes->get(value);
    if (info.valueType)
      return value.setType(info.valueType);
    if (isa<TensorType>(value.getType()) && (info.elementType || info.dims))
      value.setType(info.getType(func.getContext()));
  };
  WalkResult walk = func.walk<WalkOrder::PreOrder>([&](Operation *op) {
    for (Value result : op->getResults()) {
      setType(result);
      if (shapes->isReached(result) && !isInferred(result.getType())) {
        op->emitOpError("expects results whose element types can be inferred, "
                        "got operands that do not tell");
        return WalkResult::interrupt();
      }
    }
    if (op != func)
      for (Region &region : op->getRegions())
        for (Value argument : region.getArguments())
          setType(argument);
    return WalkResult::advance();
  });
  if (walk.wasInterrupted())
    return failure();
  Operation *terminator = func.getBody().back().getTerminator();
  func.setFunctionType(
      FunctionType::get(func.getContext(), func.getArgumentTypes(),
                        llvm::to_vector(terminator->getOperandTypes())));
  return success();
}
