// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Sums of products of bytes, four at a time. A lane of 32 bits holds four bytes
// of the right operand that follow each other along the reduction, as weights
// are packed; four bytes of the left operand are read as one word, the same for
// all lanes. One step adds the four products to the lane:
//   with dot products of bytes   one instruction (AVX-512 VNNI, AVX VNNI)
//   with pairs of 16-bit numbers two, of even and odd bytes (AVX2, AVX-512 BW)
//   else                         four multiplications of 32-bit numbers
// All are exact: nothing saturates.

#include "NestBody.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace lathe;
using namespace lathe::cpu;

static bool hasFeature(const lathe::cpu::Target &target, StringRef name) {
  SmallVector<StringRef> names;
  StringRef(target.requiredFeatures).split(names, ',');
  return llvm::is_contained(names, name);
}

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

std::optional<ByteDot>
lathe::cpu::matchByteDot(linalg::LinalgOp op, ArrayRef<int64_t> extents,
                         const lathe::cpu::Target &target) {
  std::optional<ByteProduct> product = matchByteProduct(op);
  if (!product || ShapedType::isDynamic(extents[product->reduction]) ||
      extents[product->reduction] % byteGroup != 0)
    return std::nullopt;
  OpOperand *left = op.getDpsInputOperand(product->left);
  OpOperand *right = op.getDpsInputOperand(product->right);
  AffineMap map = op.getMatchingIndexingMap(right);
  MLIRContext *context = op.getContext();
  AffineExpr summed = getAffineDimExpr(product->reduction, context);
  unsigned rank = map.getNumResults();
  if (rank < 3 || map.getResult(rank - 1) != summed % byteGroup ||
      !endsWithStrides(right->get(), byteGroup) ||
      !endsWithStrides(left->get(), 0))
    return std::nullopt;
  unsigned groups = 0;
  for (AffineExpr expr : map.getResults().drop_back()) {
    groups += expr == summed.floorDiv(byteGroup);
    if (expr.isFunctionOfDim(product->reduction) &&
        expr != summed.floorDiv(byteGroup))
      return std::nullopt;
  }
  // Columns: `n`, or `n mod w` in a panel.
  AffineExpr column = map.getResult(rank - 2);
  auto binary = dyn_cast<AffineBinaryOpExpr>(column);
  ByteDot dot;
  dot.product = *product;
  dot.panelled = binary && binary.getKind() == AffineExprKind::Mod;
  if (dot.panelled) {
    auto width = dyn_cast<AffineConstantExpr>(binary.getRHS());
    if (!width || width.getValue() % (target.vectorBytes / byteGroup) != 0)
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
  dot.lanes = target.vectorBytes / byteGroup;
  bool wide = target.vectorBytes == 64;
  if (wide ? hasFeature(target, "avx512vnni")
           : hasFeature(target, "avxvnni") ||
                 (hasFeature(target, "avx512vnni") &&
                  hasFeature(target, "avx512vl")))
    dot.kind = ByteDot::Bytes;
  else if (hasFeature(target, wide ? "avx512bw" : "avx2"))
    dot.kind = ByteDot::Pairs;
  else
    dot.kind = ByteDot::Words;
  return dot;
}

/// A word in all lanes, as bytes.
Value BodyEvaluator::loadLeftBytes(const ByteDot &dot, const Coords &coords) {
  OpOperand &operand = nest.stages[0].op->getOpOperand(dot.product.left);
  Key key{&operand, project(coords, getOperandDims(0, operand))};
  if (auto it = values.find(key); it != values.end())
    return it->second;
  Location loc = nest.stages[0].op.getLoc();
  AffineMap map = nest.stages[0].op.getMatchingIndexingMap(&operand);
  SmallVector<Value> indices = getIndices(0, map, coords);
  Value buffer = skipPadding(0, operand, indices);
  Type i8 = builder.getI8Type(), i32 = builder.getI32Type();
  Value bytes = vector::LoadOp::create(
      builder, loc, VectorType::get({byteGroup}, i8), buffer, indices);
  Value word = vector::ExtractOp::create(
      builder, loc,
      Value(vector::BitCastOp::create(builder, loc, VectorType::get({1}, i32),
                                      bytes)),
      int64_t(0));
  if (dot.product.flips) {
    Value flip = arith::ConstantOp::create(
        builder, loc, builder.getI32IntegerAttr(int32_t(0x80808080)));
    word = arith::XOrIOp::create(builder, loc, word, flip);
  }
  return values[key] = broadcast(word);
}

/// Four bytes for each lane.
Value BodyEvaluator::loadRightBytes(const ByteDot &dot, const Coords &coords) {
  OpOperand &operand = nest.stages[0].op->getOpOperand(dot.product.right);
  Key key{&operand, project(coords, getOperandDims(0, operand))};
  if (auto it = values.find(key); it != values.end())
    return it->second;
  Location loc = nest.stages[0].op.getLoc();
  AffineMap map = nest.stages[0].op.getMatchingIndexingMap(&operand);
  SmallVector<Value> indices = getIndices(0, map, coords);
  // The reduction goes from group to group.
  indices.back() = arith::ConstantIndexOp::create(builder, loc, 0);
  int64_t count = int64_t(dot.lanes) * byteGroup;
  auto type = VectorType::get({count}, builder.getI8Type());
  Value value;
  // The last panel is full, filled up with zeros.
  if (getMask(coords) && !dot.panelled) {
    Value left = arith::SubIOp::create(builder, loc, block.vectorEnd,
                                       getIndex(plan.vectorDim, coords));
    Value group = arith::ConstantIndexOp::create(builder, loc, byteGroup);
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

Value BodyEvaluator::evaluateDot(const ByteDot &dot, const Coords &coords) {
  linalg::LinalgOp op = nest.stages[0].op;
  Location loc = op.getLoc();
  Value sum = broadcast(evaluate(0, op.getBlock()->getArgument(2), coords));
  Value left = loadLeftBytes(dot, coords), right = loadRightBytes(dot, coords);
  Type type = sum.getType();
  auto call = [&](StringRef name, ValueRange operands) {
    return LLVM::CallIntrinsicOp::create(builder, loc, type,
                                         builder.getStringAttr(name), operands)
        .getResults();
  };
  if (dot.kind == ByteDot::Bytes) {
    auto bytes =
        VectorType::get({int64_t(dot.lanes) * byteGroup}, builder.getI8Type());
    Value x = vector::BitCastOp::create(builder, loc, bytes, left);
    Value y = vector::BitCastOp::create(builder, loc, bytes, right);
    return call(dot.lanes == 16 ? "llvm.x86.avx512.vpdpbusd.512"
                                : "llvm.x86.avx512.vpdpbusd.256",
                {sum, x, y});
  }
  if (dot.kind == ByteDot::Pairs) {
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
  for (int64_t i = 0; i < byteGroup; ++i) {
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
