// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Decision trees: a grid over the rows, each of which walks down all trees by
// tables of nodes and adds up, in f64, what the leaves weigh. Some trees are
// walked at the same time, step by step: a step waits for three loads, one
// after the other, and so do those of the other trees meanwhile.

#include "Families.h"
#include "Grid.h"
#include "PostTransform.h"
#include "Trees.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include <limits>

using namespace mlir;
using namespace lathe;

enum class Aggregate { Average, Sum, Min, Max };

/// Trees that are walked at the same time: as many as hide each other's latency
/// and keep their places in registers.
static constexpr int64_t maxWalks = 8;

namespace {
/// The trees as tensors that a kernel reads. A leaf is a node that leads to
/// itself; leaves come after all inner nodes, and after them a leaf without
/// weights.
struct Tables {
  Value feature, yes, no, mode, split, missing, firstMember, endMember, members;
  Value roots, firstWeight, target, weight, base;
  /// The modes that there are.
  SmallVector<TreeMode> modes;
  int64_t numRoots, numInner;
};
} // namespace

template <typename T>
static Value makeTable(Lowering &l, Type type, ArrayRef<T> values) {
  SmallVector<Attribute> elements;
  for (T value : values)
    elements.push_back(isa<FloatType>(type)
                           ? Attribute(l.b.getFloatAttr(type, value))
                           : l.b.getIntegerAttr(type, int64_t(value)));
  // Reading needs an element to be there.
  if (elements.empty())
    elements.push_back(l.b.getZeroAttr(type));
  return arith::ConstantOp::create(
      l.b,
      DenseElementsAttr::get(
          RankedTensorType::get(int64_t(elements.size()), type), elements));
}

/// Tables with numbers of `type`, that of the features.
static Tables makeTables(Lowering &l, const Trees &trees, Type type) {
  Type i32 = l.b.getI32Type(), i8 = l.b.getI8Type(), f64 = l.b.getF64Type();
  SmallVector<int64_t> feature, yes, no, mode, missing, first, end, weights,
      target;
  SmallVector<double> split, weight;
  Tables t;
  bool anyMissing = false;
  t.numInner = trees.nodes.size();
  auto getPlace = [&](int64_t child) {
    return child < 0 ? t.numInner + ~child : child;
  };
  for (const Trees::Node &node : trees.nodes) {
    feature.push_back(node.feature);
    yes.push_back(getPlace(node.yes));
    no.push_back(getPlace(node.no));
    mode.push_back(int64_t(node.mode));
    missing.push_back(node.missing);
    anyMissing |= node.missing;
    first.push_back(node.firstMember);
    end.push_back(node.endMember);
    split.push_back(node.split);
    if (!llvm::is_contained(t.modes, node.mode))
      t.modes.push_back(node.mode);
  }
  for (const auto &leaf : trees.leaves) {
    weights.push_back(weight.size());
    for (const Trees::Weight &w : leaf) {
      target.push_back(w.target);
      weight.push_back(w.value);
    }
  }
  weights.append(2, weight.size());
  for (size_t leaf = 0; leaf <= trees.leaves.size(); ++leaf) {
    for (SmallVector<int64_t> *children : {&yes, &no})
      children->push_back(t.numInner + leaf);
    for (SmallVector<int64_t> *facts : {&feature, &missing, &first, &end})
      facts->push_back(0);
    mode.push_back(t.modes.empty() ? 0 : int64_t(t.modes.front()));
    split.push_back(0);
  }
  auto ints = [&](Type type, ArrayRef<int64_t> list) {
    return makeTable<int64_t>(l, type, list);
  };
  t.feature = ints(i32, feature);
  t.yes = ints(i32, yes);
  t.no = ints(i32, no);
  t.mode = ints(i8, mode);
  if (anyMissing)
    t.missing = ints(i8, missing);
  if (llvm::is_contained(t.modes, TreeMode::Member)) {
    t.firstMember = ints(i32, first);
    t.endMember = ints(i32, end);
    t.members = makeTable<double>(l, type, trees.members);
  }
  t.split = makeTable<double>(l, type, split);
  t.numRoots = trees.roots.size();
  SmallVector<int64_t> roots = llvm::map_to_vector(trees.roots, getPlace);
  // Walks without a tree of their own are at an end.
  roots.append(maxWalks, t.numInner + trees.leaves.size());
  t.roots = ints(i32, roots);
  t.firstWeight = ints(i32, weights);
  t.target = ints(i32, target);
  t.weight = makeTable<double>(l, f64, weight);
  if (!trees.base.empty())
    t.base = makeTable<double>(l, f64, trees.base);
  return t;
}

