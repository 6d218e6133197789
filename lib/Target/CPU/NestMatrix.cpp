// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Emits the blocks of a nest whose sums of products are products of matrices
// (AMX). A block has up to two matrices of the left operand, of 16 rows at
// most, and two of the right one, of 16 columns; their four products are summed
// up in registers, left in a buffer, and read from there by rows, as vectors,
// for the later stages.
//
//   registers 0 to 3   sums: 2 * (left matrix) + (right matrix)
//             4, 5     left matrices
//             6, 7     right matrices
//
// Shapes are part of a configuration that all registers are loaded with at
// once, which empties them. So blocks avoid to change it: where rows or columns
// do not fill two matrices, the two overlap, and where the last step along the
// reduction is shorter, registers 4 and 5 hold matrices of whole steps, left
// and right, and 6 and 7 those of the last one. Only a last block of as many
// rows as are left, where their number is not known, has a configuration of its
// own.
//
// Registers are numbered here, not by LLVM: its allocator gives a register one
// shape in all of a function, so that a second shape has matrices spilled, or
// runs out of registers.

#include "NestGenerator.h"

#include "lathe/Dialect/Lathe/IR/Lathe.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace lathe;
using namespace lathe::cpu;

/// Results of a block: rows, and columns of them in the buffer.
static constexpr int64_t resultRows = 32, resultColumns = 32;
static constexpr int64_t resultStride = resultColumns * sizeof(float);

static Value toWord(OpBuilder &builder, Location loc, OpFoldResult value) {
  Value index = getValueOrCreateConstantIndexOp(builder, loc, value);
  return builder.createOrFold<arith::IndexCastOp>(loc, builder.getI64Type(),
                                                  index);
}

/// The pointer to `offset` bytes behind `address`.
static Value toPointer(OpBuilder &builder, Location loc, Value address,
                       OpFoldResult offset) {
  if (!isConstantIntValue(offset, 0))
    address = builder.createOrFold<arith::AddIOp>(
        loc, address, getValueOrCreateConstantIndexOp(builder, loc, offset));
  return LLVM::IntToPtrOp::create(
      builder, loc, LLVM::LLVMPointerType::get(builder.getContext()),
      toWord(builder, loc, address));
}

/// The strides and the offset of a buffer, in elements.
static std::pair<SmallVector<OpFoldResult>, OpFoldResult>
getLayout(OpBuilder &builder, Location loc, Value buffer) {
  auto type = cast<MemRefType>(buffer.getType());
  auto [strides, offset] = type.getStridesAndOffset();
  if (!ShapedType::isDynamic(offset) && ShapedType::isStaticShape(strides))
    return {getAsIndexOpFoldResult(builder.getContext(), strides),
            builder.getIndexAttr(offset)};
  auto layout = memref::ExtractStridedMetadataOp::create(builder, loc, buffer);
  return {layout.getConstifiedMixedStrides(),
          layout.getConstifiedMixedOffset()};
}

static int64_t getBytes(Value buffer) {
  return getElementBytes(getElementTypeOrSelf(buffer.getType()));
}

/// `sum` and the product of the others.
static Value addProduct(OpBuilder &builder, Location loc, Value sum,
                        OpFoldResult lhs, OpFoldResult rhs) {
  Value product = builder.createOrFold<arith::MulIOp>(
      loc, getValueOrCreateConstantIndexOp(builder, loc, lhs),
      getValueOrCreateConstantIndexOp(builder, loc, rhs));
  return builder.createOrFold<arith::AddIOp>(loc, sum, product);
}

