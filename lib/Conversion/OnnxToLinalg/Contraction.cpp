// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Sums of products: matrix products and Einstein sums. Each is one
// `linalg.generic` over all its dimensions, accumulating in the compute type
// (f32 for the short floats) from zero.

#include "Contraction.h"

#include "Elementwise.h"
#include "Families.h"
#include "lathe/Dialect/Lathe/IR/Lathe.h"
#include "lathe/Dialect/Onnx/IR/Nn.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Utils/IndexingUtils.h"
#include "llvm/ADT/MapVector.h"

using namespace mlir;
using namespace lathe;

Value lathe::contract(Lowering &l, ArrayRef<Operand> inputs, unsigned numLoops,
                      DimsRef dims, AffineMap resultMap) {
  Type element = inputs.front().element;
  Type compute = getComputeType(element);
  Value init = l.fill(dims, cast<TypedAttr>(l.b.getZeroAttr(compute)));
  if (!resultMap)
    resultMap = getLoopMap(l.b.getContext(), numLoops, 0, dims.size());
  SmallVector<utils::IteratorType> iterators(numLoops,
                                             utils::IteratorType::reduction);
  for (AffineExpr expr : resultMap.getResults())
    if (auto dim = dyn_cast<AffineDimExpr>(expr))
      iterators[dim.getPosition()] = utils::IteratorType::parallel;
  SmallVector<Value> tensors;
  SmallVector<AffineMap> maps;
  for (const Operand &input : inputs) {
    tensors.push_back(input.value);
    maps.push_back(input.map);
  }
  maps.push_back(resultMap);
  return l
      .generic(
          tensors, init, maps, iterators,
          [&](ImplicitLocOpBuilder &b, ValueRange args) -> SmallVector<Value> {
            Value product;
            bool isFloat = isa<FloatType>(compute);
            for (auto [arg, input] : llvm::zip(args, inputs)) {
              Value x = loadScalar(b, arg, input.element);
              if (!product)
                product = x;
              else if (isFloat)
                product = arith::MulFOp::create(b, product, x);
              else
                product = arith::MulIOp::create(b, product, x);
            }
            if (isFloat)
              return {arith::AddFOp::create(b, args.back(), product)};
            return {arith::AddIOp::create(b, args.back(), product)};
          })
      .front();
}

Value lathe::store(Lowering &l, Value computed, DimsRef dims, Type element) {
  Type compute = getComputeType(element);
  if (compute == getStorageType(element))
    return computed;
  return l.elementwise(
      Operand{computed, compute}, dims, element,
      [](ImplicitLocOpBuilder &, ValueRange x) { return x[0]; });
}

/// A weight with one more step in its recipe; null if `value` is none.
static Value addStep(Lowering &l, Value value, ArrayRef<int64_t> shape,
                     Attribute step) {
  auto weight = value.getDefiningOp<WeightOp>();
  if (!weight)
    return {};
  SmallVector<Attribute> recipe(weight.getRecipe().begin(),
                                weight.getRecipe().end());
  recipe.push_back(step);
  auto type = cast<RankedTensorType>(value.getType()).clone(shape);
  return WeightOp::create(l.b, type, weight.getValue(),
                          l.b.getArrayAttr(recipe));
}

Value lathe::permuteWeight(Lowering &l, Value tensor, ArrayRef<int64_t> perm) {
  auto shape = cast<RankedTensorType>(tensor.getType()).getShape();
  return addStep(l, tensor, applyPermutation(shape, perm),
                 PermuteStepAttr::get(l.b.getContext(), perm));
}

Value lathe::transposeWeight(Lowering &l, Value matrix) {
  return permuteWeight(l, matrix, {1, 0});
}

Value lathe::reshapeWeight(Lowering &l, Value weight, ArrayRef<int64_t> shape) {
  if (Value made = addStep(l, weight, shape,
                           ReshapeStepAttr::get(l.b.getContext(), shape)))
    return made;
  return l.view(weight, getAsIndexOpFoldResult(l.b.getContext(), shape));
}

//===----------------------------------------------------------------------===//
// MatMul
//===----------------------------------------------------------------------===//