/// Whether node `node` sends `x` the way of `yes`.
static Value emitTest(const Code &c, const Tables &t, Value node, Value x,
                      Type type) {
  Value split = c.read(t.split, node, type);
  auto compare = [&](arith::CmpFPredicate how) -> Value {
    return arith::CmpFOp::create(c.b, how, x, split);
  };
  auto test = [&](TreeMode mode) -> Value {
    switch (mode) {
    case TreeMode::LE:
      return compare(arith::CmpFPredicate::OLE);
    case TreeMode::LT:
      return compare(arith::CmpFPredicate::OLT);
    case TreeMode::GE:
      return compare(arith::CmpFPredicate::OGE);
    case TreeMode::GT:
      return compare(arith::CmpFPredicate::OGT);
    case TreeMode::EQ:
      return compare(arith::CmpFPredicate::OEQ);
    case TreeMode::NE:
      return compare(arith::CmpFPredicate::UNE);
    case TreeMode::Member:
      break;
    }
    Value none = makeConstant(c.b, c.b.getI1Type(), 0);
    return c.loop(c.fromInt(c.readRaw(t.firstMember, node)),
                  c.fromInt(c.readRaw(t.endMember, node)), none,
                  [&](const Code &c, Value i, ValueRange any) -> Code::Values {
                    Value same =
                        arith::CmpFOp::create(c.b, arith::CmpFPredicate::OEQ, x,
                                              c.read(t.members, i, type));
                    return {arith::OrIOp::create(c.b, any[0], same)};
                  })[0];
  };
  Value goes = test(t.modes.front());
  if (t.modes.size() > 1) {
    Value mode = c.fromInt(c.readRaw(t.mode, node));
    for (TreeMode other : ArrayRef(t.modes).drop_front())
      goes = c.select(c.equal(mode, c.constant(int64_t(other))), test(other),
                      goes);
  }
  if (!t.missing)
    return goes;
  Value isNaN = arith::CmpFOp::create(c.b, arith::CmpFPredicate::UNO, x, x);
  Value tracks = c.less(c.constant(0), c.fromInt(c.readRaw(t.missing, node)));
  return arith::OrIOp::create(c.b, goes, c.both(isNaN, tracks));
}

