// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The normal form is a polynomial with integer coefficients. Its atoms are
// symbols and quotients `p floordiv q` that do not divide exactly; `ceildiv`
// and `mod` are written through `floordiv`. In `p floordiv c` with a constant
// `c` every coefficient of `p` is reduced to [0, c), and a quotient of a
// quotient becomes one, so chains of strided windows stay small.

#include "lathe/Dialect/Onnx/IR/SymbolicExpr.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/Support/MathExtras.h"
#include <map>
#include <numeric>

using namespace mlir;
using namespace lathe::onnx;

/// A total order of expressions that does not depend on addresses.
static int compare(AffineExpr a, AffineExpr b) {
  if (a == b)
    return 0;
  if (a.getKind() != b.getKind())
    return a.getKind() < b.getKind() ? -1 : 1;
  if (auto c = dyn_cast<AffineConstantExpr>(a)) {
    int64_t l = c.getValue(), r = cast<AffineConstantExpr>(b).getValue();
    return l < r ? -1 : 1;
  }
  if (auto s = dyn_cast<AffineSymbolExpr>(a))
    return s.getPosition() < cast<AffineSymbolExpr>(b).getPosition() ? -1 : 1;
  if (auto d = dyn_cast<AffineDimExpr>(a))
    return d.getPosition() < cast<AffineDimExpr>(b).getPosition() ? -1 : 1;
  auto l = cast<AffineBinaryOpExpr>(a), r = cast<AffineBinaryOpExpr>(b);
  if (int order = compare(l.getLHS(), r.getLHS()))
    return order;
  return compare(l.getRHS(), r.getRHS());
}

namespace {
using Monomial = SmallVector<AffineExpr, 2>;

struct MonomialOrder {
  /// Higher degrees first, so that the constant term comes last.
  bool operator()(const Monomial &a, const Monomial &b) const {
    if (a.size() != b.size())
      return a.size() > b.size();
    for (auto [l, r] : llvm::zip_equal(a, b))
      if (int order = compare(l, r))
        return order < 0;
    return false;
  }
};

using Polynomial = std::map<Monomial, int64_t, MonomialOrder>;
} // namespace

static int64_t wrappingMul(int64_t a, int64_t b) {
  return static_cast<int64_t>(static_cast<uint64_t>(a) *
                              static_cast<uint64_t>(b));
}

static void addTerm(Polynomial &p, const Monomial &m, int64_t factor) {
  int64_t &c = p[m];
  c = static_cast<int64_t>(static_cast<uint64_t>(c) +
                           static_cast<uint64_t>(factor));
  if (c == 0)
    p.erase(m);
}

static void addScaled(Polynomial &p, const Polynomial &q, int64_t factor) {
  for (const auto &[m, c] : q)
    addTerm(p, m, wrappingMul(c, factor));
}

static Monomial multiply(const Monomial &a, const Monomial &b) {
  Monomial product(a);
  product.append(b.begin(), b.end());
  llvm::sort(product,
             [](AffineExpr l, AffineExpr r) { return compare(l, r) < 0; });
  return product;
}

static Polynomial multiply(const Polynomial &a, const Polynomial &b) {
  Polynomial product;
  for (const auto &[m, c] : a)
    for (const auto &[n, d] : b)
      addTerm(product, multiply(m, n), wrappingMul(c, d));
  return product;
}

static std::optional<int64_t> getConstant(const Polynomial &p) {
  if (p.empty())
    return 0;
  if (p.size() == 1 && p.begin()->first.empty())
    return p.begin()->second;
  return std::nullopt;
}

static AffineExpr toExpr(const Polynomial &p, MLIRContext *context) {
  AffineExpr sum = getAffineConstantExpr(0, context);
  for (const auto &[m, c] : p) {
    AffineExpr product = getAffineConstantExpr(1, context);
    for (AffineExpr atom : m)
      product = product * atom;
    sum = sum + product * c;
  }
  return sum;
}

/// Removes the atoms of `b` from `a`; false if `b` does not divide `a`.
static bool divide(Monomial &a, const Monomial &b) {
  for (AffineExpr atom : b) {
    auto *it = llvm::find(a, atom);
    if (it == a.end())
      return false;
    a.erase(it);
  }
  return true;
}

/// Long division by the leading term; nothing if there is a rest.
static std::optional<Polynomial> divideExactly(Polynomial a,
                                               const Polynomial &b) {
  if (b.empty())
    return std::nullopt;
  Polynomial quotient;
  const auto &[leading, factor] = *b.begin();
  // Each step removes the leading term; more steps than this mean that the
  // division does not end in zero.
  for (int step = 0; step < 64 && !a.empty(); ++step) {
    Monomial m = a.begin()->first;
    int64_t c = a.begin()->second;
    if (!divide(m, leading) || factor == 0 || c % factor != 0)
      return std::nullopt;
    Polynomial term{{m, c / factor}};
    addScaled(quotient, term, 1);
    addScaled(a, multiply(term, b), -1);
  }
  if (!a.empty())
    return std::nullopt;
  return quotient;
}

