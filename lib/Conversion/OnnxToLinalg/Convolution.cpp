// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Convolutions of any spatial rank, as `tensor.pad` and one `linalg.generic`:
//   one group          loops (n, f, space…, c, kernel…)
//   depthwise          loops (n, c, space…, kernel…)
//   groups             loops (n, g, f, space…, c, kernel…), channels split by
//   views
// The bias is an elementwise op of its own, so that what follows can join it.

#include "Convolution.h"
#include "Families.h"
#include "lathe/Dialect/Lathe/IR/Lathe.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace lathe;

/// Adds `bias` (one number per channel, or null) and stores as `element`.
static Value addBias(Lowering &l, Value product, DimsRef dims, Type element,
                     std::optional<Operand> bias) {
  if (!bias)
    return store(l, product, dims, element);
  bias->map =
      AffineMap::get(dims.size(), 0, l.b.getAffineDimExpr(1), l.b.getContext());
  return l.elementwise({Operand{product, getComputeType(element)}, *bias}, dims,
                       element,
                       [](ImplicitLocOpBuilder &b, ValueRange x) -> Value {
                         return arith::AddFOp::create(b, x[0], x[1]);
                       });
}

/// Splits dimension `at` of `dims` into `outer` and the rest.
static Dims splitDim(Lowering &l, DimsRef dims, unsigned at, int64_t outer) {
  Dims split(dims);
  split[at] = l.apply(l.b.getAffineSymbolExpr(0).floorDiv(outer), dims[at]);
  split.insert(split.begin() + at, l.index(outer));
  return split;
}

static SmallVector<AffineExpr> getDims(MLIRContext *context, unsigned first,
                                       unsigned count) {
  return llvm::map_to_vector(llvm::seq(first, first + count), [&](unsigned i) {
    return getAffineDimExpr(i, context);
  });
}

Value lathe::convolve(Lowering &l, Operand x, Operand weight, DimsRef dims,
                      DimsRef outDims, const Window &window, int64_t group,
                      Contract contract, TypedAttr padding) {
  MLIRContext *context = l.b.getContext();
  unsigned space = window.kernel.size();
  if (!padding)
    padding = cast<TypedAttr>(l.b.getZeroAttr(getStorageType(x.element)));
  auto weightShape = cast<RankedTensorType>(weight.value.getType()).getShape();
  auto shape = cast<RankedTensorType>(x.value.getType()).getShape();
  auto concat = [](SmallVector<AffineExpr> head, ArrayRef<AffineExpr> a,
                   ArrayRef<AffineExpr> b = {}) {
    llvm::append_range(head, a);
    llvm::append_range(head, b);
    return head;
  };

  if (group == 1) {
    unsigned loops = 3 + 2 * space;
    AffineExpr n = getAffineDimExpr(0, context),
               f = getAffineDimExpr(1, context);
    AffineExpr c = getAffineDimExpr(2 + space, context);
    x.value = padSpace(l, x.value, window, padding);
    x.map = AffineMap::get(
        loops, 0, concat({n, c}, getWindowExprs(window, 2, 3 + space, context)),
        context);
    weight.map = AffineMap::get(
        loops, 0, concat({f, c}, getDims(context, 3 + space, space)), context);
    return contract({x, weight}, loops, outDims);
  }

  if (weightShape[0] == group && weightShape[1] == 1 && shape[1] == group) {
    unsigned loops = 2 + 2 * space;
    AffineExpr n = getAffineDimExpr(0, context),
               c = getAffineDimExpr(1, context);
    SmallVector<int64_t> flat(weightShape);
    flat.erase(flat.begin() + 1);
    weight.value = reshapeWeight(l, weight.value, flat);
    x.value = padSpace(l, x.value, window, padding);
    x.map = AffineMap::get(
        loops, 0, concat({n, c}, getWindowExprs(window, 2, 2 + space, context)),
        context);
    weight.map = AffineMap::get(
        loops, 0, concat({c}, getDims(context, 2 + space, space)), context);
    return contract({x, weight}, loops, outDims);
  }

  unsigned loops = 4 + 2 * space;
  AffineExpr n = getAffineDimExpr(0, context), g = getAffineDimExpr(1, context);
  AffineExpr f = getAffineDimExpr(2, context);
  AffineExpr c = getAffineDimExpr(3 + space, context);
  SmallVector<int64_t> grouped(weightShape);
  grouped[0] /= group;
  grouped.insert(grouped.begin(), group);
  weight.value = reshapeWeight(l, weight.value, grouped);
  x.value = padSpace(l, l.view(x.value, splitDim(l, dims, 1, group)), window,
                     padding, /*firstSpace=*/3);
  x.map = AffineMap::get(
      loops, 0,
      concat({n, g, c}, getWindowExprs(window, 3, 4 + space, context)),
      context);
  weight.map = AffineMap::get(
      loops, 0, concat({g, f, c}, getDims(context, 4 + space, space)), context);
  Value product = contract({x, weight}, loops, splitDim(l, outDims, 1, group));
  return l.view(product, outDims);
}

