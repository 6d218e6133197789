// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Recurrent networks. What does not depend on the state, `X * W' + bias` of all
// steps, is one product before the loop. A step of the loop is then one product
// of the state with the recurrent weights, read back gate by gate, and
// elementwise functions. Both directions share the loop: the reverse one
// counts its steps from the end.
//
// Sequences that are shorter than the longest keep their state past their end,
// so the reverse direction starts with the state that it finds there.

#include "lathe/Dialect/Onnx/IR/Recurrent.h"
#include "Contraction.h"
#include "Elementwise.h"
#include "Families.h"
#include "NamedActivation.h"
#include "Sequence.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"

using namespace mlir;
using namespace lathe;

//===----------------------------------------------------------------------===//
// Activations
//===----------------------------------------------------------------------===//

/// The functions of all directions, in order. Parameters are given in order to
/// the functions that have some.
template <typename OpTy>
static FailureOr<SmallVector<Activation>>
getActivations(OpTy op, Lowering &l, ArrayRef<StringRef> defaults,
               unsigned numDirections) {
  SmallVector<StringRef> names;
  std::optional<ArrayAttr> given = op.getActivations();
  if (given)
    for (Attribute name : *given)
      names.push_back(cast<StringAttr>(name).getValue());
  size_t expected = defaults.size() * numDirections;
  if (names.empty())
    for (unsigned i = 0; i != numDirections; ++i)
      llvm::append_range(names, defaults);
  // ONNX's default for RNN is for two directions, however many there are.
  if (defaults.size() == 1 && names.size() > expected)
    names.truncate(expected);
  if (names.size() != expected)
    return l.unsupported("expected " + Twine(expected) + " activations, got " +
                         Twine(names.size()));
  auto alphas = op.getActivationAlpha(), betas = op.getActivationBeta();
  size_t nextAlpha = 0, nextBeta = 0;
  SmallVector<Activation> activations;
  for (StringRef name : names) {
    const ActivationKind *kind = findActivation(name.lower());
    if (!kind || !kind->isOfCells)
      return l.unsupported("expected an activation that ONNX defines, got '" +
                           name + "'");
    Activation activation{kind};
    if (kind->alpha)
      activation.alpha = alphas && nextAlpha < alphas->size()
                             ? (*alphas)[nextAlpha++]
                             : *kind->alpha;
    if (kind->beta)
      activation.beta = betas && nextBeta < betas->size() ? (*betas)[nextBeta++]
                                                          : *kind->beta;
    activations.push_back(std::move(activation));
  }
  return activations;
}

//===----------------------------------------------------------------------===//
// The loop around the cells
//===----------------------------------------------------------------------===//

namespace {
/// Where operands stand; all operators share those up to `InitialH`.
enum Input { X, W, R, B, Lengths, InitialH, InitialC, Peepholes };

/// What the loop around a kind of cell has to know.
struct CellKind {
  int64_t numGates;
  unsigned numStates;
  /// The rows of R, in gates, that each product of a step multiplies with.
  SmallVector<int64_t> products;
  /// The vectors over hidden that a step reads: the operand, and which one of
  /// a direction.
  SmallVector<std::pair<unsigned, int64_t>> vectors = {};
  /// Whether `vectors` has the recurrent bias, which is else a part of the
  /// projected input.
  bool readsRecurrentBias = false;
};

/// One direction: `projected` is [steps, batch, gates, hidden].
struct Direction {
  bool backwards;
  ArrayRef<Activation> activations;
  Value projected;
  /// The right sides of the step's products, with their maps.
  SmallVector<Operand> weights;
  SmallVector<Operand> vectors;
};

class Recurrence;

/// What a cell sees of one step.
struct Step {
  Recurrence &r;
  const Direction &direction;
  /// The projected input, [batch, gates, hidden].
  Value projected;
  ValueRange state;
};

class Recurrence {
public:
  /// Makes the state after a step.
  using Cell = llvm::function_ref<SmallVector<Value>(Step &)>;

  Recurrence(Lowering &l, CellKind kind, bool batchFirst,
             std::optional<double> clip)
      : l(l), kind(std::move(kind)), batchFirst(batchFirst), clip(clip) {}

  LogicalResult run(StringRef direction, ArrayRef<Activation> activations,
                    Cell cell);

