// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "SizeTable.h"

#include "SizeOverflow.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "llvm/ADT/StringExtras.h"

using namespace mlir;
using namespace lathe;

/// The symbol whose value `op` is, or "".
static StringRef getSymbolName(Operation *op) {
  if (auto symbol = dyn_cast_if_present<SymbolOp>(op))
    return symbol.getName();
  if (auto bind = dyn_cast_if_present<BindOp>(op))
    return bind.getName();
  return "";
}

unsigned SizeTable::SameOp::getHashValue(Operation *op) {
  return OperationEquivalence::computeHash(
      op, OperationEquivalence::directHashValue,
      OperationEquivalence::ignoreHashValue,
      OperationEquivalence::IgnoreLocations);
}

bool SizeTable::SameOp::isEqual(Operation *a, Operation *b) {
  if (a == b)
    return true;
  for (Operation *op : {a, b})
    if (op == getEmptyKey() || op == getTombstoneKey())
      return false;
  return OperationEquivalence::isEquivalentTo(
      a, b, OperationEquivalence::IgnoreLocations);
}

SizeTable::SizeTable(func::FuncOp main, ProgramTables &tables)
    : main(main), tables(tables) {
  if (auto names = main->getAttrOfType<ArrayAttr>(symbolsAttrName))
    for (StringRef name : names.getAsValueRange<StringAttr>())
      addSymbol(name);
  main.walk([&](Operation *op) {
    StringRef name = getSymbolName(op);
    if (!name.empty() && !findSymbol(name))
      addSymbol(name);
  });
  numValues = tables.symbols.size();
}

void SizeTable::addSymbol(StringRef name) {
  symbolIds.try_emplace(name, tables.symbols.size());
  tables.symbols.push_back(name.str());
}

std::optional<unsigned> SizeTable::findSymbol(StringRef name) const {
  auto found = symbolIds.find(name);
  if (found == symbolIds.end())
    return std::nullopt;
  return found->second;
}

bool SizeTable::isSizeOp(Operation *op) {
  return isa<SymbolOp, BindOp, affine::AffineApplyOp, affine::AffineMinOp,
             affine::AffineMaxOp>(op) ||
         (isa<arith::ArithDialect>(op->getDialect()) &&
          llvm::all_of(op->getResultTypes(),
                       [](Type type) { return type.isIntOrIndex(); }));
}

TableSize SizeTable::add(Value index) {
  if (std::optional<int64_t> known = getConstantIntValue(index))
    return *known;
  if (StringRef name = getSymbolName(index.getDefiningOp()); !name.empty())
    return ~(int64_t)*findSymbol(name);
  // Each size once, however many ops compute it.
  if (auto result = dyn_cast<OpResult>(index);
      result && isSizeOp(result.getOwner()))
    index = (*computed.insert(result.getOwner()).first)
                ->getResult(result.getResultNumber());
  auto [it, fresh] = ids.insert({index, numValues});
  if (fresh)
    ++numValues;
  return ~it->second;
}

TableSize SizeTable::add(AffineMap map, ArrayRef<Value> operands,
                         Operation *before, unsigned result) {
  OpBuilder builder(before);
  OpFoldResult folded = affine::makeComposedFoldedAffineApply(
      builder, before->getLoc(), map.getSubMap({result}),
      getAsOpFoldResult(ValueRange(operands)));
  if (std::optional<int64_t> known = getConstantIntValue(folded))
    return *known;
  return add(cast<Value>(folded));
}

void SizeTable::addMaximum(TableSize size) {
  if (size < 0)
    maxima.insert(~size);
  else if (maximum >= 0)
    maximum = std::max(maximum, size);
}

Value lathe::expandSizeExpr(OpBuilder &b, Location loc, AffineExpr expr,
                            ArrayRef<Value> dims, ArrayRef<Value> symbols) {
  if (auto constant = dyn_cast<AffineConstantExpr>(expr))
    return arith::ConstantIndexOp::create(b, loc, constant.getValue());
  if (auto dim = dyn_cast<AffineDimExpr>(expr))
    return dims[dim.getPosition()];
  if (auto symbol = dyn_cast<AffineSymbolExpr>(expr))
    return symbols[symbol.getPosition()];
  auto binary = cast<AffineBinaryOpExpr>(expr);
  Value lhs = expandSizeExpr(b, loc, binary.getLHS(), dims, symbols);
  Value rhs = expandSizeExpr(b, loc, binary.getRHS(), dims, symbols);
  // A size of zero divides nothing: the condition that the division is exact
  // refuses it, and until then any quotient will do.
  bool divides = expr.getKind() == AffineExprKind::FloorDiv ||
                 expr.getKind() == AffineExprKind::CeilDiv ||
                 expr.getKind() == AffineExprKind::Mod;
  if (divides && !isa<AffineConstantExpr>(binary.getRHS()))
    rhs = arith::MaxSIOp::create(b, loc, rhs,
                                 arith::ConstantIndexOp::create(b, loc, 1));
  switch (expr.getKind()) {
  case AffineExprKind::Add:
    return arith::AddIOp::create(b, loc, lhs, rhs);
  case AffineExprKind::Mul:
    return arith::MulIOp::create(b, loc, lhs, rhs);
  case AffineExprKind::FloorDiv:
    return arith::FloorDivSIOp::create(b, loc, lhs, rhs);
  case AffineExprKind::CeilDiv:
    return arith::CeilDivSIOp::create(b, loc, lhs, rhs);
  case AffineExprKind::Mod: {
    // Of a value that may be negative, by a positive one.
    Value quotient = arith::FloorDivSIOp::create(b, loc, lhs, rhs);
    Value product = arith::MulIOp::create(b, loc, quotient, rhs);
    return arith::SubIOp::create(b, loc, lhs, product);
  }
  default:
    llvm_unreachable("constants, dimensions and symbols are handled above");
  }
}