/// Bytes from a point of `operand` to the next one along `dim`, or, if that is
/// read in groups, to the next group.
static Value emitByteStride(OpBuilder &builder, Location loc,
                            linalg::LinalgOp op, unsigned number, unsigned dim,
                            int64_t group) {
  Value buffer = op->getOperand(number);
  AffineMap map = op.getIndexingMapsArray()[number];
  AffineExpr variable = getAffineDimExpr(dim, op.getContext());
  SmallVector<OpFoldResult> strides = getLayout(builder, loc, buffer).first;
  Value sum = arith::ConstantIndexOp::create(builder, loc, 0);
  for (auto [expr, stride] : llvm::zip_equal(map.getResults(), strides)) {
    std::optional<int64_t> step;
    if (group > 1)
      step = expr == variable.floorDiv(group);
    else
      step = getCoefficient(expr, variable, map.getNumDims());
    if (step && *step)
      sum = addProduct(builder, loc, sum, stride, builder.getIndexAttr(*step));
  }
  return builder.createOrFold<arith::MulIOp>(
      loc, sum, arith::ConstantIndexOp::create(builder, loc, getBytes(buffer)));
}

Value BodyEvaluator::getAddress(OpOperand &operand, const Coords &coords) {
  Location loc = nest.stages[0].op.getLoc();
  AffineMap map = nest.stages[0].op.getMatchingIndexingMap(&operand);
  SmallVector<Value> indices = getIndices(0, map, coords);
  if (plan.dot && operand.getOperandNumber() == plan.dot->product.right)
    indices.back() = arith::ConstantIndexOp::create(builder, loc, 0);
  auto [strides, offset] = getLayout(builder, loc, operand.get());
  Value place = getValueOrCreateConstantIndexOp(builder, loc, offset);
  for (auto [index, stride] : llvm::zip_equal(indices, strides))
    place = addProduct(builder, loc, place, index, stride);
  Value base = memref::ExtractAlignedPointerAsIndexOp::create(builder, loc,
                                                              operand.get());
  return addProduct(builder, loc, base, place,
                    builder.getIndexAttr(getBytes(operand.get())));
}

void NestGenerator::emitMatrixCall(StringRef name, ArrayRef<unsigned> registers,
                                   ValueRange operands) {
  SmallVector<Value> all;
  for (unsigned number : registers) {
    assert(number < 8 && "there are eight registers of matrices");
    all.push_back(arith::ConstantOp::create(
        builder, loc, builder.getI8IntegerAttr(int8_t(number))));
  }
  llvm::append_range(all, operands);
  LLVM::CallIntrinsicOp::create(builder, loc,
                                builder.getStringAttr("llvm.x86." + name), all);
}

//===----------------------------------------------------------------------===//
// Around the blocks
//===----------------------------------------------------------------------===//

SmallVector<Segment> NestGenerator::getMatrixSegments(unsigned dim) {
  bool isRows = dim == plan.matrix->rows;
  unsigned factor = isRows ? plan.matrix->blockRows : 2;
  OpFoldResult extent = extents[dim];
  if (isRows && getConstantIntValue(extent))
    return getBlockSegments(dim, factor);
  OpFoldResult zero = builder.getIndexAttr(0), full;
  if (std::optional<int64_t> size = getConstantIntValue(extent)) {
    full = builder.getIndexAttr(*size - *size % factor);
  } else {
    Value rest = arith::RemUIOp::create(
        builder, loc, toValue(extent),
        arith::ConstantIndexOp::create(builder, loc, factor));
    full =
        arith::SubIOp::create(builder, loc, toValue(extent), rest).getResult();
  }
  Segment last{full, extent, isRows ? factor : 1};
  last.partial = isRows;
  return {{zero, full, factor}, last};
}

