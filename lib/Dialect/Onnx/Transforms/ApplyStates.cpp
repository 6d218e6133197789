// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "lathe/Dialect/Lathe/IR/Lathe.h"
#include "lathe/Dialect/Onnx/IR/Control.h"
#include "lathe/Dialect/Onnx/IR/Math.h"
#include "lathe/Dialect/Onnx/IR/Tensor.h"
#include "lathe/Dialect/Onnx/Transforms/Passes.h"

#include "mlir/IR/Builders.h"

namespace lathe {
#define GEN_PASS_DEF_APPLYSTATES
#include "lathe/Dialect/Onnx/Transforms/Passes.h.inc"
} // namespace lathe

using namespace mlir;
using namespace lathe;
using namespace lathe::onnx;

namespace {
struct State {
  unsigned input, output;
  std::optional<int64_t> max;
};
} // namespace

static StringRef getName(func::FuncOp func, bool isInput, unsigned i) {
  auto name = isInput ? func.getArgAttrOfType<StringAttr>(i, nameAttrName)
                      : func.getResultAttrOfType<StringAttr>(i, nameAttrName);
  return name ? name.getValue() : StringRef();
}

/// `IN=OUT` or `IN=OUT:max=N`.
static FailureOr<State> parseState(func::FuncOp func, StringRef text) {
  State state;
  auto [names, limit] = text.rsplit(":max=");
  if (names.size() != text.size()) {
    int64_t max;
    if (limit.getAsInteger(10, max) || max <= 0) {
      func.emitError("expects a number of steps above 0 in the state '")
          << text << "', got '" << limit << "'";
      return failure();
    }
    state.max = max;
  }
  auto [input, output] = names.split('=');
  auto find = [&](StringRef name, bool isInput,
                  unsigned count) -> FailureOr<unsigned> {
    for (unsigned i = 0; i != count; ++i)
      if (getName(func, isInput, i) == name)
        return i;
    func.emitError("expects a state IN=OUT[:max=N] of an input and an output, "
                   "got '")
        << text << "': there is no " << (isInput ? "input" : "output") << " '"
        << name << "'";
    return failure();
  };
  auto in = find(input, true, func.getNumArguments());
  auto out = find(output, false, func.getNumResults());
  if (failed(in) || failed(out))
    return failure();
  state.input = *in;
  state.output = *out;
  // Elements that share a byte are spread inside, and in place is as outside.
  Type type = getElementTypeOrSelf(func.getArgument(state.input).getType());
  if (type.isIntOrFloat() && !type.isInteger(1) &&
      type.getIntOrFloatBitWidth() < 8) {
    func.emitError("expects elements of at least a byte in the state '")
        << text << "', got " << type;
    return failure();
  }
  return state;
}

/// What `value` is but for its name.
static Value getSource(Value value) {
  while (Operation *def = value.getDefiningOp()) {
    bool isSame = isa<IdentityOp>(def) ||
                  (isa<onnx::ConcatOp>(def) && def->getNumOperands() == 1);
    if (!isSame)
      break;
    value = def->getOperand(0);
  }
  return value;
}

static RankedTensorType permute(RankedTensorType type, ArrayRef<int64_t> perm) {
  return type.clone(
      llvm::map_to_vector(perm, [&](int64_t d) { return type.getDimSize(d); }));
}

static Value transpose(OpBuilder &builder, Location loc, Value value,
                       ArrayRef<int64_t> perm) {
  auto type = permute(cast<RankedTensorType>(value.getType()), perm);
  return TransposeOp::create(builder, loc, type, value,
                             builder.getDenseI64ArrayAttr(perm));
}

/// The state's argument and result say so; `axis` is -1 where it does not grow.
static void mark(func::FuncOp func, const State &state, int64_t axis) {
  Builder builder(func.getContext());
  auto number = [&](StringRef name, int64_t value) {
    return builder.getNamedAttr(name, builder.getI64IntegerAttr(value));
  };
  Attribute attr = builder.getDictionaryAttr(
      {number("axis", axis), number("input", state.input),
       number("max", state.max.value_or(-1)), number("output", state.output)});
  func.setArgAttr(state.input, stateAttrName, attr);
  func.setResultAttr(state.output, stateAttrName, attr);
}