/// The same, of sums in the compute type of the elements.
static Value convolveComputed(Lowering &l, Operand x, Operand weight,
                              DimsRef dims, DimsRef outDims,
                              const Window &window, int64_t group) {
  return convolve(
      l, x, weight, dims, outDims, window, group,
      [&](ArrayRef<Operand> inputs, unsigned numLoops, DimsRef sizes) {
        return contract(l, inputs, numLoops, sizes);
      });
}

FailureOr<Value> lathe::convolveOperands(
    Lowering &l, int64_t group,
    function_ref<FailureOr<Window>(ArrayRef<int64_t> kernel)> makeWindow) {
  if (l.rank(0) < 3)
    return l.unsupported("expected at least one spatial dimension");
  ArrayRef<int64_t> kernel = l.type(1).getShape().drop_front(2);
  if (!l.type(1).hasStaticShape())
    return l.unsupported("expected a kernel of static shape");
  FailureOr<Window> window = makeWindow(kernel);
  if (failed(window))
    return failure();
  return convolveComputed(l, l.operand(0), l.operand(1), l.dims(0),
                          l.resultDims(), *window, group);
}

static LogicalResult lowerConv(onnx::ConvOp op, Lowering &l) {
  FailureOr<Value> made = convolveOperands(op, l);
  if (failed(made))
    return failure();
  Value product = *made;
  Dims dims = l.resultDims();
  std::optional<Operand> bias;
  if (l.has(2))
    bias = l.operand(2);
  return l.replace(addBias(l, product, dims, l.resultElement(), bias));
}

//===----------------------------------------------------------------------===//
// ConvTranspose
//===----------------------------------------------------------------------===//

/// The kernel [c, f / group, kernel…] turned around and with its channels
/// swapped per group: [f, c / group, kernel…].
static Value turnKernel(Lowering &l, int64_t group) {
  ArrayRef<int64_t> shape = l.type(1).getShape();
  int64_t outPerGroup = shape[1], inPerGroup = shape[0] / group;
  SmallVector<int64_t> turned(shape);
  turned[0] = outPerGroup * group;
  turned[1] = inPerGroup;
  Value kernel = l.value(1);
  Type element = l.element(1);
  return l.elementwise(
      {}, getAsIndexOpFoldResult(l.b.getContext(), turned), element,
      [&](ImplicitLocOpBuilder &b, ValueRange) {
        auto constant = [&](int64_t value) {
          return makeConstant(b, b.getIndexType(), value);
        };
        Value f = linalg::IndexOp::create(b, 0);
        Value c = linalg::IndexOp::create(b, 1);
        Value g = arith::DivUIOp::create(b, f, constant(outPerGroup));
        SmallVector<Value> at = {
            arith::AddIOp::create(
                b, arith::MulIOp::create(b, g, constant(inPerGroup)), c),
            arith::RemUIOp::create(b, f, constant(outPerGroup))};
        for (unsigned i = 2, e = shape.size(); i != e; ++i)
          at.push_back(arith::SubIOp::create(b, constant(shape[i] - 1),
                                             linalg::IndexOp::create(b, i)));
        return loadScalar(b, tensor::ExtractOp::create(b, kernel, at), element);
      });
}