void NestGenerator::configureMatrices(OpFoldResult rows) {
  const MatrixPlan &matrix = *plan.matrix;
  // Palette 1, start row 0; bytes of a row from byte 16, rows from byte 48 on.
  constexpr int64_t rowBytesAt = 16, rowsAt = 48, numBytes = 64;
  SmallVector<int8_t> bytes(numBytes, 0);
  bytes[0] = 1;
  SmallVector<int64_t> varying;
  auto shape = [&](int64_t number, std::optional<int64_t> count,
                   int64_t rowBytes) {
    bytes[rowBytesAt + 2 * number] = rowBytes;
    if (count)
      bytes[rowsAt + number] = *count;
    else
      varying.push_back(rowsAt + number);
  };
  std::optional<int64_t> known = getConstantIntValue(rows);
  int64_t columnBytes = matrix.columns * 4;
  for (int64_t number : {0, 1, 2, 3})
    shape(number, known, columnBytes);
  bool rest = matrix.restBytes > 0;
  shape(4, known, matrix.stepBytes);
  if (rest)
    shape(5, matrix.stepBytes / 4, columnBytes);
  else
    shape(5, known, matrix.stepBytes);
  if (rest)
    shape(6, known, matrix.restBytes);
  else
    shape(6, matrix.stepBytes / 4, columnBytes);
  shape(7, (rest ? matrix.restBytes : matrix.stepBytes) / 4, columnBytes);

  auto type = VectorType::get({numBytes}, builder.getI8Type());
  Value zero = arith::ConstantIndexOp::create(builder, loc, 0);
  vector::StoreOp::create(
      builder, loc,
      Value(arith::ConstantOp::create(
          builder, loc, DenseElementsAttr::get(type, ArrayRef(bytes)))),
      matrices.config, zero);
  for (int64_t at : varying)
    memref::StoreOp::create(
        builder, loc,
        Value(arith::IndexCastOp::create(builder, loc, builder.getI8Type(),
                                         toValue(rows))),
        matrices.config,
        Value(arith::ConstantIndexOp::create(builder, loc, at)));
  Value address = memref::ExtractAlignedPointerAsIndexOp::create(
      builder, loc, matrices.config);
  emitMatrixCall("ldtilecfg", {},
                 {toPointer(builder, loc, address, builder.getIndexAttr(0))});
}

void NestGenerator::beginMatrices() {
  linalg::LinalgOp op = nest.getMain();
  if (!matrices.config) {
    OpBuilder::InsertionGuard guard(builder);
    auto kernel = op->getParentOfType<KernelOp>();
    builder.setInsertionPointToStart(&kernel.getBlock());
    IntegerAttr alignment = builder.getI64IntegerAttr(64);
    auto allocate = [&](ArrayRef<int64_t> shape, Type element) -> Value {
      return memref::AllocaOp::create(
          builder, loc, MemRefType::get(shape, element), alignment);
    };
    matrices.config = allocate({64}, builder.getI8Type());
    matrices.results =
        allocate({resultRows, resultColumns},
                 getElementTypeOrSelf(op.getDpsInitOperand(0)->get()));
  }
  matrices.offsets.clear();
  const DotProduct &dot = *plan.dot;
  matrices.leftStride = emitByteStride(builder, loc, op, dot.product.left,
                                       plan.matrix->rows, /*group=*/1);
  matrices.rightStride =
      emitByteStride(builder, loc, op, dot.product.right, dot.product.reduction,
                     dot.product.group);
  OpFoldResult extent = extents[plan.matrix->rows];
  OpFoldResult rows = builder.getIndexAttr(plan.matrix->matrixRows);
  matrices.hasWhole = {};
  if (!getConstantIntValue(extent)) {
    matrices.hasWhole = arith::CmpIOp::create(
        builder, loc, arith::CmpIPredicate::uge, toValue(extent),
        arith::ConstantIndexOp::create(builder, loc, plan.matrix->blockRows));
    rows =
        arith::SelectOp::create(builder, loc, matrices.hasWhole, toValue(rows),
                                getPartialRows(toValue(extent)))
            .getResult();
  }
  configureMatrices(rows);
}

Value NestGenerator::getPartialRows(Value number) {
  Value one = arith::ConstantIndexOp::create(builder, loc, 1);
  if (countLeftMatrices() > 1)
    number = arith::CeilDivUIOp::create(
        builder, loc, number,
        arith::ConstantIndexOp::create(builder, loc, countLeftMatrices()));
  // No shape is empty.
  return arith::MaxUIOp::create(builder, loc, number, one);
}

void NestGenerator::endMatrices() { emitMatrixCall("tilerelease", {}); }

