// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Window.h"
#include "lathe/Transforms/Fusion/ProgramOps.h"
#include "lathe/Transforms/Layout/Passes.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Linalg/Transforms/Transforms.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/IndexingUtils.h"
#include <numeric>

using namespace mlir;

namespace lathe {
#define GEN_PASS_DEF_MATERIALIZELAYOUTS
#include "lathe/Transforms/Layout/Passes.h.inc"
} // namespace lathe

using namespace lathe;

using Perm = SmallVector<int64_t>;

/// Channels of an image that is not worth a copy with channels last.
static constexpr int64_t maxImageChannels = 4;

static Perm getIdentityPerm(size_t rank) {
  Perm perm(rank);
  std::iota(perm.begin(), perm.end(), 0);
  return perm;
}

/// Result `i` of the new map is result `perm[i]` of the old one.
static AffineMap permuteResults(AffineMap map, ArrayRef<int64_t> perm) {
  SmallVector<AffineExpr> results;
  for (int64_t p : perm)
    results.push_back(map.getResult(p));
  return AffineMap::get(map.getNumDims(), map.getNumSymbols(), results,
                        map.getContext());
}

namespace {
class Materializer {
public:
  explicit Materializer(MLIRContext *context) : builder(context) {}

  LogicalResult run(func::FuncOp func);
  unsigned numTransposes = 0;

private:
  LogicalResult rewrite(Operation *op);
  LogicalResult rewriteGeneric(linalg::GenericOp op, ArrayRef<int64_t> perm);
  LogicalResult rewritePad(tensor::PadOp op, ArrayRef<int64_t> perm);
  LogicalResult rewriteSlice(tensor::ExtractSliceOp op, ArrayRef<int64_t> perm);
  LogicalResult rewriteInsert(tensor::InsertSliceOp op, ArrayRef<int64_t> perm);
  LogicalResult rewriteConcat(tensor::ConcatOp op, ArrayRef<int64_t> perm);
  FailureOr<Value> getAs(Value value, ArrayRef<int64_t> perm, Operation *user);
  FailureOr<Value> transpose(Value value, ArrayRef<int64_t> perm,
                             Operation *user);
  FailureOr<Value> makeInit(Value init, ArrayRef<int64_t> perm,
                            Operation *user);
  LogicalResult rewriteView(ViewOp op, ArrayRef<int64_t> perm);
  void permuteReads(linalg::GenericOp op);
  LogicalResult restore(Operation *op);
  void replace(Operation *op, Value made, ArrayRef<int64_t> perm);
  /// The same with `made`, an op of the same kind, which gets its attributes.
  void replaceBySame(Operation *op, Operation *made, ArrayRef<int64_t> perm);

  OpBuilder builder;
  struct Stored {
    Value value;
    Perm perm;
  };
  /// What a value of the old program is stored as.
  DenseMap<Value, Stored> stored;
  DenseMap<std::pair<Value, Attribute>, Value> conversions;
  SmallVector<Operation *> dead;
};
} // namespace

/// A permuted copy of `value`, made before `user`.
FailureOr<Value> Materializer::transpose(Value value, ArrayRef<int64_t> perm,
                                         Operation *user) {
  builder.setInsertionPoint(user);
  auto type = cast<RankedTensorType>(value.getType());
  if (auto weight = value.getDefiningOp<WeightOp>()) {
    SmallVector<Attribute> recipe(weight.getRecipe().begin(),
                                  weight.getRecipe().end());
    recipe.push_back(PermuteStepAttr::get(builder.getContext(), perm));
    return WeightOp::create(
               builder, weight.getLoc(),
               RankedTensorType::get(applyPermutation(type.getShape(), perm),
                                     type.getElementType()),
               weight.getValue(), builder.getArrayAttr(recipe))
        .getResult();
  }
  FailureOr<SmallVector<Value>> dims = getDynamicDims(builder, value);
  if (failed(dims))
    return user->emitError("failed to find the sizes of an operand");
  builder.setInsertionPoint(user);
  SmallVector<OpFoldResult> sizes =
      getMixedValues(type.getShape(), *dims, builder);
  applyPermutationToVector(sizes, perm);
  // What is returned in another order belongs to the node that made it.
  Location loc =
      user->hasTrait<OpTrait::IsTerminator>() ? value.getLoc() : user->getLoc();
  Value empty =
      tensor::EmptyOp::create(builder, loc, sizes, type.getElementType());
  auto op = linalg::TransposeOp::create(builder, loc, value, empty, perm);
  FailureOr<linalg::GenericOp> generic = [&] {
    IRRewriter rewriter(builder);
    return linalg::generalizeNamedOp(rewriter, op);
  }();
  if (failed(generic))
    return user->emitError("failed to generalize a transpose");
  // A boundary of layouts belongs to the op that needs it.
  if (Attribute node = user->getAttr(nodeAttrName))
    (*generic)->setAttr(nodeAttrName, node);
  ++numTransposes;
  return (*generic)->getResult(0);
}