/// The input with `stride - 1` zeros between its elements and `low` zeros
/// before them, of spatial sizes `sizes`.
static Value spread(Lowering &l, ArrayRef<int64_t> strides, DimsRef low,
                    DimsRef sizes) {
  Dims dims = l.dims(0), spread(ArrayRef(dims).take_front(2));
  llvm::append_range(spread, sizes);
  SmallVector<Value> inSizes, lows;
  for (auto [size, before] : llvm::zip(ArrayRef(dims).drop_front(2), low)) {
    inSizes.push_back(l.toValue(size));
    lows.push_back(l.toValue(before));
  }
  Value source = l.value(0);
  Type element = l.element(0), compute = getComputeType(element);
  return l.elementwise(
      {}, spread, element, [&](ImplicitLocOpBuilder &b, ValueRange) -> Value {
        auto constant = [&](int64_t value) {
          return makeConstant(b, b.getIndexType(), value);
        };
        auto test = [&](arith::CmpIPredicate predicate, Value x, Value y) {
          return Value(arith::CmpIOp::create(b, predicate, x, y));
        };
        Value zero = constant(0), inside;
        SmallVector<Value> at = {linalg::IndexOp::create(b, 0),
                                 linalg::IndexOp::create(b, 1)};
        for (auto [i, stride] : llvm::enumerate(strides)) {
          Value position = arith::SubIOp::create(
              b, Value(linalg::IndexOp::create(b, i + 2)), lows[i]);
          Value step = constant(stride);
          Value from = arith::DivSIOp::create(b, position, step);
          Value rest = arith::RemSIOp::create(b, position, step);
          Value ok = arith::AndIOp::create(
              b, test(arith::CmpIPredicate::sge, position, zero),
              arith::AndIOp::create(
                  b, test(arith::CmpIPredicate::eq, rest, zero),
                  test(arith::CmpIPredicate::slt, from, inSizes[i])));
          inside = inside ? Value(arith::AndIOp::create(b, inside, ok)) : ok;
          // Nothing is read outside, whatever is read.
          at.push_back(arith::SelectOp::create(b, ok, from, zero));
        }
        Value x =
            loadScalar(b, tensor::ExtractOp::create(b, source, at), element);
        return arith::SelectOp::create(b, inside, x,
                                       makeConstant(b, compute, 0));
      });
}

/// One spatial dimension of one phase: the outputs `phase, phase + stride, …`
/// see only the taps `first, first + stride, …` of the kernel.
struct PhaseDim {
  int64_t first, taps; ///< Of the kernel; none where the phase stays zero.
  int64_t low, high;   ///< Padding of the input; negative: it is cut.
  int64_t more;        ///< Outputs are as many as inputs, and this many more.
};

/// Output `stride * q + phase` is the sum over taps `k = first + stride * j` of
/// `x[q + shift - j] * w[k]`, where `shift = (phase + pad) / stride`.
static PhaseDim getPhase(int64_t phase, int64_t stride, int64_t kernel,
                         int64_t pad, int64_t extent) {
  PhaseDim dim;
  dim.first = (phase + pad) % stride;
  dim.taps =
      dim.first < kernel ? llvm::divideCeil(kernel - dim.first, stride) : 0;
  int64_t shift = (phase + pad) / stride;
  // Of (inputs - 1) * stride + extent outputs in all.
  dim.more = llvm::divideCeilSigned(extent - phase, stride) - 1;
  dim.low = dim.taps - 1 - shift;
  dim.high = dim.more + shift;
  return dim;
}

/// The input without what negative padding cuts off.
static Value cutSpace(Lowering &l, Value x, ArrayRef<PhaseDim> phase) {
  Dims sizes = l.dims(0), offsets(sizes.size(), l.index(0)),
       steps(sizes.size(), l.index(1));
  bool cuts = false;
  for (auto [i, dim] : llvm::enumerate(phase)) {
    int64_t before = std::max<int64_t>(0, -dim.low);
    int64_t after = std::max<int64_t>(0, -dim.high);
    if (before + after == 0)
      continue;
    cuts = true;
    offsets[i + 2] = l.index(before);
    sizes[i + 2] =
        l.apply(l.b.getAffineSymbolExpr(0) - (before + after), sizes[i + 2]);
  }
  if (!cuts)
    return x;
  return tensor::ExtractSliceOp::create(l.b, x, offsets, sizes, steps);
}