  /// A product of the state of a step, as [batch, gates, hidden].
  Value recur(Value state, const Operand &weights);
  /// A tensor [batch, hidden] of `type`, one function of elements. The
  /// operands' computed values come in order.
  Value emit(ArrayRef<Operand> inputs, Type type,
             llvm::function_ref<Value(const Element &)> body);
  /// Gate `i` of a tensor [batch, gates, hidden].
  Operand gate(Value gates, unsigned i);
  /// The argument of an activation, limited.
  Value limit(const Element &e, Value x);

  Lowering &l;
  Type element, compute;

private:
  LogicalResult check();
  Operand matrix(unsigned i, unsigned direction, int64_t first, int64_t rows);
  Value vector(unsigned i, unsigned direction, int64_t first, int64_t size);
  Value product(Value left, const Operand &right, OpFoldResult rows);
  Value project(unsigned direction, Value x);
  Value getInitial(unsigned operand, unsigned direction, bool isCell);
  Value mask(Value index, Value updated, Value otherwise);
  Value pair(ArrayRef<Value> states, unsigned result);

  CellKind kind;
  bool batchFirst;
  std::optional<double> clip;
  int64_t hidden = 0;
  OpFoldResult steps, batch;
};
} // namespace

LogicalResult Recurrence::check() {
  element = l.element(X);
  compute = getComputeType(element);
  for (unsigned i = 0, e = l.getNumOperands(); i != e; ++i)
    if ((i == W || i == R || i == B || i == Peepholes) && l.has(i) &&
        !l.type(i).hasStaticShape())
      return l.unsupported("expected weights of constant sizes as input " +
                           Twine(i));
  ArrayRef<int64_t> r = l.type(R).getShape();
  hidden = r[2];
  if (r[1] != kind.numGates * hidden)
    return l.unsupported("expected " + Twine(kind.numGates * hidden) +
                         " rows per direction as R, got " + Twine(r[1]));
  steps = l.dims(X)[batchFirst ? 1 : 0];
  batch = l.dims(X)[batchFirst ? 0 : 1];
  return success();
}

/// The rows that operand `i` has for a direction from row `first` on, as the
/// right side of a product.
Operand Recurrence::matrix(unsigned i, unsigned direction, int64_t first,
                           int64_t rows) {
  MLIRContext *context = l.b.getContext();
  ArrayRef<int64_t> shape = l.type(i).getShape();
  int64_t offset = (direction * shape[1] + first) * shape[2];
  Value part = takePart(l, l.value(i), l.index(offset),
                        {l.index(rows), l.index(shape[2])});
  AffineExpr m, n, k;
  bindDims(context, m, n, k);
  if (Value swapped = transposeWeight(l, part))
    return {swapped, element, AffineMap::get(3, 0, {k, n}, context)};
  return {makeTensor(l, part), element, AffineMap::get(3, 0, {n, k}, context)};
}

/// The elements that operand `i` has for a direction from `first` on.
Value Recurrence::vector(unsigned i, unsigned direction, int64_t first,
                         int64_t size) {
  int64_t offset = direction * l.type(i).getShape()[1] + first;
  return takePart(l, l.value(i), l.index(offset), l.index(size));
}

Value Recurrence::product(Value left, const Operand &right, OpFoldResult rows) {
  AffineExpr m, n, k;
  bindDims(l.b.getContext(), m, n, k);
  unsigned column = right.map.getResult(0) == n ? 0 : 1;
  ArrayRef<int64_t> shape =
      cast<RankedTensorType>(right.value.getType()).getShape();
  Operand a{left, element, AffineMap::get(3, 0, {m, k}, l.b.getContext())};
  return contract(l, {a, right}, 3, {rows, l.index(shape[column])});
}

Value Recurrence::recur(Value state, const Operand &weights) {
  Value gates = product(state, weights, batch);
  int64_t columns = cast<RankedTensorType>(gates.getType()).getDimSize(1);
  return l.view(gates, {batch, l.index(columns / hidden), l.index(hidden)});
}