/// `value` of the old program in layout `perm`.
FailureOr<Value> Materializer::getAs(Value value, ArrayRef<int64_t> perm,
                                     Operation *user) {
  auto it = stored.find(value);
  Perm have = getIdentityPerm(perm.size());
  Value from = value;
  if (it != stored.end()) {
    from = it->second.value;
    have = it->second.perm;
  }
  if (have == Perm(perm))
    return from;
  Attribute key = builder.getDenseI64ArrayAttr(perm);
  Value &known = conversions[{value, key}];
  if (known && known.getParentBlock() == user->getBlock())
    return known;
  // Dimension perm[i] of the value lies at inverse(have)[perm[i]].
  Perm inverse = invertPermutationVector(have), step;
  for (int64_t p : perm)
    step.push_back(inverse[p]);
  FailureOr<Value> made = transpose(from, step, user);
  if (failed(made))
    return failure();
  return conversions[{value, key}] = *made;
}

void Materializer::replace(Operation *op, Value made, ArrayRef<int64_t> perm) {
  stored[op->getResult(0)] = {made, Perm(perm)};
  dead.push_back(op);
}

void Materializer::replaceBySame(Operation *op, Operation *made,
                                 ArrayRef<int64_t> perm) {
  made->setDiscardableAttrs(op->getDiscardableAttrDictionary());
  made->removeAttr(layoutAttrName);
  replace(op, made->getResult(0), perm);
}

/// The initial value of a result, permuted: a new empty or filled tensor.
FailureOr<Value> Materializer::makeInit(Value init, ArrayRef<int64_t> perm,
                                        Operation *user) {
  builder.setInsertionPoint(user);
  if (auto empty = init.getDefiningOp<tensor::EmptyOp>()) {
    SmallVector<OpFoldResult> sizes = empty.getMixedSizes();
    applyPermutationToVector(sizes, perm);
    return tensor::EmptyOp::create(builder, empty.getLoc(), sizes,
                                   empty.getType().getElementType())
        .getResult();
  }
  if (auto fill = init.getDefiningOp<linalg::FillOp>()) {
    FailureOr<Value> out = makeInit(fill.getOutputs()[0], perm, user);
    if (failed(out))
      return failure();
    auto made =
        linalg::FillOp::create(builder, fill.getLoc(), fill.getInputs(), *out);
    made->setDiscardableAttrs(fill->getDiscardableAttrDictionary());
    return made.getResult(0);
  }
  return getAs(init, perm, user);
}

/// Whether a contraction reads an input of the program, perhaps padded, that
/// has few channels: an image. It is read a scalar at a time in any layout, so
/// it is left as it lies.
static bool readsPlainImage(linalg::GenericOp op, OpOperand &input) {
  Value value = input.get();
  if (auto pad = value.getDefiningOp<tensor::PadOp>())
    value = pad.getSource();
  auto arg = dyn_cast<BlockArgument>(value);
  auto type = cast<RankedTensorType>(input.get().getType());
  if (!arg || !isa<func::FuncOp>(arg.getOwner()->getParentOp()) ||
      !isContraction(op))
    return false;
  int64_t channels = 1;
  AffineMap map = op.getMatchingIndexingMap(&input);
  for (unsigned i = 1; i < map.getNumResults(); ++i) {
    if (isSpatial(map.getResult(i)))
      continue;
    if (type.isDynamicDim(i))
      return false;
    channels *= type.getDimSize(i);
  }
  return channels <= maxImageChannels;
}

