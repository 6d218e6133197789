// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// DeformConv: the elements of all windows are sampled where the offsets move
// them, which makes a tensor [N, C, kernel, out space], and then contracted
// with the weights. Sampling once for all output channels is why there are two
// steps.

#include "Contraction.h"
#include "Families.h"
#include "Sampling.h"
#include "lathe/Dialect/Onnx/IR/Spatial.h"
#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace lathe;

/// The sampled elements, of X's type: [N, C, kh, kw, oh, ow].
static Value makeSamples(onnx::DeformConvOp op, Lowering &l, DimsRef dims) {
  Dims in = l.dims(0);
  SmallVector<Value> sizes = toValues(l, in);
  SmallVector<Value> kernel = toValues(l, dims.slice(2, 2));
  Value image = l.value(0), offsets = l.value(2);
  Value mask = l.has(4) ? l.value(4) : Value();
  Type element = l.element(0), type = getComputeType(element);
  AffineExpr channels = l.b.getAffineSymbolExpr(0);
  Value perGroup = l.toValue(
      l.apply(channels.floorDiv(int64_t(op.getOffsetGroup())), in[1]));
  auto number = [](std::optional<ArrayRef<int64_t>> list, unsigned i,
                   int64_t otherwise) { return list ? (*list)[i] : otherwise; };
  return l.elementwise(
      {}, dims, element, [&](ImplicitLocOpBuilder &b, ValueRange) {
        IndexMath m{b};
        FloatMath f{b, type};
        Value group = arith::DivUIOp::create(b, m.loop(1), perGroup);
        // Position in the kernel, over all offset groups.
        Value place =
            m.add(m.mul(m.add(m.mul(group, kernel[0]), m.loop(2)), kernel[1]),
                  m.loop(3));
        SmallVector<SmallVector<Tap>> taps;
        for (unsigned d = 0; d != 2; ++d) {
          Value at = m.add(
              m.mul(m.loop(4 + d), m.constant(number(op.getStrides(), d, 1))),
              m.sub(m.mul(m.loop(2 + d),
                          m.constant(number(op.getDilations(), d, 1))),
                    m.constant(number(op.getPads(), d, 0))));
          Value channel = m.add(m.mul(place, m.constant(2)), m.constant(d));
          Value moved =
              m.read(offsets, {m.loop(0), channel, m.loop(4), m.loop(5)},
                     l.element(2));
          taps.push_back(
              getLinearTaps(f, f.add(f.fromIndex(at), moved), sizes[2 + d]));
        }
        Value x = sample(m, image, element, {m.loop(0), m.loop(1)}, taps, type);
        if (!mask)
          return x;
        return f.mul(x, m.read(mask, {m.loop(0), place, m.loop(4), m.loop(5)},
                               l.element(4)));
      });
}

static LogicalResult lowerDeformConv(onnx::DeformConvOp op, Lowering &l) {
  MLIRContext *context = l.b.getContext();
  Dims in = l.dims(0), w = l.dims(1), out = l.resultDims();
  Type element = l.element(0);
  int64_t groups = op.getGroup();
  Dims sampled{in[0], in[1], w[2], w[3], out[2], out[3]};
  Value samples = makeSamples(op, l, sampled);
  // Groups are a dimension of their own: [N, G, C / G, kernel, out space] times
  // [G, M / G, C / G, kernel].
  AffineExpr s = l.b.getAffineSymbolExpr(0);
  OpFoldResult outs = l.apply(s.floorDiv(groups), w[0]);
  OpFoldResult group = l.index(groups);
  Operand x{l.view(samples, {in[0], group, w[1], w[2], w[3], out[2], out[3]}),
            element};
  Operand weights{l.value(1), element};
  if (isa<RankedTensorType>(weights.value.getType()) &&
      l.type(1).hasStaticShape() && l.constant(1)) {
    ArrayRef<int64_t> shape = l.type(1).getShape();
    weights.value = reshapeWeight(
        l, weights.value,
        {groups, shape[0] / groups, shape[1], shape[2], shape[3]});
  } else {
    weights.value = l.view(weights.value, {group, outs, w[1], w[2], w[3]});
  }
  // n, g, m, y, x, c, i, j
  SmallVector<AffineExpr> d;
  for (unsigned i = 0; i != 8; ++i)
    d.push_back(getAffineDimExpr(i, context));
  x.map =
      AffineMap::get(8, 0, {d[0], d[1], d[5], d[6], d[7], d[3], d[4]}, context);
  weights.map = AffineMap::get(8, 0, {d[1], d[2], d[5], d[6], d[7]}, context);
  Dims dims{out[0], group, outs, out[2], out[3]};
  Value sum = l.view(contract(l, {x, weights}, 8, dims), out);
  Type compute = getComputeType(element);
  SmallVector<Operand> operands{Operand{sum, compute}};
  if (l.has(3)) {
    Operand bias = l.operand(3);
    bias.map = AffineMap::get(4, 0, d[1], context);
    operands.push_back(bias);
  } else if (compute == element) {
    return l.replace(sum);
  }
  return l.replace(l.elementwise(
      operands, out, element, [](ImplicitLocOpBuilder &b, ValueRange v) {
        return v.size() == 1 ? v[0]
                             : Value(arith::AddFOp::create(b, v[0], v[1]));
      }));
}

void lathe::populateDeformPatterns(RewritePatternSet &patterns,
                                   const TypeConverter &types) {
  addLowering(patterns, types, lowerDeformConv);
}