Value Recurrence::emit(ArrayRef<Operand> inputs, Type type,
                       llvm::function_ref<Value(const Element &)> body) {
  SmallVector<Type> types = {compute};
  return l.elementwise(inputs, {batch, l.index(hidden)}, type,
                       [&](ImplicitLocOpBuilder &b, ValueRange x) {
                         return body(Element{b, x, types, compute});
                       });
}

Operand Recurrence::gate(Value gates, unsigned i) {
  AffineExpr b, h;
  bindDims(l.b.getContext(), b, h);
  AffineExpr at = l.b.getAffineConstantExpr(i);
  return {gates, compute, AffineMap::get(2, 0, {b, at, h}, l.b.getContext())};
}

Value Recurrence::limit(const Element &e, Value x) {
  if (!clip)
    return x;
  return e.greaterOr(e.constant(-*clip), e.lesserOr(e.constant(*clip), x));
}

/// X * W' and the biases, for all steps.
Value Recurrence::project(unsigned direction, Value x) {
  int64_t rows = kind.numGates * hidden;
  OpFoldResult count = l.product({steps, batch});
  Value projected = product(x, matrix(W, direction, 0, rows), count);
  if (l.has(B)) {
    AffineMap column = AffineMap::get(2, 0, l.b.getAffineDimExpr(1));
    SmallVector<Operand> inputs = {{projected, compute}};
    for (int64_t i = 0; i < (kind.readsRecurrentBias ? 1 : 2); ++i)
      inputs.push_back({vector(B, direction, i * rows, rows), element, column});
    SmallVector<Type> types = {compute};
    projected = l.elementwise(inputs, {count, l.index(rows)}, compute,
                              [&](ImplicitLocOpBuilder &b, ValueRange v) {
                                Element e{b, v, types, compute};
                                Value sum = v[0];
                                for (Value bias : v.drop_front())
                                  sum = e.add(sum, bias);
                                return sum;
                              });
  }
  return projected;
}

/// The first state of a direction; that of the cell is kept in compute type.
Value Recurrence::getInitial(unsigned operand, unsigned direction,
                             bool isCell) {
  Dims dims = {batch, l.index(hidden)};
  Type type = isCell ? compute : element;
  if (!l.has(operand))
    return l.fill(dims, cast<TypedAttr>(l.b.getZeroAttr(getStorageType(type))));
  Value given = l.value(operand);
  Dims all = l.dims(operand);
  if (batchFirst && l.type(R).getDimSize(0) == 2)
    given = l.transpose(given, all, {1, 0, 2});
  OpFoldResult offset = direction ? l.product(dims) : l.index(0);
  given = makeTensor(l, given);
  Value state = l.type(R).getDimSize(0) == 1 ? l.view(given, dims)
                                             : takePart(l, given, offset, dims);
  if (type == element)
    return state;
  return emit(Operand{state, element}, type,
              [](const Element &e) { return e.x[0]; });
}

/// `updated` where the step `index` is within the sequence; else `otherwise`,
/// or zero where that is null.
Value Recurrence::mask(Value index, Value updated, Value otherwise) {
  Type type = cast<RankedTensorType>(updated.getType()).getElementType();
  SmallVector<Operand> inputs = {
      {updated, type},
      {l.value(Lengths), l.element(Lengths),
       AffineMap::get(2, 0, l.b.getAffineDimExpr(0))}};
  if (otherwise)
    inputs.push_back({otherwise, type});
  return emit(inputs, type, [&](const Element &e) -> Value {
    Value at = arith::IndexCastOp::create(e.b, e.x[1].getType(), index);
    Value inside =
        arith::CmpIOp::create(e.b, arith::CmpIPredicate::slt, at, e.x[1]);
    return e.select(inside, e.x[0], otherwise ? e.x[2] : e.constant(0));
  });
}

/// The last states as result `result` of the op.
Value Recurrence::pair(ArrayRef<Value> states, unsigned result) {
  Dims dims = l.resultDims(result);
  Type target = l.resultElement(result);
  SmallVector<Operand> inputs;
  unsigned axis = batchFirst ? 1 : 0;
  for (Value state : states)
    inputs.push_back({state,
                      cast<RankedTensorType>(state.getType()).getElementType(),
                      l.dropAxes(3, axis)});
  if (states.size() == 1) {
    Value state = states[0];
    if (inputs[0].element != getStorageType(target))
      state = store(l, state, {batch, l.index(hidden)}, target);
    return l.view(state, dims);
  }
  return l.elementwise(inputs, dims, target,
                       [&](ImplicitLocOpBuilder &b, ValueRange x) -> Value {
                         Value at = linalg::IndexOp::create(b, axis);
                         Value first = arith::CmpIOp::create(
                             b, arith::CmpIPredicate::eq, at,
                             makeConstant(b, b.getIndexType(), 0));
                         return arith::SelectOp::create(b, first, x[0], x[1]);
                       });
}

