// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Sums of products of bytes, four at a time, and of bf16, two at a time. A lane
// of 32 bits holds numbers of the right operand that follow each other along
// the reduction, as weights are packed; as many of the left operand are read as
// one word, the same for all lanes. One step adds all products of bytes to the
// lane:
//   with dot products of bytes   one instruction (AVX-512 VNNI, AVX VNNI)
//   with pairs of 16-bit numbers two, of even and odd bytes (AVX2, AVX-512 BW)
//   else                         four multiplications of 32-bit numbers
// All are exact: nothing saturates. Of bf16 it is one instruction (AVX-512
// BF16); weights are packed in pairs only where there is one.

#include "NestBody.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace lathe;
using namespace lathe::cpu;

/// The strides of the two innermost dimensions are `outer` and 1.
static bool endsWithStrides(Value buffer, int64_t outer) {
  auto type = dyn_cast<MemRefType>(buffer.getType());
  SmallVector<int64_t> strides;
  int64_t offset;
  if (!type || failed(type.getStridesAndOffset(strides, offset)) ||
      strides.empty() || strides.back() != 1)
    return false;
  return outer == 0 || (strides.size() > 1 && strides.rbegin()[1] == outer);
}

/// Matches an op whose operand `right` is packed in groups.
static std::optional<DotProduct> matchPacked(linalg::LinalgOp op,
                                             unsigned rightNumber,
                                             ArrayRef<int64_t> extents,
                                             const lathe::cpu::Target &target) {
  std::optional<GroupedProduct> product = matchGroupedProduct(op, rightNumber);
  if (!product || ShapedType::isDynamic(extents[product->reduction]) ||
      extents[product->reduction] % product->group != 0)
    return std::nullopt;
  int64_t group = product->group;
  OpOperand *left = op.getDpsInputOperand(product->left);
  OpOperand *right = op.getDpsInputOperand(product->right);
  AffineMap map = op.getMatchingIndexingMap(right);
  MLIRContext *context = op.getContext();
  AffineExpr summed = getAffineDimExpr(product->reduction, context);
  unsigned rank = map.getNumResults();
  if (rank < 3 || map.getResult(rank - 1) != summed % group ||
      !endsWithStrides(right->get(), group) || !endsWithStrides(left->get(), 0))
    return std::nullopt;
  unsigned groups = 0;
  for (AffineExpr expr : map.getResults().drop_back()) {
    groups += expr == summed.floorDiv(group);
    if (expr.isFunctionOfDim(product->reduction) &&
        expr != summed.floorDiv(group))
      return std::nullopt;
  }
  // Columns: `n`, or `n mod w` in a panel.
  AffineExpr column = map.getResult(rank - 2);
  auto binary = dyn_cast<AffineBinaryOpExpr>(column);
  DotProduct dot;
  dot.product = *product;
  dot.lanes = target.vectorBytes / sizeof(int32_t);
  dot.panelled = binary && binary.getKind() == AffineExprKind::Mod;
  if (dot.panelled) {
    auto width = dyn_cast<AffineConstantExpr>(binary.getRHS());
    if (!width || width.getValue() % dot.lanes != 0)
      return std::nullopt;
    column = binary.getLHS();
  }
  auto dim = dyn_cast<AffineDimExpr>(column);
  if (groups != 1 || !dim ||
      op.getIteratorTypesArray()[dim.getPosition()] !=
          utils::IteratorType::parallel ||
      op.getMatchingIndexingMap(left).isFunctionOfDim(dim.getPosition()))
    return std::nullopt;
  dot.columns = dim.getPosition();
  bool wide = target.vectorBytes == 64;
  if (isa<FloatType>(getElementTypeOrSelf(right->get()))) {
    if (!target.sumsPairs())
      return std::nullopt;
    dot.kind = DotProduct::Groups;
  } else if (wide ? target.hasFeature("avx512vnni")
                  : target.hasFeature("avxvnni") ||
                        (target.hasFeature("avx512vnni") &&
                         target.hasFeature("avx512vl"))) {
    dot.kind = DotProduct::Groups;
  } else if (target.hasFeature(wide ? "avx512bw" : "avx2")) {
    dot.kind = DotProduct::Pairs;
  } else {
    dot.kind = DotProduct::Words;
  }
  return dot;
}