/// The scores of row `row` of `x`, f64, and which targets have one: two tensors
/// of `numTargets`.
static Code::Values emitScores(const Code &c, const Tables &t, Operand x,
                               OpFoldResult numFeatures, Value row,
                               int64_t numTargets, Aggregate how) {
  Type f64 = c.b.getF64Type(), i8 = c.b.getI8Type();
  OpFoldResult count = c.b.getIndexAttr(numTargets);
  Value zero = c.constant(0), one8 = makeConstant(c.b, i8, 1);
  Value none = makeConstant(c.b, f64, 0), zero8 = makeConstant(c.b, i8, 0);
  Value features =
      isa<Attribute>(numFeatures) ? Value() : cast<Value>(numFeatures);
  Code::Values start =
      c.loop(zero, c.constant(numTargets),
             {c.scratch(count, f64), c.scratch(count, i8)},
             [&](const Code &c, Value k, ValueRange s) -> Code::Values {
               return {c.write(none, s[0], k), c.write(zero8, s[1], k)};
             });
  if (t.numRoots == 0)
    return start;
  int64_t walks = std::min(maxWalks, t.numRoots);
  Value inner = c.constant(t.numInner);
  auto isInner = [&](const Code &c, Value place) {
    return c.less(place, inner);
  };
  auto step = [&](const Code &c, Value place) -> Value {
    Value feature = c.fromInt(c.readRaw(t.feature, place));
    if (features)
      feature = c.clamp(feature, features);
    Value v = c.read(x.value, {row, feature}, x.element);
    Value goes = emitTest(c, t, place, v, x.element);
    Value yes = c.readRaw(t.yes, place), no = c.readRaw(t.no, place);
    return c.fromInt(c.select(goes, yes, no));
  };
  auto addLeaf = [&](const Code &c, Value place, ValueRange scores) {
    Value leaf = c.sub(place, inner);
    return c.loop(
        c.fromInt(c.readRaw(t.firstWeight, leaf)),
        c.fromInt(c.readRaw(t.firstWeight, c.add(leaf, c.constant(1)))), scores,
        [&](const Code &c, Value w, ValueRange s) -> Code::Values {
          Value target = c.fromInt(c.readRaw(t.target, w));
          Value weight = c.readRaw(t.weight, w);
          Value old = c.readRaw(s[0], target), next;
          if (how == Aggregate::Sum || how == Aggregate::Average) {
            next = arith::AddFOp::create(c.b, old, weight);
          } else {
            auto order = how == Aggregate::Min ? arith::CmpFPredicate::OLT
                                               : arith::CmpFPredicate::OGT;
            Value better = arith::CmpFOp::create(c.b, order, weight, old);
            Value isFirst =
                c.equal(c.fromInt(c.readRaw(s[1], target)), c.constant(0));
            next = c.select(arith::OrIOp::create(c.b, better, isFirst), weight,
                            old);
          }
          return {c.write(next, s[0], target), c.write(one8, s[1], target)};
        });
  };
  int64_t rounds = (t.numRoots + walks - 1) / walks;
  return c.loop(
      zero, c.constant(rounds), start,
      [&](const Code &c, Value round, ValueRange scores) -> Code::Values {
        Code::Values places;
        for (int64_t i = 0; i != walks; ++i)
          places.push_back(c.fromInt(c.readRaw(
              t.roots, c.add(c.mul(round, c.constant(walks)), c.constant(i)))));
        if (!t.modes.empty())
          places = c.repeat(
              places,
              [&](const Code &c, ValueRange at) {
                Value any = isInner(c, at.front());
                for (Value place : at.drop_front())
                  any = arith::OrIOp::create(c.b, any, isInner(c, place));
                return any;
              },
              [&](const Code &c, ValueRange at) {
                return llvm::map_to_vector<6>(
                    at, [&](Value place) { return step(c, place); });
              });
        Code::Values sums(scores);
        for (Value place : places)
          sums = addLeaf(c, place, sums);
        return sums;
      });
}

//===----------------------------------------------------------------------===//
// Regression
//===----------------------------------------------------------------------===//

/// The type in which features are compared with the numbers of the nodes.
static Type getFeatureType(Lowering &l) {
  return l.element(0).isF64() ? l.b.getF64Type() : l.b.getF32Type();
}