/// A transposed convolution as one ordinary convolution per phase of the
/// strides (sub-pixel convolution, Shi et al., arXiv 1609.05158): nothing is
/// multiplied by inserted zeros. `kernel` is a weight [c, f, kernel…], `out`
/// the sizes of the result, of which each spatial one is `(in - 1) * stride +
/// extent`. Null where a phase has no taps at all.
static Value convolveByPhases(Lowering &l, WeightOp kernel, DimsRef out,
                              ArrayRef<int64_t> strides, ArrayRef<int64_t> pads,
                              ArrayRef<int64_t> extents) {
  MLIRContext *context = l.b.getContext();
  ArrayRef<int64_t> shape = l.type(1).getShape();
  unsigned space = strides.size();
  SmallVector<SmallVector<PhaseDim>> phases(space);
  int64_t count = 1;
  for (unsigned i = 0; i != space; ++i) {
    for (int64_t phase = 0; phase != strides[i]; ++phase)
      phases[i].push_back(
          getPhase(phase, strides[i], shape[i + 2], pads[i], extents[i]));
    if (llvm::any_of(phases[i], [](PhaseDim dim) { return dim.taps == 0; }))
      return {};
    count *= strides[i];
  }
  SmallVector<int64_t> swap = {1, 0};
  for (unsigned i = 0; i != space; ++i)
    swap.push_back(i + 2);
  Type compute = getComputeType(l.element(0));
  Value result = count > 1 ? l.empty(out, compute) : Value();
  Dims in = l.dims(0);
  for (int64_t number = 0; number != count; ++number) {
    SmallVector<PhaseDim> phase;
    Dims sizes(out), offsets(out.size(), l.index(0)),
        steps(out.size(), l.index(1));
    SmallVector<Attribute> recipe(kernel.getRecipe().begin(),
                                  kernel.getRecipe().end());
    recipe.push_back(PermuteStepAttr::get(context, swap));
    SmallVector<int64_t> taps = {shape[1], shape[0]};
    Window window;
    window.strides.assign(space, 1);
    window.dilations.assign(space, 1);
    int64_t rest = number;
    for (unsigned i = 0; i != space; ++i) {
      int64_t which = rest % strides[i];
      rest /= strides[i];
      PhaseDim dim = phases[i][which];
      phase.push_back(dim);
      recipe.push_back(StrideStepAttr::get(
          context, i + 2, dim.first + (dim.taps - 1) * strides[i], -strides[i],
          dim.taps));
      taps.push_back(dim.taps);
      window.kernel.push_back(dim.taps);
      window.low.push_back(l.index(std::max<int64_t>(0, dim.low)));
      window.high.push_back(l.index(std::max<int64_t>(0, dim.high)));
      sizes[i + 2] = l.apply(l.b.getAffineSymbolExpr(0) + dim.more, in[i + 2]);
      offsets[i + 2] = l.index(which);
      steps[i + 2] = l.index(strides[i]);
    }
    Operand x = l.operand(0), w = l.operand(1);
    x.value = cutSpace(l, x.value, phase);
    w.value = WeightOp::create(
        l.b, RankedTensorType::get(taps, l.type(1).getElementType()),
        kernel.getValue(), l.b.getArrayAttr(recipe));
    Value product = convolveComputed(l, x, w, in, sizes, window, /*group=*/1);
    if (count == 1)
      return product;
    result = tensor::InsertSliceOp::create(l.b, product, result, offsets, sizes,
                                           steps);
  }
  return result;
}

