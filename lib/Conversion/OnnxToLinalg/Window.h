// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What convolutions and poolings share: windows that slide over the spatial
// dimensions of a tensor [batch, channels, space…].

#ifndef LATHE_LIB_CONVERSION_ONNXTOLINALG_WINDOW_H
#define LATHE_LIB_CONVERSION_ONNXTOLINALG_WINDOW_H

#include "Lowering.h"
#include "lathe/Dialect/Onnx/IR/Nn.h"

namespace lathe {

/// A window over the spatial dimensions. `high` is at least as much padding as
/// the last window reads, which need not be what the model says; never
/// negative.
struct Window {
  llvm::SmallVector<int64_t> kernel, strides, dilations;
  llvm::SmallVector<mlir::OpFoldResult> low, high;
};

/// The window of an op with ONNX's usual attributes; `dims` and `outDims` are
/// all sizes of the input and the output. Nothing where an attribute has not
/// one entry per dimension, which is reported.
mlir::FailureOr<Window>
makeWindow(Lowering &l, llvm::ArrayRef<int64_t> kernel,
           std::optional<llvm::ArrayRef<int64_t>> strides,
           std::optional<llvm::ArrayRef<int64_t>> dilations,
           std::optional<llvm::ArrayRef<int64_t>> pads, llvm::StringRef autoPad,
           DimsRef dims, DimsRef outDims);

/// Pads the spatial dimensions (from `firstSpace` on) by the window's padding
/// with `value`.
mlir::Value padSpace(Lowering &l, mlir::Value source, const Window &window,
                     mlir::TypedAttr value, unsigned firstSpace = 2);

/// `position * stride + offset * dilation` for each spatial dimension, where
/// the loops of positions start at `firstPosition` and those of offsets at
/// `firstOffset`.
llvm::SmallVector<mlir::AffineExpr> getWindowExprs(const Window &window,
                                                   unsigned firstPosition,
                                                   unsigned firstOffset,
                                                   mlir::MLIRContext *context);

template <typename OpTy>
mlir::FailureOr<Window> makeWindow(OpTy op, Lowering &l,
                                   llvm::ArrayRef<int64_t> kernel) {
  return makeWindow(l, kernel, op.getStrides(), op.getDilations(), op.getPads(),
                    op.getAutoPad(), l.dims(0), l.resultDims());
}

} // namespace lathe

#endif // LATHE_LIB_CONVERSION_ONNXTOLINALG_WINDOW_H