MatMulMaps lathe::getMatMulMaps(Lowering &l, unsigned a, unsigned b) {
  MLIRContext *context = l.b.getContext();
  int64_t rankA = l.rank(a), rankB = l.rank(b);
  auto shape = l.resultType().getShape();
  int64_t rank = shape.size();
  unsigned numLoops = rank + 1;
  int64_t numBatches = rank - (rankA > 1) - (rankB > 1);
  AffineExpr k = getAffineDimExpr(rank, context);
  auto mapBatches = [&](ArrayRef<int64_t> batches) {
    SmallVector<AffineExpr> exprs;
    int64_t shift = numBatches - batches.size();
    for (auto [i, size] : llvm::enumerate(batches))
      exprs.push_back(size == 1 && shape[i + shift] != 1
                          ? getAffineConstantExpr(0, context)
                          : getAffineDimExpr(i + shift, context));
    return exprs;
  };
  ArrayRef<int64_t> shapeA = l.type(a).getShape();
  ArrayRef<int64_t> shapeB = l.type(b).getShape();
  SmallVector<AffineExpr> exprsA =
      mapBatches(shapeA.drop_back(std::min<int64_t>(2, rankA)));
  if (rankA > 1)
    exprsA.push_back(getAffineDimExpr(numBatches, context));
  exprsA.push_back(k);
  SmallVector<AffineExpr> exprsB =
      mapBatches(shapeB.drop_back(std::min<int64_t>(2, rankB)));
  exprsB.push_back(k);
  if (rankB > 1)
    exprsB.push_back(getAffineDimExpr(rank - 1, context));
  return {AffineMap::get(numLoops, 0, exprsA, context),
          AffineMap::get(numLoops, 0, exprsB, context)};
}

static LogicalResult lowerMatMul(onnx::MatMulOp, Lowering &l) {
  Dims dims = l.resultDims();
  MatMulMaps maps = getMatMulMaps(l, 0, 1);
  Operand a = l.operand(0), b = l.operand(1);
  a.map = maps.a;
  b.map = maps.b;
  Value product = contract(l, {a, b}, dims.size() + 1, dims);
  return l.replace(store(l, product, dims, l.resultElement()));
}

//===----------------------------------------------------------------------===//
// Gemm
//===----------------------------------------------------------------------===//

LogicalResult lathe::lowerGemm(Lowering &l, const Gemm &gemm) {
  MLIRContext *context = l.b.getContext();
  float alpha = gemm.alpha, beta = gemm.beta;
  bool hasC = l.has(2) && beta != 0;
  Type element = l.resultElement(), compute = getComputeType(element);
  if (!isa<FloatType>(element) && (alpha != 1 || (hasC && beta != 1)))
    return l.unsupported("expected alpha and beta of 1 for integers");

  AffineExpr m, n, k;
  bindDims(context, m, n, k);
  auto map = [&](AffineExpr row, AffineExpr column, bool swapped) {
    return swapped ? AffineMap::get(3, 0, {column, row}, context)
                   : AffineMap::get(3, 0, {row, column}, context);
  };
  Operand a = l.operand(0), b = l.operand(1);
  a.map = map(m, k, gemm.transA);
  b.map = map(k, n, gemm.transB);
  if (gemm.transB)
    if (Value swapped = transposeWeight(l, b.value)) {
      b.value = swapped;
      b.map = map(k, n, false);
    }
  Dims dims = l.resultDims();
  Value product = contract(l, {a, b}, 3, dims);
  if (!hasC && alpha == 1 && !gemm.after)
    return l.replace(store(l, product, dims, element));

  SmallVector<Operand> inputs = {{product, compute}};
  if (hasC)
    inputs.push_back(l.operand(2));
  SmallVector<Type> types = {compute, compute};
  return l.replace(l.elementwise(
      inputs, dims, element, [&](ImplicitLocOpBuilder &ib, ValueRange x) {
        Element e{ib, x, types, element};
        Value y = alpha == 1 ? x[0] : e.mul(x[0], e.constant(alpha));
        if (hasC)
          y = e.add(y, beta == 1 ? x[1] : e.mul(x[1], e.constant(beta)));
        return gemm.after ? gemm.after(e, y) : y;
      }));
}