namespace {
/// Clones sizes into eval, each op once.
class Cloner {
public:
  Cloner(OpBuilder &builder, const SizeTable &sizes, Value symbols)
      : builder(builder), sizes(sizes), symbols(symbols) {}

  /// A symbol as an index.
  Value getSymbol(unsigned symbol, Location loc) {
    Value &known = loaded[symbol];
    if (known)
      return known;
    Type i64 = builder.getI64Type();
    Value address = LLVM::GEPOp::create(builder, loc, symbols.getType(), i64,
                                        symbols, LLVM::GEPArg(int32_t(symbol)));
    return known = arith::IndexCastOp::create(
               builder, loc, builder.getIndexType(),
               LLVM::LoadOp::create(builder, loc, i64, address));
  }

  FailureOr<Value> get(Value value) {
    if (Value known = done.lookup(value))
      return known;
    Operation *op = value.getDefiningOp();
    if (!op || !SizeTable::isSizeOp(op))
      return emitError(value.getLoc(),
                       "expects a size computed from symbols, got ")
             << (op ? op->getName().getStringRef() : StringRef("an argument"));
    Location loc = op->getLoc();
    if (StringRef name = getSymbolName(op); !name.empty())
      return getSymbol(*sizes.findSymbol(name), loc);
    SmallVector<Value> operands;
    for (Value operand : op->getOperands()) {
      FailureOr<Value> got = get(operand);
      if (failed(got))
        return failure();
      operands.push_back(*got);
    }
    auto fold = [&](AffineMap map, arith::CmpIPredicate keep) {
      ArrayRef<Value> all = operands;
      Value best;
      for (AffineExpr expr : map.getResults()) {
        Value next =
            expandSizeExpr(builder, loc, expr, all.take_front(map.getNumDims()),
                           all.drop_front(map.getNumDims()));
        if (best) {
          Value cmp = arith::CmpIOp::create(builder, loc, keep, best, next);
          next = arith::SelectOp::create(builder, loc, cmp, best, next);
        }
        best = next;
      }
      return best;
    };
    if (auto apply = dyn_cast<affine::AffineApplyOp>(op))
      return done[value] =
                 fold(apply.getAffineMap(), arith::CmpIPredicate::slt);
    if (auto min = dyn_cast<affine::AffineMinOp>(op))
      return done[value] = fold(min.getAffineMap(), arith::CmpIPredicate::slt);
    if (auto max = dyn_cast<affine::AffineMaxOp>(op))
      return done[value] = fold(max.getAffineMap(), arith::CmpIPredicate::sgt);
    Operation *clone = builder.clone(*op);
    clone->setOperands(operands);
    return done[value] =
               clone->getResult(cast<OpResult>(value).getResultNumber());
  }

private:
  OpBuilder &builder;
  const SizeTable &sizes;
  Value symbols;
  DenseMap<Value, Value> done;
  DenseMap<unsigned, Value> loaded;
};
} // namespace

SmallVector<unsigned> lathe::getReadSymbols(AffineMap map) {
  SetVector<unsigned> read;
  map.walkExprs([&](AffineExpr expr) {
    if (auto symbol = dyn_cast<AffineSymbolExpr>(expr))
      read.insert(symbol.getPosition());
  });
  return read.takeVector();
}

/// An expression with the names of its symbols.
static std::string printSize(AffineExpr expr, ArrayRef<std::string> names) {
  std::string text;
  llvm::raw_string_ostream(text) << expr;
  std::string named;
  for (size_t i = 0; i < text.size();) {
    size_t end = i + 1;
    while (end < text.size() && llvm::isDigit(text[end]))
      ++end;
    size_t symbol;
    bool starts = text[i] == 's' && (i == 0 || !llvm::isAlnum(text[i - 1]));
    if (starts && end > i + 1 &&
        !StringRef(text).slice(i + 1, end).getAsInteger(10, symbol) &&
        symbol < names.size())
      named += names[symbol];
    else
      named += text.substr(i, end - i);
    i = end;
  }
  return named;
}