LogicalResult Materializer::rewriteGeneric(linalg::GenericOp op,
                                           ArrayRef<int64_t> perm) {
  std::optional<WindowMatch> window = matchWindow(op);
  SmallVector<Value> inputs;
  SmallVector<AffineMap> maps;
  for (OpOperand *input : op.getDpsInputOperands()) {
    AffineMap map = op.getMatchingIndexingMap(input);
    Value value = input->get();
    std::optional<Perm> wanted;
    if (window && window->input == input->getOperandNumber() && !perm.empty()) {
      if (!readsPlainImage(op, *input))
        wanted = window->inputPerm;
    } else if (!perm.empty() && map.isIdentity() && !window)
      wanted = Perm(perm);
    else if (auto it = stored.find(value); it != stored.end())
      wanted = it->second.perm;
    if (wanted) {
      FailureOr<Value> got = getAs(value, *wanted, op);
      if (failed(got))
        return failure();
      value = *got;
      map = permuteResults(map, *wanted);
    }
    inputs.push_back(value);
    maps.push_back(map);
  }
  SmallVector<Value> inits;
  for (OpOperand &init : op.getDpsInitsMutable()) {
    AffineMap map = op.getMatchingIndexingMap(&init);
    Value value = init.get();
    if (!perm.empty()) {
      FailureOr<Value> made = makeInit(value, perm, op);
      if (failed(made))
        return failure();
      value = *made;
      map = permuteResults(map, perm);
    } else if (auto it = stored.find(value); it != stored.end()) {
      FailureOr<Value> plain =
          getAs(value, getIdentityPerm(it->second.perm.size()), op);
      if (failed(plain))
        return failure();
      value = *plain;
    }
    inits.push_back(value);
    maps.push_back(map);
  }
  // Loops in the order of the result; then windows; then the other reductions.
  SmallVector<utils::IteratorType> kinds = op.getIteratorTypesArray();
  SmallVector<unsigned> order;
  for (AffineExpr expr : maps.back().getResults())
    if (auto dim = dyn_cast<AffineDimExpr>(expr))
      order.push_back(dim.getPosition());
  for (unsigned d = 0; d < kinds.size(); ++d)
    if (window && llvm::is_contained(window->windowDims, d))
      order.push_back(d);
  // What filters of several groups read is spread over lanes once for all
  // points of a row of the window, which comes last.
  std::optional<unsigned> row;
  if (window && !window->windowDims.empty() && readsAtQuotient(op))
    row = order.pop_back_val();
  for (unsigned d = 0; d < kinds.size(); ++d)
    if (!llvm::is_contained(order, d) && row != d)
      order.push_back(d);
  if (row)
    order.push_back(*row);
  if (perm.empty()) {
    for (unsigned d = 0; d < order.size(); ++d)
      order[d] = d;
  }
  SmallVector<AffineExpr> renamed(order.size());
  SmallVector<utils::IteratorType> newKinds;
  for (auto [i, d] : llvm::enumerate(order)) {
    renamed[d] = builder.getAffineDimExpr(i);
    newKinds.push_back(kinds[d]);
  }
  for (AffineMap &map : maps)
    map = map.replaceDimsAndSymbols(renamed, {}, renamed.size(), 0);

  builder.setInsertionPoint(op);
  // A transpose that ends where it began.
  Block *body = op.getBody();
  if (inputs.size() == 1 && inits.size() == 1 &&
      body->getOperations().size() == 1 &&
      body->getTerminator()->getOperand(0) == body->getArgument(0) &&
      maps[0] == maps[1] && inputs[0].getType() == inits[0].getType()) {
    Perm same =
        perm.empty() ? getIdentityPerm(maps[0].getNumResults()) : Perm(perm);
    if (same == getIdentityPerm(same.size())) {
      op->getResult(0).replaceAllUsesWith(inputs[0]);
      dead.push_back(op);
      return success();
    }
    replace(op, inputs[0], same);
    return success();
  }
  auto made = linalg::GenericOp::create(builder, op.getLoc(),
                                        ValueRange(inits).getTypes(), inputs,
                                        inits, maps, newKinds);
  made->setDiscardableAttrs(op->getDiscardableAttrDictionary());
  made->removeAttr(layoutAttrName);
  made.getRegion().takeBody(op.getRegion());
  made.walk([&](linalg::IndexOp index) {
    for (auto [i, d] : llvm::enumerate(order))
      if (d == index.getDim()) {
        index.setDim(i);
        return;
      }
  });
  // Keep the old op verifiable until it goes.
  if (perm.empty()) {
    op->replaceAllUsesWith(made);
    dead.push_back(op);
  } else {
    replace(op, made->getResult(0), perm);
  }
  return success();
}