static LogicalResult applyGrowing(func::FuncOp func, const State &state) {
  BlockArgument past = func.getArgument(state.input);
  Operation *end = func.getBody().front().getTerminator();
  Value next = getSource(end->getOperand(state.output));
  auto concat = next.getDefiningOp<onnx::ConcatOp>();
  auto type = dyn_cast<RankedTensorType>(past.getType());
  auto grown = dyn_cast<RankedTensorType>(next.getType());
  if (!concat || !type || !grown || concat->getNumOperands() < 2 ||
      getSource(concat->getOperand(0)) != past) {
    Operation *got = next.getDefiningOp();
    auto error = got ? got->emitError() : func.emitError();
    return error << "expects output '" << getName(func, false, state.output)
                 << "' to be input '" << getName(func, true, state.input)
                 << "' with steps concatenated to its end, got "
                 << (got ? got->getName().stripDialect() : "an input");
  }
  int64_t rank = type.getRank(), axis = concat.getAxis();
  axis += axis < 0 ? rank : 0;
  SmallVector<int64_t> toFront = {axis}, back(rank);
  for (int64_t d = 0; d != rank; ++d)
    if (d != axis)
      toFront.push_back(d);
  for (auto [i, d] : llvm::enumerate(toFront))
    back[d] = i;

  OpBuilder builder(concat);
  SmallVector<Value> parts(llvm::drop_begin(concat->getOperands()));
  Value steps = parts.front();
  if (parts.size() > 1)
    steps = onnx::ConcatOp::create(builder, concat.getLoc(),
                             UnrankedTensorType::get(type.getElementType()),
                             parts, concat.getAxisAttr());
  if (!isa<RankedTensorType>(steps.getType())) {
    SmallVector<int64_t> shape(rank, ShapedType::kDynamic);
    steps.setType(RankedTensorType::get(shape, type.getElementType()));
  }
  // Those that read the state see its dimensions in the model's order.
  past.setType(permute(type, toFront));
  Value update = UpdateStateOp::create(
      builder, concat.getLoc(), permute(grown, toFront), past,
      transpose(builder, concat.getLoc(), steps, toFront),
      builder.getBoolAttr(true));
  Value seen = transpose(builder, concat.getLoc(), update, back);
  concat.getResult().replaceAllUsesWith(seen);
  end->setOperand(state.output, update);
  concat->erase();
  SmallVector<OpOperand *> readers;
  for (OpOperand &use : past.getUses())
    if (!isa<UpdateStateOp>(use.getOwner()))
      readers.push_back(&use);
  if (!readers.empty()) {
    builder.setInsertionPointToStart(&func.getBody().front());
    Value before = transpose(builder, func.getLoc(), past, back);
    for (OpOperand *use : readers)
      use->set(before);
  }
  if (auto names =
          func.getArgAttrOfType<ArrayAttr>(state.input, dimsAttrName)) {
    SmallVector<Attribute> moved = llvm::map_to_vector(
        toFront, [&](int64_t d) -> Attribute { return names[d]; });
    func.setArgAttr(state.input, dimsAttrName, builder.getArrayAttr(moved));
  }
  mark(func, state, axis);
  return success();
}

static LogicalResult applyFixed(func::FuncOp func, const State &state) {
  Operation *end = func.getBody().front().getTerminator();
  OpBuilder builder(end);
  Value next = end->getOperand(state.output);
  end->setOperand(state.output,
                  UpdateStateOp::create(builder, func.getLoc(), next.getType(),
                                        func.getArgument(state.input), next,
                                        builder.getBoolAttr(false)));
  mark(func, state, -1);
  return success();
}

namespace {
struct ApplyStates : public lathe::impl::ApplyStatesBase<ApplyStates> {
  using Base::Base;

  void runOnOperation() override {
    func::FuncOp func = getOperation();
    DenseSet<unsigned> inputs, outputs;
    for (const std::string &text : states) {
      FailureOr<State> state = parseState(func, text);
      if (failed(state))
        return signalPassFailure();
      if (!inputs.insert(state->input).second ||
          !outputs.insert(state->output).second) {
        func.emitError("expects each input and output in one state, got '")
            << text << "' beside another";
        return signalPassFailure();
      }
      if (failed(state->max ? applyGrowing(func, *state)
                            : applyFixed(func, *state)))
        return signalPassFailure();
    }
    if (states.empty())
      return;
    Operation *end = func.getBody().front().getTerminator();
    func.setFunctionType(
        FunctionType::get(func.getContext(), func.getBody().getArgumentTypes(),
                          llvm::to_vector(end->getOperandTypes())));
  }
};
} // namespace