std::optional<DotProduct>
lathe::cpu::matchDotProduct(linalg::LinalgOp op, ArrayRef<int64_t> extents,
                            const lathe::cpu::Target &target) {
  for (unsigned right : {1, 0})
    if (std::optional<DotProduct> dot = matchPacked(op, right, extents, target))
      return dot;
  return std::nullopt;
}

/// A word in all lanes.
Value BodyEvaluator::loadLeftGroup(const DotProduct &dot,
                                   const Coords &coords) {
  OpOperand &operand = nest.stages[0].op->getOpOperand(dot.product.left);
  Key key{&operand, project(coords, getOperandDims(0, operand))};
  if (auto it = values.find(key); it != values.end())
    return it->second;
  Location loc = nest.stages[0].op.getLoc();
  AffineMap map = nest.stages[0].op.getMatchingIndexingMap(&operand);
  SmallVector<Value> indices = getIndices(0, map, coords);
  Value buffer = skipPadding(0, operand, indices);
  Type i32 = builder.getI32Type();
  Value group = vector::LoadOp::create(
      builder, loc,
      VectorType::get({dot.product.group},
                      getElementTypeOrSelf(buffer.getType())),
      buffer, indices);
  Value word = vector::ExtractOp::create(
      builder, loc,
      Value(vector::BitCastOp::create(builder, loc, VectorType::get({1}, i32),
                                      group)),
      int64_t(0));
  if (dot.product.flips) {
    Value flip = arith::ConstantOp::create(
        builder, loc, builder.getI32IntegerAttr(int32_t(0x80808080)));
    word = arith::XOrIOp::create(builder, loc, word, flip);
  }
  return values[key] = broadcast(word);
}

/// A word for each lane.
Value BodyEvaluator::loadRightGroup(const DotProduct &dot,
                                    const Coords &coords) {
  OpOperand &operand = nest.stages[0].op->getOpOperand(dot.product.right);
  Key key{&operand, project(coords, getOperandDims(0, operand))};
  if (auto it = values.find(key); it != values.end())
    return it->second;
  Location loc = nest.stages[0].op.getLoc();
  AffineMap map = nest.stages[0].op.getMatchingIndexingMap(&operand);
  SmallVector<Value> indices = getIndices(0, map, coords);
  // The reduction goes from group to group.
  indices.back() = arith::ConstantIndexOp::create(builder, loc, 0);
  int64_t count = int64_t(dot.lanes) * dot.product.group;
  auto type =
      VectorType::get({count}, getElementTypeOrSelf(operand.get().getType()));
  Value value;
  // The last panel is full, filled up with zeros.
  if (getMask(coords) && !dot.panelled) {
    Value left = arith::SubIOp::create(builder, loc, block.vectorEnd,
                                       getIndex(plan.vectorDim, coords));
    Value group =
        arith::ConstantIndexOp::create(builder, loc, dot.product.group);
    Value mask = vector::CreateMaskOp::create(
        builder, loc, VectorType::get({count}, builder.getI1Type()),
        Value(arith::MulIOp::create(builder, loc, left, group)));
    Value zeros =
        arith::ConstantOp::create(builder, loc, builder.getZeroAttr(type));
    value = vector::MaskedLoadOp::create(builder, loc, type, operand.get(),
                                         indices, mask, zeros);
  } else {
    value = vector::LoadOp::create(builder, loc, type, operand.get(), indices);
  }
  auto words = VectorType::get({int64_t(dot.lanes)}, builder.getI32Type());
  return values[key] = vector::BitCastOp::create(builder, loc, words, value);
}