LogicalResult Recurrence::run(StringRef direction,
                              ArrayRef<Activation> activations, Cell cell) {
  if (failed(check()))
    return failure();
  unsigned numDirections = direction == "bidirectional" ? 2 : 1;
  if (l.type(R).getDimSize(0) != numDirections)
    return l.unsupported("expected " + Twine(numDirections) +
                         " directions as R, got " +
                         Twine(l.type(R).getDimSize(0)));
  Value x = l.value(X);
  if (batchFirst)
    x = l.transpose(x, l.dims(X), {1, 0, 2});
  x = l.view(x, {l.product({steps, batch}), l.dims(X)[2]});

  SmallVector<Direction> directions;
  SmallVector<Value> carried;
  unsigned numActivations = activations.size() / numDirections;
  for (unsigned d = 0; d != numDirections; ++d) {
    Direction made{d == 1 || direction == "reverse",
                   activations.slice(d * numActivations, numActivations),
                   project(d, x),
                   {},
                   {}};
    int64_t first = 0;
    for (int64_t gates : kind.products) {
      made.weights.push_back(matrix(R, d, first * hidden, gates * hidden));
      first += gates;
    }
    for (auto [i, which] : kind.vectors)
      made.vectors.push_back({vector(i, d, which * hidden, hidden), element,
                              AffineMap::get(2, 0, l.b.getAffineDimExpr(1))});
    directions.push_back(std::move(made));
    for (unsigned s = 0; s != kind.numStates; ++s)
      carried.push_back(getInitial(InitialH + s, d, /*isCell=*/s == 1));
  }
  unsigned numStates = kind.numStates;
  bool hasY = l.isUsed(0);
  Dims stateDims = {batch, l.index(hidden)};
  Dims gateDims = {batch, l.index(kind.numGates), l.index(hidden)};
  Dims sequenceDims = {steps, l.index(numDirections), batch, l.index(hidden)};
  if (hasY)
    carried.push_back(l.empty(sequenceDims, getStorageType(element)));

  auto runStep = [&](Value number, ValueRange states) {
    SmallVector<Value> next;
    Value y = hasY ? states.back() : Value();
    for (auto [d, direction] : llvm::enumerate(directions)) {
      Value index = getStepIndex(l, number, steps, direction.backwards);
      ValueRange before = states.slice(d * numStates, numStates);
      Step step{*this, direction,
                takeStep(l, direction.projected, index, gateDims), before};
      SmallVector<Value> after = cell(step);
      if (l.has(Lengths))
        for (auto [state, old] : llvm::zip(after, before))
          state = mask(index, state, old);
      llvm::append_range(next, after);
      if (!hasY)
        continue;
      Value shown = l.has(Lengths) ? mask(index, after[0], {}) : after[0];
      Value place = index;
      if (numDirections == 2) {
        // Steps of one direction are every other part of Y.
        Value two = l.toValue(l.index(2)), which = l.toValue(l.index(d));
        place = arith::AddIOp::create(
            l.b, arith::MulIOp::create(l.b, index, two), which);
      }
      y = putStep(l, shown, y, place, stateDims);
    }
    if (hasY)
      next.push_back(y);
    return next;
  };
  SmallVector<Value> last = makeLoop(l, steps, carried, runStep);

  SmallVector<Value> results;
  Value y = hasY ? last.back() : l.empty(sequenceDims, getStorageType(element));
  if (batchFirst && hasY)
    y = l.transpose(y, sequenceDims, {2, 0, 1, 3});
  results.push_back(hasY ? y
                         : l.empty(l.resultDims(0), getStorageType(element)));
  for (unsigned s = 0; s != numStates; ++s) {
    SmallVector<Value> states;
    for (unsigned d = 0; d != numDirections; ++d)
      states.push_back(last[d * numStates + s]);
    results.push_back(pair(states, 1 + s));
  }
  return l.replace(results);
}