/// A convolution of the input, spread by the strides, with the turned kernel.
static LogicalResult lowerConvTranspose(onnx::ConvTransposeOp op, Lowering &l) {
  if (l.rank(0) < 3 || !l.type(1).hasStaticShape())
    return l.unsupported("expected spatial dimensions and a kernel of static "
                         "shape");
  ArrayRef<int64_t> kernel = l.type(1).getShape().drop_front(2);
  unsigned space = kernel.size();
  auto read = [&](std::optional<ArrayRef<int64_t>> given, int64_t missing) {
    return given ? SmallVector<int64_t>(*given)
                 : SmallVector<int64_t>(space, missing);
  };
  SmallVector<int64_t> strides = read(op.getStrides(), 1);
  SmallVector<int64_t> dilations = read(op.getDilations(), 1);
  SmallVector<int64_t> more = read(op.getOutputPadding(), 0);
  if (strides.size() != space || dilations.size() != space ||
      more.size() != space)
    return l.unsupported("expected one stride, dilation and output padding per "
                         "spatial dimension");
  StringRef autoPad = op.getAutoPad();
  bool fromShape = op.getOutputShape() || autoPad.starts_with("SAME");
  if (op.getPads() && !fromShape && op.getPads()->size() != 2 * space)
    return l.unsupported("expected two pads per spatial dimension");

  Dims in = l.dims(0), out = l.resultDims();
  auto weight = l.value(1).getDefiningOp<WeightOp>();
  if (weight && op.getGroup() == 1 && !fromShape &&
      llvm::all_of(dilations, [](int64_t d) { return d == 1; })) {
    SmallVector<int64_t> pads(space, 0), extents;
    for (unsigned i = 0; i != space; ++i) {
      int64_t end = 0;
      if (op.getPads() && autoPad == "NOTSET") {
        pads[i] = (*op.getPads())[i];
        end = (*op.getPads())[i + space];
      }
      extents.push_back(kernel[i] + more[i] - pads[i] - end);
    }
    if (Value product =
            convolveByPhases(l, weight, out, strides, pads, extents)) {
      std::optional<Operand> bias;
      if (l.has(2))
        bias = l.operand(2);
      return l.replace(addBias(l, product, out, l.resultElement(), bias));
    }
  }
  Window window;
  window.kernel.assign(kernel.begin(), kernel.end());
  window.strides.assign(space, 1);
  window.dilations = dilations;
  window.low.assign(space, l.index(0));
  window.high.assign(space, l.index(0));
  Dims low, sizes;
  for (unsigned i = 0; i != space; ++i) {
    int64_t reach = (kernel[i] - 1) * dilations[i];
    AffineExpr inSize = l.b.getAffineSymbolExpr(0);
    AffineExpr outSize = l.b.getAffineSymbolExpr(1);
    AffineExpr cut = l.b.getAffineConstantExpr(0);
    if (fromShape) {
      AffineExpr all =
          (inSize - 1) * strides[i] + more[i] + reach + 1 - outSize;
      cut = autoPad == "SAME_UPPER" ? all.floorDiv(2) : all - all.floorDiv(2);
    } else if (op.getPads() && autoPad == "NOTSET") {
      cut = l.b.getAffineConstantExpr((*op.getPads())[i]);
    }
    Dims symbols = {in[i + 2], out[i + 2]};
    low.push_back(l.apply(reach - cut, symbols));
    sizes.push_back(l.apply(outSize + reach, symbols));
  }
  Operand x = l.operand(0), w = l.operand(1);
  x.value = spread(l, strides, low, sizes);
  w.value = turnKernel(l, op.getGroup());
  Dims spreadDims(ArrayRef(in).take_front(2));
  llvm::append_range(spreadDims, sizes);
  Value product =
      convolveComputed(l, x, w, spreadDims, out, window, op.getGroup());
  std::optional<Operand> bias;
  if (l.has(2))
    bias = l.operand(2);
  return l.replace(addBias(l, product, out, l.resultElement(), bias));
}

void lathe::populateConvolutionPatterns(RewritePatternSet &patterns,
                                        const TypeConverter &types) {
  addLowering(patterns, types, lowerConv);
  addLowering(patterns, types, lowerConvTranspose);
}
