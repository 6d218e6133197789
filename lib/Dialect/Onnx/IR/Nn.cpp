// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Contractions and dropout.

#include "lathe/Dialect/Onnx/IR/Nn.h"
#include "Rules.h"
#include "llvm/ADT/StringExtras.h"
#include <map>

using namespace mlir;
using namespace lathe::onnx;

#define GET_OP_CLASSES
#include "lathe/Dialect/Onnx/IR/Nn.cpp.inc"

void OnnxDialect::registerNnOps() {
  addOperations<
#define GET_OP_LIST
#include "lathe/Dialect/Onnx/IR/Nn.cpp.inc"
      >();
}

//===----------------------------------------------------------------------===//
// Contractions
//===----------------------------------------------------------------------===//

LogicalResult rule::matMul(ShapeContext &ctx, unsigned a, unsigned b) {
  for (unsigned i : {a, b})
    if (ctx.operand(i).dims && ctx.operand(i).dims->empty())
      return ctx.emitError()
             << "expects operand #" << i << " of rank at least 1, got rank 0";
  if (!ctx.operand(a).dims || !ctx.operand(b).dims)
    return success();
  ArrayRef<AffineExpr> l(*ctx.operand(a).dims), r(*ctx.operand(b).dims);
  AffineExpr inner = l.back(), other = r.size() > 1 ? r[r.size() - 2] : r[0];
  if (!ctx.assumeEqual(inner, other))
    return ctx.emitError() << "expects equal inner sizes, got " << inner
                           << " and " << other;
  auto dims = ctx.broadcast(l.drop_back(std::min<size_t>(2, l.size())),
                            r.drop_back(std::min<size_t>(2, r.size())));
  if (failed(dims))
    return failure();
  if (l.size() > 1)
    dims->push_back(l[l.size() - 2]);
  if (r.size() > 1)
    dims->push_back(r.back());
  ctx.result(0).dims = *dims;
  return success();
}

LogicalResult MatMulOp::inferShapes(ShapeContext &ctx) {
  auto type = ctx.getCommonElementType({0, 1});
  if (failed(type))
    return failure();
  ctx.result(0).elementType = *type;
  return rule::matMul(ctx, 0, 1);
}

LogicalResult rule::gemm(ShapeContext &ctx, bool transA, bool transB) {
  auto type = ctx.getCommonElementType({0, 1, 2});
  if (failed(type))
    return failure();
  TensorInfo &result = ctx.result(0);
  result.elementType = *type;
  if (failed(ctx.expectRank(0, 2)) || failed(ctx.expectRank(1, 2)))
    return failure();
  const auto &a = ctx.operand(0).dims, &b = ctx.operand(1).dims;
  if (!a || !b)
    return success();
  AffineExpr rows = (*a)[transA], inner = (*a)[!transA];
  AffineExpr other = (*b)[transB], columns = (*b)[!transB];
  if (!ctx.assumeEqual(inner, other))
    return ctx.emitError() << "expects equal inner sizes, got " << inner
                           << " and " << other;
  result.dims = Dims{rows, columns};
  return expectBroadcast(ctx, 2, *result.dims, "the product");
}

LogicalResult GemmOp::inferShapes(ShapeContext &ctx) {
  return rule::gemm(ctx, getTransA(), getTransB());
}

namespace {
/// The labels of one term of an einsum: letters, and '.' for each dimension of
/// the ellipsis.
struct EinsumTerm {
  std::string before, after;
  bool ellipsis = false;
};
} // namespace

static std::optional<EinsumTerm> parseEinsumTerm(StringRef text) {
  EinsumTerm term;
  for (size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (c == ' ')
      continue;
    if (text.substr(i).starts_with("...") && !term.ellipsis) {
      term.ellipsis = true;
      i += 2;
    } else if (llvm::isAlpha(c)) {
      (term.ellipsis ? term.after : term.before).push_back(c);
    } else {
      return std::nullopt;
    }
  }
  return term;
}

LogicalResult EinsumOp::inferShapes(ShapeContext &ctx) {
  SmallVector<unsigned> all = llvm::to_vector(llvm::seq(ctx.getNumOperands()));
  auto type = ctx.getCommonElementType(all);
  if (failed(type))
    return failure();
  TensorInfo &result = ctx.result(0);
  result.elementType = *type;
  auto [left, right] = getEquation().split("->");
  SmallVector<StringRef> texts;
  left.split(texts, ',');
  if (texts.size() != all.size())
    return ctx.emitError() << "expects an equation of " << all.size()
                           << " terms, got " << texts.size();
  std::map<char, AffineExpr> sizes;
  std::map<char, unsigned> uses;
  Dims ellipsis;
  bool hasEllipsis = false;
  for (auto [i, text] : llvm::enumerate(texts)) {
    auto term = parseEinsumTerm(text);
    if (!term)
      return ctx.emitError()
             << "expects terms of letters and one ellipsis, got '" << text
             << "'";
    const auto &dims = ctx.operand(i).dims;
    if (!dims)
      return success();
    std::string labels = term->before + term->after;
    if (dims->size() < labels.size() ||
        (!term->ellipsis && dims->size() != labels.size()))
      return ctx.emitError() << "expects operand #" << i << " of rank "
                             << labels.size() << ", got rank " << dims->size();
    size_t extra = dims->size() - labels.size();
    hasEllipsis = hasEllipsis || term->ellipsis;
    auto both = ctx.broadcast(
        ellipsis, ArrayRef(*dims).slice(term->before.size(), extra));
    if (failed(both))
      return failure();
    ellipsis = *both;
    for (auto [k, label] : llvm::enumerate(labels)) {
      AffineExpr dim = (*dims)[k < term->before.size() ? k : k + extra];
      ++uses[label];
      AffineExpr &size = sizes[label];
      AffineExpr broadcast = size ? ctx.broadcast(size, dim) : dim;
      if (!broadcast)
        return ctx.emitError()
               << "expects one size for label '" << std::string(1, label)
               << "', got " << size << " and " << dim;
      size = broadcast;
    }
  }
  EinsumTerm output;
  if (getEquation().contains("->")) {
    auto term = parseEinsumTerm(right);
    if (!term)
      return ctx.emitError()
             << "expects terms of letters and one ellipsis, got '" << right
             << "'";
    output = *term;
  } else {
    output.ellipsis = hasEllipsis;
    for (auto [label, count] : uses)
      if (count == 1)
        output.after.push_back(label);
  }
  result.dims.emplace();
  for (const std::string &part : {output.before, output.after}) {
    for (char label : part) {
      if (!sizes.count(label))
        return ctx.emitError() << "expects labels of the operands in the "
                                  "result, got '"
                               << std::string(1, label) << "'";
      result.dims->push_back(sizes[label]);
    }
    if (&part == &output.before)
      break;
    if (result.dims->size() == output.before.size() && output.ellipsis)
      llvm::append_range(*result.dims, ellipsis);
    output.ellipsis = false;
  }
  return success();
}

//===----------------------------------------------------------------------===//
// Dropout
//===----------------------------------------------------------------------===//

LogicalResult DropoutOp::inferShapes(ShapeContext &ctx) {
  if (failed(rule::sameShape(ctx)) || failed(rule::expectScalars(ctx, {1, 2})))
    return failure();
  ctx.result(1).elementType = IntegerType::get(ctx.getContext(), 1);
  ctx.result(1).dims = ctx.operand(0).dims;
  return success();
}