/// The even and odd bytes of words as numbers of 16 bits, in even and odd words
/// of half the size.
static std::pair<Value, Value> splitBytes(OpBuilder &b, Location loc,
                                          Value words, bool isSigned) {
  auto type = cast<VectorType>(words.getType());
  auto halves = VectorType::get({2 * type.getNumElements()}, b.getI16Type());
  Value all = vector::BitCastOp::create(b, loc, halves, words);
  Value eight = arith::ConstantOp::create(
      b, loc, DenseElementsAttr::get(halves, b.getI16IntegerAttr(8)));
  Value up = arith::ShLIOp::create(b, loc, all, eight);
  if (isSigned)
    return {arith::ShRSIOp::create(b, loc, up, eight),
            arith::ShRSIOp::create(b, loc, all, eight)};
  return {arith::ShRUIOp::create(b, loc, up, eight),
          arith::ShRUIOp::create(b, loc, all, eight)};
}

Value BodyEvaluator::evaluateDot(const DotProduct &dot, const Coords &coords) {
  linalg::LinalgOp op = nest.stages[0].op;
  Value sum = broadcast(evaluate(0, op.getBlock()->getArgument(2), coords));
  return addProducts(dot, sum, loadLeftGroup(dot, coords),
                     loadRightGroup(dot, coords));
}

Value BodyEvaluator::addColumns(const DotProduct &dot, Value sum,
                                const Coords &coords) {
  Value left = arith::ConstantOp::create(
      builder, sum.getLoc(),
      DenseElementsAttr::get(cast<VectorType>(sum.getType()),
                             builder.getI32IntegerAttr(int32_t(0x80808080))));
  return addProducts(dot, sum, left, loadRightGroup(dot, coords));
}

Value BodyEvaluator::addProducts(const DotProduct &dot, Value sum, Value left,
                                 Value right) {
  linalg::LinalgOp op = nest.stages[0].op;
  Location loc = op.getLoc();
  Type type = sum.getType();
  auto call = [&](StringRef name, ValueRange operands) {
    return LLVM::CallIntrinsicOp::create(builder, loc, type,
                                         builder.getStringAttr(name), operands)
        .getResults();
  };
  if (dot.kind == DotProduct::Groups) {
    Type element =
        getElementTypeOrSelf(op->getOperand(dot.product.right).getType());
    auto groups =
        VectorType::get({int64_t(dot.lanes) * dot.product.group}, element);
    Value x = vector::BitCastOp::create(builder, loc, groups, left);
    Value y = vector::BitCastOp::create(builder, loc, groups, right);
    if (isa<FloatType>(element))
      return call("llvm.x86.avx512bf16.dpbf16ps.512", {sum, y, x});
    return call(dot.lanes == 16 ? "llvm.x86.avx512.vpdpbusd.512"
                                : "llvm.x86.avx512.vpdpbusd.256",
                {sum, x, y});
  }
  if (dot.kind == DotProduct::Pairs) {
    // Split once for all that share the operand.
    auto split = [&](Value words, bool isSigned) {
      auto [it, fresh] = splits.try_emplace(words);
      if (fresh)
        it->second = splitBytes(builder, loc, words, isSigned);
      return it->second;
    };
    auto [evenX, oddX] = split(left, /*isSigned=*/false);
    auto [evenY, oddY] = split(right, /*isSigned=*/true);
    StringRef name = dot.lanes == 16 ? "llvm.x86.avx512.pmaddw.d.512"
                                     : "llvm.x86.avx2.pmadd.wd";
    sum = arith::AddIOp::create(builder, loc, sum, call(name, {evenX, evenY}));
    return arith::AddIOp::create(builder, loc, sum, call(name, {oddX, oddY}));
  }
  auto amount = [&](int64_t bits) -> Value {
    return arith::ConstantOp::create(
        builder, loc,
        DenseElementsAttr::get(cast<VectorType>(type),
                               builder.getI32IntegerAttr(int32_t(bits))));
  };
  for (int64_t i = 0; i < dot.product.group; ++i) {
    Value up = amount(24 - 8 * i), down = amount(24);
    Value x = arith::ShRUIOp::create(
        builder, loc, Value(arith::ShLIOp::create(builder, loc, left, up)),
        down);
    Value y = arith::ShRSIOp::create(
        builder, loc, Value(arith::ShLIOp::create(builder, loc, right, up)),
        down);
    sum = arith::AddIOp::create(
        builder, loc, sum, Value(arith::MulIOp::create(builder, loc, x, y)));
  }
  return sum;
}
