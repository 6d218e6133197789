// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Window.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace lathe;

FailureOr<Window> lathe::makeWindow(Lowering &l, ArrayRef<int64_t> kernel,
                                    std::optional<ArrayRef<int64_t>> strides,
                                    std::optional<ArrayRef<int64_t>> dilations,
                                    std::optional<ArrayRef<int64_t>> pads,
                                    StringRef autoPad, DimsRef dims,
                                    DimsRef outDims) {
  size_t rank = kernel.size();
  if (dims.size() != rank + 2)
    return l.unsupported("expected " + Twine(dims.size() - 2) +
                         " kernel sizes, got " + Twine(rank));
  Window w;
  w.kernel.assign(kernel.begin(), kernel.end());
  auto read = [&](SmallVector<int64_t> &to,
                  std::optional<ArrayRef<int64_t>> given, StringRef name) {
    if (!given) {
      to.assign(rank, 1);
      return true;
    }
    to.assign(given->begin(), given->end());
    return to.size() == rank;
  };
  if (!read(w.strides, strides, "strides"))
    return l.unsupported("expected one stride per spatial dimension");
  if (!read(w.dilations, dilations, "dilations"))
    return l.unsupported("expected one dilation per spatial dimension");
  if (pads && autoPad == "NOTSET" && pads->size() != 2 * rank)
    return l.unsupported("expected two pads per spatial dimension");

  bool same = autoPad.starts_with("SAME");
  for (size_t i = 0; i != rank; ++i) {
    AffineExpr in = l.b.getAffineSymbolExpr(0);
    AffineExpr out = l.b.getAffineSymbolExpr(1);
    int64_t span = (w.kernel[i] - 1) * w.dilations[i] + 1;
    Dims sizes = {dims[i + 2], outDims[i + 2]};
    // All that the windows read is there when
    //   (out - 1) * stride + span = low + in + high.
    AffineExpr missing = (out - 1) * w.strides[i] + span - in;
    std::optional<int64_t> known = getConstantIntValue(l.apply(missing, sizes));
    if (same) {
      if (known) {
        int64_t all = std::max<int64_t>(*known, 0);
        int64_t low = autoPad == "SAME_UPPER" ? all / 2 : all - all / 2;
        w.low.push_back(l.index(low));
        w.high.push_back(l.index(all - low));
        continue;
      }
      if (span < w.strides[i])
        return l.unsupported("expected windows without gaps for auto_pad on a "
                             "symbolic size, got kernel " +
                             Twine(w.kernel[i]) + " and stride " +
                             Twine(w.strides[i]));
      AffineExpr upper = missing.floorDiv(2), lower = (missing + 1).floorDiv(2);
      bool isUpper = autoPad == "SAME_UPPER";
      w.low.push_back(l.apply(isUpper ? upper : lower, sizes));
      w.high.push_back(l.apply(isUpper ? lower : upper, sizes));
      continue;
    }
    int64_t low = 0, high = 0;
    if (pads && autoPad == "NOTSET") {
      low = (*pads)[i];
      high = (*pads)[i + rank];
    }
    // With ceil_mode the last window may start before and end after the padding
    // that the model asks for.
    high = known ? std::max<int64_t>(*known - low, 0) : high + w.strides[i] - 1;
    w.low.push_back(l.index(low));
    w.high.push_back(l.index(high));
  }
  return w;
}

Value lathe::padSpace(Lowering &l, Value source, const Window &window,
                      TypedAttr value, unsigned firstSpace) {
  auto type = cast<RankedTensorType>(source.getType());
  Dims low(firstSpace, l.index(0)), high(firstSpace, l.index(0));
  bool pads = false;
  for (auto [a, b] : llvm::zip(window.low, window.high)) {
    low.push_back(a);
    high.push_back(b);
    pads |= !isConstantIntValue(a, 0) || !isConstantIntValue(b, 0);
  }
  if (!pads)
    return source;
  low.resize(type.getRank(), l.index(0));
  high.resize(type.getRank(), l.index(0));
  SmallVector<int64_t> shape(type.getShape());
  for (auto [i, size] : llvm::enumerate(shape)) {
    std::optional<int64_t> a = getConstantIntValue(low[i]);
    std::optional<int64_t> b = getConstantIntValue(high[i]);
    if (!ShapedType::isDynamic(size))
      size = a && b ? size + *a + *b : ShapedType::kDynamic;
  }
  Value scalar = arith::ConstantOp::create(l.b, value);
  return tensor::PadOp::create(l.b, type.clone(shape), source, low, high,
                               scalar);
}

SmallVector<AffineExpr> lathe::getWindowExprs(const Window &window,
                                              unsigned firstPosition,
                                              unsigned firstOffset,
                                              MLIRContext *context) {
  SmallVector<AffineExpr> exprs;
  for (unsigned i = 0, e = window.kernel.size(); i != e; ++i)
    exprs.push_back(
        getAffineDimExpr(firstPosition + i, context) * window.strides[i] +
        getAffineDimExpr(firstOffset + i, context) * window.dilations[i]);
  return exprs;
}