//===----------------------------------------------------------------------===//
// Cells
//===----------------------------------------------------------------------===//

/// Clipping applies to the arguments of the functions.
template <typename OpTy> static std::optional<double> getClip(OpTy op) {
  if (auto clip = op.getClip())
    return clip->convertToFloat();
  return std::nullopt;
}

template <typename OpTy> static unsigned countDirections(OpTy op) {
  return op.getDirection() == "bidirectional" ? 2 : 1;
}

/// h' = f(x + h * R')
static LogicalResult lowerRNN(onnx::RNNOp op, Lowering &l) {
  auto activations = getActivations(op, l, {"tanh"}, countDirections(op));
  if (failed(activations))
    return failure();
  Recurrence recurrence(l, {1, /*numStates=*/1, {1}}, op.getLayout(),
                        getClip(op));
  return recurrence.run(
      op.getDirection(), *activations, [](Step &step) -> SmallVector<Value> {
        Recurrence &r = step.r;
        Value gates = r.recur(step.state[0], step.direction.weights[0]);
        return {r.emit({r.gate(step.projected, 0), r.gate(gates, 0)}, r.element,
                       [&](const Element &e) {
                         Value sum = r.limit(e, e.add(e.x[0], e.x[1]));
                         return step.direction.activations[0].emit(e, sum);
                       })};
      });
}

/// i, o, f, c = the gates;  c' = f . c + i . c;  h' = o . h(c'), where the old
/// cell reaches i and f, and the new one o, through peepholes. A coupled f is
/// 1 - i.
static SmallVector<Value> makeLSTMCell(Step &step, bool isCoupled) {
  Recurrence &r = step.r;
  enum { I, O, F, C };
  Value x = step.projected;
  Value gates = r.recur(step.state[0], step.direction.weights[0]);
  const Activation &f = step.direction.activations[0];
  const Activation &g = step.direction.activations[1];
  const Activation &h = step.direction.activations[2];
  // In the order of the model: i, o, f.
  ArrayRef<Operand> peepholes = step.direction.vectors;
  bool peeps = !peepholes.empty();

  SmallVector<Operand> inputs = {{step.state[1], r.compute}};
  for (unsigned i : {I, C, F})
    llvm::append_values(inputs, r.gate(x, i), r.gate(gates, i));
  if (peeps)
    llvm::append_values(inputs, peepholes[I], peepholes[F]);
  if (isCoupled) {
    inputs.resize(5);
    if (peeps)
      inputs.push_back(peepholes[I]);
  }
  Value newCell = r.emit(inputs, r.compute, [&](const Element &e) {
    Value old = e.x[0];
    auto open = [&](Value sum, unsigned peephole) {
      if (peeps)
        sum = e.add(sum, e.mul(e.x[peephole], old));
      return f.emit(e, r.limit(e, sum));
    };
    Value in = open(e.add(e.x[1], e.x[2]), isCoupled ? 5 : 7);
    Value candidate = g.emit(e, r.limit(e, e.add(e.x[3], e.x[4])));
    Value forget =
        isCoupled ? e.sub(e.constant(1), in) : open(e.add(e.x[5], e.x[6]), 8);
    return e.add(e.mul(forget, old), e.mul(in, candidate));
  });

  SmallVector<Operand> outputs = {
      r.gate(x, O), r.gate(gates, O), {newCell, r.compute}};
  if (peeps)
    outputs.push_back(peepholes[O]);
  Value newHidden = r.emit(outputs, r.element, [&](const Element &e) {
    Value sum = e.add(e.x[0], e.x[1]);
    if (peeps)
      sum = e.add(sum, e.mul(e.x[3], e.x[2]));
    Value out = f.emit(e, r.limit(e, sum));
    return e.mul(out, h.emit(e, e.x[2]));
  });
  return {newHidden, newCell};
}