void NestGenerator::emitGroups(SmallVector<Value> &accumulators, int64_t step,
                               function_ref<void(SmallVector<Value> &)> body,
                               function_ref<void()> rest) {
  unsigned grouped = plan.dot->product.reduction;
  SmallVector<unsigned> outer;
  for (unsigned dim : reductions)
    if (dim != grouped)
      outer.push_back(dim);
  int64_t extent = staticExtents[grouped], full = extent - extent % step;
  auto emit = [&](auto &emit, ArrayRef<unsigned> dims,
                  SmallVector<Value> &values) -> void {
    bool last = dims.empty();
    unsigned dim = last ? grouped : dims.front();
    OpFoldResult end = last ? builder.getIndexAttr(full) : extents[dim];
    emitLoop({builder.getIndexAttr(0), end, 1}, last ? step : 1, values,
             [&](Value index, SmallVector<Value> &inner) {
               block.base[dim] = index;
               last ? body(inner) : emit(emit, dims.drop_front(), inner);
             });
    if (last && full != extent) {
      block.base[dim] = arith::ConstantIndexOp::create(builder, loc, full);
      rest();
    }
  };
  emit(emit, outer, accumulators);
}

void NestGenerator::emitMatrixOffsets() {
  unsigned columns = plan.vectorDim;
  auto type = VectorType::get({int64_t(plan.lanes)}, builder.getI32Type());
  matrices.offsets.assign(
      block.factors[columns],
      arith::ConstantOp::create(builder, loc, builder.getZeroAttr(type)));
  emitGroups(matrices.offsets, plan.dot->product.group,
             [&](SmallVector<Value> &sums) {
               BodyEvaluator body(builder, nest, plan, block);
               Coords coords(block.factors.size(), 0);
               for (auto [i, sum] : llvm::enumerate(sums)) {
                 coords[columns] = i;
                 sum = body.addColumns(*plan.dot, sum, coords);
               }
             });
}

//===----------------------------------------------------------------------===//
// Blocks
//===----------------------------------------------------------------------===//

/// How far the second matrix begins behind the first, if both together cover
/// `extent` points.
static OpFoldResult getSecond(OpBuilder &builder, Location loc,
                              OpFoldResult extent, OpFoldResult size) {
  std::optional<int64_t> all = getConstantIntValue(extent),
                         one = getConstantIntValue(size);
  if (all && one)
    return builder.getIndexAttr(*all - *one);
  return arith::SubIOp::create(
             builder, loc,
             getValueOrCreateConstantIndexOp(builder, loc, extent),
             getValueOrCreateConstantIndexOp(builder, loc, size))
      .getResult();
}

void NestGenerator::emitMatrixStep(OpFoldResult blockRows,
                                   OpFoldResult matrixRows, bool rest) {
  const MatrixPlan &matrix = *plan.matrix;
  linalg::LinalgOp op = nest.getMain();
  unsigned columns = plan.vectorDim;
  // Loads the matrix at the block's first point, or `offset` behind it along
  // `dim`.
  auto load = [&](unsigned number, unsigned operand, unsigned dim,
                  OpFoldResult offset, Value stride) {
    BlockState at = block;
    if (!isConstantIntValue(offset, 0))
      at.base[dim] = builder.createOrFold<arith::AddIOp>(loc, at.base[dim],
                                                         toValue(offset));
    BodyEvaluator body(builder, nest, plan, at);
    Value address = body.getAddress(op->getOpOperand(operand),
                                    Coords(at.factors.size(), 0));
    emitMatrixCall("tileloadd64", {number},
                   {toPointer(builder, loc, address, builder.getIndexAttr(0)),
                    toWord(builder, loc, stride)});
  };
  OpFoldResult zero = builder.getIndexAttr(0);
  OpFoldResult nextRows = matrix.neighbours
                              ? OpFoldResult(builder.getIndexAttr(1))
                              : getSecond(builder, loc, blockRows, matrixRows);
  OpFoldResult nextColumns = builder.getIndexAttr(getSecondColumn());
  bool shares = matrix.restBytes > 0;
  bool floats = isa<FloatType>(
      getElementTypeOrSelf(op->getOperand(plan.dot->product.right)));
  StringRef name = floats                    ? "tdpbf16ps"
                   : plan.dot->product.flips ? "tdpbssd"
                                             : "tdpbusd";
  // Neighbours in this order have a factor in common.
  constexpr std::pair<unsigned, unsigned> order[] = {
      {0, 0}, {0, 1}, {1, 1}, {1, 0}};
  std::map<unsigned, unsigned> held;
  for (auto [i, j] : order) {
    if (i >= countLeftMatrices() || j >= block.factors[columns])
      continue;
    unsigned left = !shares ? 4 + i : rest ? 6 : 4;
    unsigned right = !shares ? 6 + j : rest ? 7 : 5;
    if (auto it = held.find(left); it == held.end() || it->second != i)
      load(left, plan.dot->product.left,
           matrix.neighbours.value_or(matrix.rows), i ? nextRows : zero,
           matrices.leftStride);
    if (auto it = held.find(right); it == held.end() || it->second != j)
      load(right, plan.dot->product.right, columns, j ? nextColumns : zero,
           matrices.rightStride);
    held[left] = i;
    held[right] = j;
    emitMatrixCall(name, {2 * i + j, left, right});
  }
}