/// What a constraint says. `x floordiv 2^40 == 0` stands for `x >= 0`.
std::string lathe::printConstraint(AffineMap map, ArrayRef<std::string> names) {
  AffineExpr lhs = map.getResult(0), rhs = map.getResult(1);
  auto quotient = dyn_cast<AffineBinaryOpExpr>(lhs);
  if (quotient && lhs.getKind() == AffineExprKind::FloorDiv &&
      quotient.getRHS() == int64_t(1) << 40 && rhs == 0)
    return printSize(quotient.getLHS(), names) + " >= 0";
  return printSize(lhs, names) + " == " + printSize(rhs, names);
}

LogicalResult SizeTable::emitEval(OpBuilder &builder, StringRef name) {
  Location loc = main.getLoc();
  Type i32 = builder.getI32Type(), i64 = builder.getI64Type();
  auto pointer = LLVM::LLVMPointerType::get(builder.getContext());
  auto func = LLVM::LLVMFuncOp::create(
      builder, loc, name, LLVM::LLVMFunctionType::get(i32, {pointer, pointer}));
  Block *entry = func.addEntryBlock(builder);
  builder.setInsertionPointToStart(entry);
  Value symbols = entry->getArgument(0), values = entry->getArgument(1);
  Cloner cloner(builder, *this, symbols);
  auto store = [&](Value index, int64_t id) {
    Value wide = index;
    if (index.getType().isIndex())
      wide = arith::IndexCastOp::create(builder, loc, i64, index);
    else if (index.getType() != i64)
      wide = arith::ExtUIOp::create(builder, loc, i64, index);
    Value address = LLVM::GEPOp::create(builder, loc, pointer, i64, values,
                                        LLVM::GEPArg((int32_t)id));
    LLVM::StoreOp::create(builder, loc, wide, address);
  };
  int64_t numSymbols = tables.symbols.size();
  for (int64_t i = 0; i < numSymbols; ++i) {
    Value from = LLVM::GEPOp::create(builder, loc, pointer, i64, symbols,
                                     LLVM::GEPArg((int32_t)i));
    Value to = LLVM::GEPOp::create(builder, loc, pointer, i64, values,
                                   LLVM::GEPArg((int32_t)i));
    LLVM::StoreOp::create(builder, loc,
                          LLVM::LoadOp::create(builder, loc, i64, from), to);
  }
  for (auto &[value, id] : ids) {
    FailureOr<Value> got = cloner.get(value);
    if (failed(got))
      return failure();
    store(*got, id);
  }
  if (!maxima.empty()) {
    Value best = arith::ConstantIndexOp::create(builder, loc, maximum);
    for (int64_t id : maxima) {
      FailureOr<Value> got =
          id < numSymbols
              ? cloner.getSymbol(id, loc)
              : cloner.get(ids.getArrayRef()[id - numSymbols].first);
      if (failed(got))
        return failure();
      best = arith::MaxSIOp::create(builder, loc, best, *got);
    }
    maximum = ~numValues;
    store(best, numValues++);
  }

  Value status = arith::ConstantIntOp::create(builder, loc, i32, 0);
  if (auto constraints = main->getAttrOfType<ArrayAttr>(constraintsAttrName)) {
    SmallVector<Value> all(numSymbols);
    for (AffineMap map : constraints.getAsValueRange<AffineMapAttr>()) {
      SmallVector<unsigned> read = getReadSymbols(map);
      if (!llvm::all_of(read, [&](unsigned i) { return isBoundAtEntry(i); }))
        continue;
      for (unsigned i : read)
        all[i] = cloner.getSymbol(i, loc);
      Value lhs = expandSizeExpr(builder, loc, map.getResult(0), {}, all);
      Value rhs = expandSizeExpr(builder, loc, map.getResult(1), {}, all);
      Value bad = arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::ne,
                                        lhs, rhs);
      std::string text =
          "expects sizes with " + printConstraint(map, tables.symbols);
      tables.checks.push_back({"", text});
      Value code =
          arith::ConstantIntOp::create(builder, loc, i32, tables.checks.size());
      status = arith::SelectOp::create(builder, loc, bad, code, status);
    }
  }
  Value overflows = createOverflowFlag(*entry, loc);
  Value code =
      arith::ConstantIntOp::create(builder, loc, i32, sizeOverflowStatus);
  status = arith::SelectOp::create(builder, loc, overflows, code, status);
  LLVM::ReturnOp::create(builder, loc, status);
  return success();
}