static LogicalResult lowerLSTM(onnx::LSTMOp op, Lowering &l) {
  auto activations =
      getActivations(op, l, {"sigmoid", "tanh", "tanh"}, countDirections(op));
  if (failed(activations))
    return failure();
  CellKind kind{4, /*numStates=*/2, {4}};
  if (l.has(Peepholes))
    kind.vectors = {{Peepholes, 0}, {Peepholes, 1}, {Peepholes, 2}};
  Recurrence recurrence(l, std::move(kind), op.getLayout(), getClip(op));
  return recurrence.run(op.getDirection(), *activations, [&](Step &step) {
    return makeLSTMCell(step, op.getInputForget());
  });
}

/// (1 - z) . candidate + z . h
static Value blend(const Element &e, Value z, Value candidate, Value h) {
  return e.add(e.mul(e.sub(e.constant(1), z), candidate), e.mul(z, h));
}

/// z, r = the gates;  h' = (1 - z) . g(x + r . (h * R' + bias)) + z . h
static SmallVector<Value> makeResetLastCell(Step &step) {
  Recurrence &r = step.r;
  const Activation &f = step.direction.activations[0];
  const Activation &g = step.direction.activations[1];
  Value gates = r.recur(step.state[0], step.direction.weights[0]);
  SmallVector<Operand> inputs;
  for (unsigned i : {0, 1, 2})
    llvm::append_values(inputs, r.gate(step.projected, i), r.gate(gates, i));
  inputs.push_back({step.state[0], r.element});
  llvm::append_range(inputs, step.direction.vectors);
  bool hasBias = !step.direction.vectors.empty();
  return {r.emit(inputs, r.element, [&](const Element &e) {
    auto recurrent = [&](unsigned i) {
      return hasBias ? e.add(e.x[2 * i + 1], e.x[7 + i]) : e.x[2 * i + 1];
    };
    Value update = f.emit(e, r.limit(e, e.add(e.x[0], recurrent(0))));
    Value reset = f.emit(e, r.limit(e, e.add(e.x[2], recurrent(1))));
    Value sum = e.add(e.x[4], e.mul(reset, recurrent(2)));
    return blend(e, update, g.emit(e, r.limit(e, sum)), e.x[6]);
  })};
}

/// z, r = the gates;  h' = (1 - z) . g(x + (r . h) * R') + z . h
static SmallVector<Value> makeResetFirstCell(Step &step) {
  Recurrence &r = step.r;
  const Activation &f = step.direction.activations[0];
  const Activation &g = step.direction.activations[1];
  Value x = step.projected;
  Operand old{step.state[0], r.element};
  Value gates = r.recur(step.state[0], step.direction.weights[0]);
  Value kept = r.emit({r.gate(x, 1), r.gate(gates, 1), old}, r.element,
                      [&](const Element &e) {
                        Value sum = e.add(e.x[0], e.x[1]);
                        return e.mul(f.emit(e, r.limit(e, sum)), e.x[2]);
                      });
  Value product = r.recur(kept, step.direction.weights[1]);
  return {r.emit(
      {r.gate(x, 0), r.gate(gates, 0), r.gate(x, 2), r.gate(product, 0), old},
      r.element, [&](const Element &e) {
        Value z = f.emit(e, r.limit(e, e.add(e.x[0], e.x[1])));
        Value candidate = g.emit(e, r.limit(e, e.add(e.x[2], e.x[3])));
        return blend(e, z, candidate, e.x[4]);
      })};
}

static LogicalResult lowerGRU(onnx::GRUOp op, Lowering &l) {
  auto activations =
      getActivations(op, l, {"sigmoid", "tanh"}, countDirections(op));
  if (failed(activations))
    return failure();
  CellKind kind{3, /*numStates=*/1, {2, 1}};
  bool resetsLast = op.getLinearBeforeReset();
  if (resetsLast) {
    kind.products = {3};
    kind.readsRecurrentBias = true;
    if (l.has(B))
      kind.vectors = {{B, 3}, {B, 4}, {B, 5}};
  }
  Recurrence recurrence(l, std::move(kind), op.getLayout(), getClip(op));
  return recurrence.run(op.getDirection(), *activations,
                        resetsLast ? makeResetLastCell : makeResetFirstCell);
}

void lathe::populateRecurrentPatterns(RewritePatternSet &patterns,
                                      const TypeConverter &types) {
  addLowering(patterns, types, lowerRNN);
  addLowering(patterns, types, lowerLSTM);
  addLowering(patterns, types, lowerGRU);
}