static LogicalResult lowerScores(Lowering &l, const Trees &trees, Aggregate how,
                                 StringRef transform) {
  Dims dims = l.resultDims();
  int64_t numTargets = l.resultType().getDimSize(1);
  if (!trees.base.empty() && int64_t(trees.base.size()) != numTargets)
    return l.unsupported("expected " + Twine(numTargets) +
                         " base values, got " + Twine(trees.base.size()));
  Type element = l.resultElement(), type = getComputeType(element);
  Operand x = castFeatures(l, getFeatureType(l));
  Tables t = makeTables(l, trees, x.element);
  OpFoldResult numFeatures = l.dims(0).back();
  Value made =
      makeGrid(
          l, dims[0], {{dims, type, {0, -1}}},
          [&](const Code &c, ValueRange at, ValueRange parts) -> Code::Values {
            Code::Values scores =
                emitScores(c, t, x, numFeatures, at[0], numTargets, how);
            Value zero = c.constant(0);
            return c.loop(
                zero, c.constant(numTargets), parts,
                [&](const Code &c, Value k, ValueRange out) -> Code::Values {
                  Type f64 = c.b.getF64Type();
                  Value score = c.readRaw(scores[0], k);
                  if (how == Aggregate::Average)
                    score = arith::DivFOp::create(
                        c.b, score, makeConstant(c.b, f64, t.numRoots));
                  if (t.base)
                    score =
                        arith::AddFOp::create(c.b, score, c.readRaw(t.base, k));
                  score = castScalar(c.b, score, f64, type);
                  return {c.write(score, out[0], {zero, k})};
                });
          })
          .front();
  Value y = applyPostTransform(l, made, dims, transform);
  if (type != getStorageType(element))
    y = l.elementwise(
        Operand{y, type}, dims, element,
        [](ImplicitLocOpBuilder &, ValueRange v) { return v[0]; });
  return l.replace(y);
}

static int64_t countFeatures(Lowering &l) {
  int64_t size = l.type(0).getDimSize(l.rank(0) - 1);
  return ShapedType::isDynamic(size) ? -1 : size;
}

static LogicalResult lowerTreeEnsemble(onnx::MlTreeEnsembleOp op, Lowering &l) {
  static constexpr StringRef transforms[] = {"NONE", "SOFTMAX", "LOGISTIC",
                                             "SOFTMAX_ZERO", "PROBIT"};
  FailureOr<Trees> trees =
      readTrees(op, l, l.resultType().getDimSize(1), countFeatures(l));
  if (failed(trees))
    return failure();
  return lowerScores(l, *trees, Aggregate(int(op.getAggregateFunction())),
                     transforms[op.getPostTransform()]);
}

static LogicalResult
lowerTreeEnsembleRegressor(onnx::MlTreeEnsembleRegressorOp op, Lowering &l) {
  FailureOr<Trees> trees =
      readTrees(op, l, l.resultType().getDimSize(1), countFeatures(l));
  if (failed(trees))
    return failure();
  StringRef word = op.getAggregateFunction();
  Aggregate how = word == "SUM"       ? Aggregate::Sum
                  : word == "AVERAGE" ? Aggregate::Average
                  : word == "MIN"     ? Aggregate::Min
                                      : Aggregate::Max;
  return lowerScores(l, *trees, how, op.getPostTransform());
}

//===----------------------------------------------------------------------===//
// Classification
//===----------------------------------------------------------------------===//

namespace {
/// How one score is the decision between two classes.
struct OneScore {
  bool is = false;
  int64_t id = 0;
  /// A probability: the other class has what is left to one. Else the other has
  /// the negative score.
  bool isShare = true;
};
} // namespace

static OneScore findOneScore(const Trees &trees, size_t numLabels) {
  OneScore one;
  std::optional<int64_t> id;
  bool several = false;
  for (const auto &leaf : trees.leaves)
    for (const Trees::Weight &w : leaf) {
      several |= id && *id != w.target;
      id = w.target;
      one.isShare &= w.value >= 0;
    }
  one.is = numLabels == 2 && !several && id;
  one.id = id.value_or(0);
  return one;
}