LogicalResult Materializer::rewritePad(tensor::PadOp op,
                                       ArrayRef<int64_t> perm) {
  FailureOr<Value> source = getAs(op.getSource(), perm, op);
  Value value = op.getConstantPaddingValue();
  if (failed(source))
    return failure();
  if (!value)
    return op.emitError("expects padding with one value");
  SmallVector<OpFoldResult> low = op.getMixedLowPad(),
                            high = op.getMixedHighPad();
  applyPermutationToVector(low, perm);
  applyPermutationToVector(high, perm);
  builder.setInsertionPoint(op);
  auto type = cast<RankedTensorType>(op.getType());
  auto made = tensor::PadOp::create(
      builder, op.getLoc(),
      RankedTensorType::get(applyPermutation(type.getShape(), perm),
                            type.getElementType()),
      *source, low, high, value, op.getNofold());
  replaceBySame(op, made, perm);
  return success();
}

/// Offsets, sizes and strides of a slice of a permuted tensor.
static std::array<SmallVector<OpFoldResult>, 3>
getPermutedSlice(OffsetSizeAndStrideOpInterface op, ArrayRef<int64_t> perm) {
  std::array<SmallVector<OpFoldResult>, 3> lists = {
      op.getMixedOffsets(), op.getMixedSizes(), op.getMixedStrides()};
  for (SmallVector<OpFoldResult> &list : lists)
    applyPermutationToVector(list, perm);
  return lists;
}

LogicalResult Materializer::rewriteSlice(tensor::ExtractSliceOp op,
                                         ArrayRef<int64_t> perm) {
  FailureOr<Value> source = getAs(op.getSource(), perm, op);
  if (failed(source))
    return failure();
  auto [offsets, sizes, strides] = getPermutedSlice(op, perm);
  builder.setInsertionPoint(op);
  auto made = tensor::ExtractSliceOp::create(builder, op.getLoc(), *source,
                                             offsets, sizes, strides);
  replaceBySame(op, made, perm);
  return success();
}

LogicalResult Materializer::rewriteInsert(tensor::InsertSliceOp op,
                                          ArrayRef<int64_t> perm) {
  FailureOr<Value> source = getAs(op.getSource(), perm, op);
  FailureOr<Value> dest = makeInit(op.getDest(), perm, op);
  if (failed(source) || failed(dest))
    return failure();
  auto [offsets, sizes, strides] = getPermutedSlice(op, perm);
  builder.setInsertionPoint(op);
  auto made = tensor::InsertSliceOp::create(builder, op.getLoc(), *source,
                                            *dest, offsets, sizes, strides);
  replaceBySame(op, made, perm);
  return success();
}

LogicalResult Materializer::rewriteConcat(tensor::ConcatOp op,
                                          ArrayRef<int64_t> perm) {
  SmallVector<Value> inputs;
  for (Value input : op.getInputs()) {
    FailureOr<Value> got = getAs(input, perm, op);
    if (failed(got))
      return failure();
    inputs.push_back(*got);
  }
  int64_t dim = llvm::find(perm, (int64_t)op.getDim()) - perm.begin();
  builder.setInsertionPoint(op);
  auto made = tensor::ConcatOp::create(builder, op.getLoc(), dim, inputs);
  replaceBySame(op, made, perm);
  return success();
}

LogicalResult Materializer::rewriteView(ViewOp op, ArrayRef<int64_t> perm) {
  // A view follows what it is a view of.
  auto it = stored.find(op.getSource());
  if (it == stored.end())
    return op.emitError("expects a source with a layout");
  auto type = cast<RankedTensorType>(op.getType());
  SmallVector<Value> sizes;
  for (int64_t dim : perm)
    if (type.isDynamicDim(dim))
      sizes.push_back(op.getDims()[type.getDynamicDimIndex(dim)]);
  builder.setInsertionPoint(op);
  auto made = ViewOp::create(
      builder, op.getLoc(),
      RankedTensorType::get(applyPermutation(type.getShape(), perm),
                            type.getElementType()),
      it->second.value, sizes);
  replaceBySame(op, made, perm);
  return success();
}