/// Divides `a` and `b` by the integer and the atoms that all their terms have.
static void cancelCommonFactors(Polynomial &a, Polynomial &b) {
  int64_t gcd = 0;
  Monomial common = a.begin()->first;
  for (const Polynomial *p : {&a, &b}) {
    for (const auto &[m, c] : *p) {
      gcd = std::gcd(gcd, c);
      Monomial rest(m), kept;
      for (AffineExpr atom : common) {
        if (auto *it = llvm::find(rest, atom); it != rest.end()) {
          kept.push_back(atom);
          rest.erase(it);
        }
      }
      common = kept;
    }
  }
  for (Polynomial *p : {&a, &b}) {
    Polynomial reduced;
    for (const auto &[m, c] : *p) {
      Monomial rest(m);
      divide(rest, common);
      addTerm(reduced, rest, c / gcd);
    }
    *p = std::move(reduced);
  }
}

static Polynomial toPolynomial(AffineExpr expr);

/// `p floordiv c` for a constant `c` > 0.
static Polynomial floorDivByConstant(const Polynomial &p, int64_t c,
                                     MLIRContext *context) {
  Polynomial quotient, rest;
  for (const auto &[m, k] : p) {
    int64_t q = llvm::divideFloorSigned(k, c);
    if (q)
      addTerm(quotient, m, q);
    if (int64_t r = k - wrappingMul(q, c))
      addTerm(rest, m, r);
  }
  if (getConstant(rest)) // in [0, c)
    return quotient;
  // (q floordiv n + k) floordiv c = (q + k * n) floordiv (n * c)
  Polynomial inner = rest;
  int64_t offset = 0;
  if (auto it = inner.find({}); it != inner.end()) {
    offset = it->second;
    inner.erase(it);
  }
  if (inner.size() == 1 && inner.begin()->second == 1 &&
      inner.begin()->first.size() == 1) {
    auto atom = dyn_cast<AffineBinaryOpExpr>(inner.begin()->first.front());
    auto n = atom ? dyn_cast<AffineConstantExpr>(atom.getRHS())
                  : AffineConstantExpr();
    if (n && n.getValue() > 0 && atom.getKind() == AffineExprKind::FloorDiv) {
      Polynomial merged = toPolynomial(atom.getLHS());
      addTerm(merged, {}, wrappingMul(offset, n.getValue()));
      addScaled(
          quotient,
          floorDivByConstant(merged, wrappingMul(n.getValue(), c), context), 1);
      return quotient;
    }
  }
  addTerm(quotient, {toExpr(rest, context).floorDiv(c)}, 1);
  return quotient;
}

static Polynomial floorDiv(Polynomial a, Polynomial b, MLIRContext *context) {
  if (a.empty())
    return {};
  if (b.empty()) // Division by zero keeps its form; nobody may evaluate it.
    return {{{toExpr(a, context).floorDiv(toExpr(b, context))}, 1}};
  if (auto quotient = divideExactly(a, b))
    return *quotient;
  cancelCommonFactors(a, b);
  if (auto c = getConstant(b)) {
    if (*c < 0) {
      Polynomial negated;
      addScaled(negated, a, -1);
      return floorDivByConstant(negated, -*c, context);
    }
    return floorDivByConstant(a, *c, context);
  }
  return {{{toExpr(a, context).floorDiv(toExpr(b, context))}, 1}};
}

static Polynomial toPolynomial(AffineExpr expr) {
  MLIRContext *context = expr.getContext();
  if (auto c = dyn_cast<AffineConstantExpr>(expr)) {
    Polynomial p;
    addTerm(p, {}, c.getValue());
    return p;
  }
  auto binary = dyn_cast<AffineBinaryOpExpr>(expr);
  if (!binary)
    return {{{expr}, 1}};
  Polynomial a = toPolynomial(binary.getLHS());
  Polynomial b = toPolynomial(binary.getRHS());
  switch (binary.getKind()) {
  case AffineExprKind::Add:
    addScaled(a, b, 1);
    return a;
  case AffineExprKind::Mul:
    return multiply(a, b);
  case AffineExprKind::FloorDiv:
    return floorDiv(std::move(a), std::move(b), context);
  case AffineExprKind::CeilDiv: { // -(-a floordiv b)
    Polynomial negated, result;
    addScaled(negated, a, -1);
    addScaled(result, floorDiv(std::move(negated), std::move(b), context), -1);
    return result;
  }
  case AffineExprKind::Mod: { // a - (a floordiv b) * b
    Polynomial result = a;
    addScaled(result, multiply(floorDiv(std::move(a), b, context), b), -1);
    return result;
  }
  default:
    return {{{expr}, 1}};
  }
}

AffineExpr lathe::onnx::simplify(AffineExpr expr) {
  if (isa<AffineConstantExpr, AffineSymbolExpr>(expr))
    return expr;
  return toExpr(toPolynomial(expr), expr.getContext());
}

std::optional<int64_t> lathe::onnx::getConstant(AffineExpr expr) {
  if (auto c = dyn_cast_or_null<AffineConstantExpr>(expr))
    return c.getValue();
  return std::nullopt;
}

AffineExpr lathe::onnx::divideExactly(AffineExpr a, AffineExpr b) {
  if (auto quotient = ::divideExactly(toPolynomial(a), toPolynomial(b)))
    return toExpr(*quotient, a.getContext());
  return {};
}

bool lathe::onnx::isNonNegative(AffineExpr expr) {
  for (const auto &[m, c] : toPolynomial(expr)) {
    if (c < 0)
      return false;
    for (AffineExpr atom : m)
      if (auto quotient = dyn_cast<AffineBinaryOpExpr>(atom))
        if (!isNonNegative(quotient.getLHS()) ||
            !isNonNegative(quotient.getRHS()))
          return false;
  }
  return true;
}

bool lathe::onnx::isPositive(AffineExpr expr) {
  return isNonNegative(expr - 1);
}