static LogicalResult lowerPlainGemm(onnx::GemmOp op, Lowering &l) {
  return lowerGemm(l, {op.getAlpha().convertToFloat(),
                       op.getBeta().convertToFloat(), bool(op.getTransA()),
                       bool(op.getTransB())});
}

//===----------------------------------------------------------------------===//
// Einsum
//===----------------------------------------------------------------------===//

namespace {
/// One term of an equation: a letter per dimension; the dimensions of an
/// ellipsis, counted from the end of all ellipses, are negative.
using Term = SmallVector<int>;
} // namespace

/// Splits `text`, in which an ellipsis stands for `rank` less the letters.
static std::optional<Term> parseTerm(StringRef text, int64_t rank) {
  Term term;
  int64_t letters = llvm::count_if(text, llvm::isAlpha);
  while (!text.empty()) {
    if (text.consume_front("...")) {
      for (int64_t i = rank - letters; i > 0; --i)
        term.push_back(-i);
    } else if (llvm::isAlpha(text.front())) {
      term.push_back(text.front());
      text = text.drop_front();
    } else {
      return std::nullopt;
    }
  }
  if (int64_t(term.size()) != rank)
    return std::nullopt;
  return term;
}

static LogicalResult lowerEinsum(onnx::EinsumOp op, Lowering &l) {
  MLIRContext *context = l.b.getContext();
  std::string equation = op.getEquation().str();
  llvm::erase(equation, ' ');
  auto [left, right] = StringRef(equation).split("->");
  bool isExplicit = StringRef(equation).contains("->");
  SmallVector<StringRef> texts;
  left.split(texts, ',');
  if (texts.size() != l.getNumOperands())
    return l.unsupported("expected a term per input in the equation, got '" +
                         equation + "'");
  SmallVector<Term> terms;
  for (auto [i, text] : llvm::enumerate(texts)) {
    std::optional<Term> term = parseTerm(text, l.rank(i));
    if (!term)
      return l.unsupported("expected a letter per dimension of input " +
                           Twine(i) + ", got '" + text + "'");
    terms.push_back(*term);
  }
  Dims dims = l.resultDims();
  Term result;
  if (isExplicit) {
    std::optional<Term> term = parseTerm(right, dims.size());
    if (!term)
      return l.unsupported(
          "expected a letter per dimension of the output, got '" + right + "'");
    result = *term;
  } else {
    // Ellipses first, then what occurs once, by the alphabet.
    std::map<int, int> count;
    for (const Term &term : terms)
      for (int letter : term)
        ++count[letter];
    for (auto [letter, n] : count)
      if (letter < 0 || n == 1)
        result.push_back(letter);
  }
  llvm::MapVector<int, unsigned> loops;
  for (int letter : result)
    loops.insert({letter, loops.size()});
  for (const Term &term : terms)
    for (int letter : term)
      loops.insert({letter, loops.size()});

  // Loops whose size is 1 in every term read index 0 by their own bound.
  llvm::DenseSet<int> wide;
  for (auto [i, term] : llvm::enumerate(terms))
    for (auto [letter, size] : llvm::zip(term, l.type(i).getShape()))
      if (size != 1)
        wide.insert(letter);
  SmallVector<Operand> inputs = l.getOperands();
  for (auto [i, term] : llvm::enumerate(terms)) {
    SmallVector<AffineExpr> exprs;
    for (auto [letter, size] : llvm::zip(term, l.type(i).getShape()))
      exprs.push_back(size == 1 && wide.contains(letter)
                          ? getAffineConstantExpr(0, context)
                          : getAffineDimExpr(loops.lookup(letter), context));
    inputs[i].map = AffineMap::get(loops.size(), 0, exprs, context);
  }
  Value sum = contract(l, inputs, loops.size(), dims);
  return l.replace(store(l, sum, dims, l.resultElement()));
}

void lathe::populateContractionPatterns(RewritePatternSet &patterns,
                                        const TypeConverter &types) {
  addLowering(patterns, types, lowerMatMul);
  addLowering(patterns, types, lowerPlainGemm);
  addLowering(patterns, types, lowerEinsum);
}