int64_t NestGenerator::getSecondColumn() {
  int64_t columns = plan.matrix->columns;
  return columns == plan.lanes ? columns
                               : staticExtents[plan.vectorDim] - columns;
}

unsigned NestGenerator::countLeftMatrices() {
  const MatrixPlan &matrix = *plan.matrix;
  if (matrix.neighbours)
    return block.factors[*matrix.neighbours];
  return matrix.blockRows > matrix.matrixRows ? 2 : 1;
}

void NestGenerator::emitMatrixBlock() {
  const MatrixPlan &matrix = *plan.matrix;
  unsigned columns = plan.vectorDim, numLeft = countLeftMatrices();
  OpFoldResult blockRows = builder.getIndexAttr(block.factors[matrix.rows]);
  OpFoldResult matrixRows = builder.getIndexAttr(matrix.matrixRows);
  // A partial block alone has the registers' first configuration.
  auto reconfigure = [&](OpFoldResult rows) {
    OpBuilder::InsertionGuard guard(builder);
    auto ifOp = scf::IfOp::create(builder, loc, matrices.hasWhole,
                                  /*withElse=*/false);
    builder.setInsertionPointToStart(ifOp.thenBlock());
    configureMatrices(rows);
  };
  if (block.partial) {
    Value left = arith::SubIOp::create(
        builder, loc, toValue(extents[matrix.rows]), block.base[matrix.rows]);
    blockRows = left;
    matrixRows = getPartialRows(left);
    reconfigure(matrixRows);
  }
  auto forEachSum = [&](function_ref<void(unsigned, unsigned)> visit) {
    for (unsigned i = 0; i < numLeft; ++i)
      for (unsigned j = 0; j < block.factors[columns]; ++j)
        visit(i, j);
  };
  forEachSum(
      [&](unsigned i, unsigned j) { emitMatrixCall("tilezero", {2 * i + j}); });
  SmallVector<Value> none;
  int64_t perGroup = 4 / plan.dot->product.group;
  emitGroups(
      none, matrix.stepBytes / perGroup,
      [&](SmallVector<Value> &) {
        emitMatrixStep(blockRows, matrixRows, false);
      },
      [&] { emitMatrixStep(blockRows, matrixRows, true); });

  Value results = memref::ExtractAlignedPointerAsIndexOp::create(
      builder, loc, matrices.results);
  forEachSum([&](unsigned i, unsigned j) {
    OpFoldResult row = builder.getIndexAttr(i * plan.lanes);
    if (i && !matrix.neighbours)
      row = getSecond(builder, loc, blockRows, matrixRows);
    int64_t column = j ? getSecondColumn() : 0;
    Value place = addProduct(
        builder, loc,
        arith::ConstantIndexOp::create(builder, loc, column * sizeof(float)),
        row, builder.getIndexAttr(resultStride));
    emitMatrixCall("tilestored64", {2 * i + j},
                   {toPointer(builder, loc, results, place),
                    toWord(builder, loc, builder.getIndexAttr(resultStride))});
  });
  for (unsigned p = 0; p < (matrix.neighbours ? numLeft : 1); ++p)
    emitMatrixResults(p, blockRows);
  if (block.partial)
    reconfigure(builder.getIndexAttr(matrix.matrixRows));
}