static LogicalResult
lowerTreeEnsembleClassifier(onnx::MlTreeEnsembleClassifierOp op, Lowering &l) {
  std::optional<ArrayRef<int64_t>> labels = op.getClasslabelsInt64s();
  if (!labels || labels->size() < 2)
    return l.unsupported("expected two or more whole numbers as class labels");
  int64_t numClasses = labels->size();
  FailureOr<Trees> trees = readTrees(op, l, numClasses, countFeatures(l));
  if (failed(trees))
    return failure();
  StringRef transform = op.getPostTransform();
  OneScore one = findOneScore(*trees, numClasses);
  int64_t numBase = trees->base.size();
  if (numBase != 0 && numBase != numClasses && !(one.is && numBase == 1))
    return l.unsupported("expected " + Twine(numClasses) +
                         " base values, got " + Twine(numBase));
  if (one.is && transform == "PROBIT")
    return l.unsupported("expected a score for each class with PROBIT, got one "
                         "score for two classes");
  Dims dims = l.resultDims(1);
  Operand x = castFeatures(l, getFeatureType(l));
  Tables t = makeTables(l, *trees, x.element);
  Value table = makeTable<int64_t>(l, l.b.getI64Type(), *labels);
  OpFoldResult numFeatures = l.dims(0).back();
  Type f32 = l.b.getF32Type(), f64 = l.b.getF64Type(), i64 = l.b.getI64Type();
  SmallVector<Value> made = makeGrid(
      l, dims[0], {{{dims[0]}, i64, {0}}, {dims, f32, {0, -1}}},
      [&](const Code &c, ValueRange at, ValueRange parts) -> Code::Values {
        Code::Values scores =
            emitScores(c, t, x, numFeatures, at[0], numClasses, Aggregate::Sum);
        Value zero = c.constant(0);
        if (one.is) {
          Value score = c.readRaw(scores[0], c.constant(one.id));
          if (t.base)
            score = arith::AddFOp::create(
                c.b, score, c.readRaw(t.base, c.constant(numBase - 1)));
          Value limit = makeConstant(c.b, f64, one.isShare ? 0.5 : 0);
          // Compared as it is given, in f32.
          score = castScalar(c.b, score, f64, f32);
          Value above =
              arith::CmpFOp::create(c.b, arith::CmpFPredicate::OGT, score,
                                    castScalar(c.b, limit, f64, f32));
          Value label = c.readRaw(table, c.select(above, c.constant(1), zero));
          Value rest = one.isShare ? Value(arith::SubFOp::create(
                                         c.b, makeConstant(c.b, f32, 1), score))
                                   : Value(arith::NegFOp::create(c.b, score));
          Value z = c.write(rest, parts[1], {zero, zero});
          z = c.write(score, z, {zero, c.constant(1)});
          return {c.write(label, parts[0], zero), z};
        }
        Value least = makeConstant(c.b, f32, 0);
        Code::Values done = c.loop(
            zero, c.constant(numClasses),
            {parts[1], zero, c.constant(-1), least},
            [&](const Code &c, Value k, ValueRange s) -> Code::Values {
              Value score = c.readRaw(scores[0], k);
              Value has = c.less(zero, c.fromInt(c.readRaw(scores[1], k)));
              if (t.base) {
                score = arith::AddFOp::create(c.b, score, c.readRaw(t.base, k));
                has = makeConstant(c.b, c.b.getI1Type(), 1);
              }
              score = castScalar(c.b, score, f64, f32);
              // The first of the greatest that some leaf gave.
              Value isFirst = c.less(s[2], zero);
              Value better = arith::OrIOp::create(
                  c.b, isFirst,
                  arith::CmpFOp::create(c.b, arith::CmpFPredicate::OGT, score,
                                        s[3]));
              Value wins = c.both(has, better);
              return {c.write(score, s[0], {zero, k}), c.select(wins, k, s[1]),
                      c.select(wins, k, s[2]), c.select(wins, score, s[3])};
            });
        return {c.write(c.readRaw(table, done[1]), parts[0], zero), done[0]};
      });
  Value z = made[1];
  // One score has its own rule: shares stay, decisions may be made logistic.
  if (!one.is || (transform == "LOGISTIC" && !one.isShare))
    z = applyPostTransform(l, z, dims, transform);
  return l.replace({made[0], z});
}

void lathe::populateTreePatterns(RewritePatternSet &patterns,
                                 const TypeConverter &types) {
  addLowering(patterns, types, lowerTreeEnsemble);
  addLowering(patterns, types, lowerTreeEnsembleRegressor);
  addLowering(patterns, types, lowerTreeEnsembleClassifier);
}