/// Gives an op that knows no layouts its operands, and what its regions read,
/// as they were.
LogicalResult Materializer::restore(Operation *op) {
  LogicalResult ok = success();
  op->walk([&](Operation *inner) {
    for (OpOperand &operand : inner->getOpOperands()) {
      auto it = stored.find(operand.get());
      if (it == stored.end())
        continue;
      FailureOr<Value> got =
          getAs(operand.get(), getIdentityPerm(it->second.perm.size()), op);
      if (failed(got))
        ok = failure();
      else
        operand.set(*got);
    }
  });
  return ok;
}

/// Lets a body read tensors at computed places as they are stored.
void Materializer::permuteReads(linalg::GenericOp op) {
  for (auto extract : op.getBody()->getOps<tensor::ExtractOp>()) {
    auto it = stored.find(extract.getTensor());
    if (it == stored.end())
      continue;
    SmallVector<Value> indices(extract.getIndices());
    applyPermutationToVector(indices, it->second.perm);
    extract.getTensorMutable().assign(it->second.value);
    extract.getIndicesMutable().assign(indices);
  }
}

LogicalResult Materializer::rewrite(Operation *op) {
  SmallVector<int64_t> perm;
  if (auto layout = op->getAttrOfType<DenseI64ArrayAttr>(layoutAttrName))
    perm.assign(layout.asArrayRef().begin(), layout.asArrayRef().end());
  if (auto generic = dyn_cast<linalg::GenericOp>(op)) {
    bool reads = llvm::any_of(generic.getDpsInputs(),
                              [&](Value v) { return stored.contains(v); });
    if (!perm.empty())
      permuteReads(generic);
    bool captures = false;
    for (Operation &inner : generic.getBody()->getOperations())
      for (Value operand : inner.getOperands())
        captures |= stored.contains(operand);
    // Results without inputs in reach of a permuted map stay as they are.
    if (captures) {
      if (failed(restore(op)))
        return failure();
      reads = false;
    }
    if (!perm.empty() || reads)
      return rewriteGeneric(generic, perm);
    return restore(op);
  }
  if (perm.empty()) {
    if (isa<tensor::EmptyOp, linalg::FillOp>(op))
      return success();
    return restore(op);
  }
  if (auto pad = dyn_cast<tensor::PadOp>(op))
    return rewritePad(pad, perm);
  if (auto slice = dyn_cast<tensor::ExtractSliceOp>(op))
    return rewriteSlice(slice, perm);
  if (auto insert = dyn_cast<tensor::InsertSliceOp>(op))
    return rewriteInsert(insert, perm);
  if (auto view = dyn_cast<ViewOp>(op))
    return rewriteView(view, perm);
  if (auto concat = dyn_cast<tensor::ConcatOp>(op))
    return rewriteConcat(concat, perm);
  return op->emitError("expects an op that can follow a layout");
}

LogicalResult Materializer::run(func::FuncOp func) {
  SmallVector<Operation *> ops;
  func.walk<WalkOrder::PreOrder>([&](Operation *op) {
    if (op == func)
      return WalkResult::advance();
    // Ops with regions of the program are entered, those of loops are not.
    bool isProgram = isa<scf::SCFDialect>(op->getDialect());
    if (!isProgram || op->hasTrait<OpTrait::IsTerminator>())
      ops.push_back(op);
    return isProgram ? WalkResult::advance() : WalkResult::skip();
  });
  for (Operation *op : ops)
    if (failed(rewrite(op)))
      return failure();
  // Operands of control flow that were rewritten before it.
  func.walk([&](Operation *op) {
    if (isa<scf::SCFDialect>(op->getDialect()) &&
        !op->hasTrait<OpTrait::IsTerminator>())
      for (OpOperand &operand : op->getOpOperands())
        if (auto it = stored.find(operand.get()); it != stored.end()) {
          FailureOr<Value> got =
              getAs(operand.get(), getIdentityPerm(it->second.perm.size()), op);
          if (succeeded(got))
            operand.set(*got);
        }
  });
  for (Operation *op : llvm::reverse(dead)) {
    if (!op->use_empty())
      return op->emitError(
          "failed to replace every use of a value whose layout "
          "changed");
    op->erase();
  }
  return success();
}

namespace {
struct MaterializeLayouts
    : public lathe::impl::MaterializeLayoutsBase<MaterializeLayouts> {
  using Base::Base;

  void runOnOperation() override {
    Materializer materializer(&getContext());
    if (failed(materializer.run(getOperation())))
      return signalPassFailure();
    numTransposes = materializer.numTransposes;
  }
};
} // namespace
