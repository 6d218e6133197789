// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What lets a producer join a kernel, apart from its tiles, and why others do
// not.

#ifndef LATHE_LIB_TRANSFORMS_FUSION_FUSIONKINDS_H
#define LATHE_LIB_TRANSFORMS_FUSION_FUSIONKINDS_H

#include "KernelGroup.h"

namespace lathe {

/// What fills a tensor, which its reader starts from: no kind of fusion.
inline constexpr llvm::StringLiteral fillKind = "fill";
inline constexpr llvm::StringLiteral attentionKind = "attention";
inline constexpr llvm::StringLiteral pointwiseKind = "depthwise-pointwise";
inline constexpr llvm::StringLiteral multiOutputKind = "multi-output";

/// The kind of fusion by which `producer` would join; fails where there is
/// none, and says why in `refusal`. `attention` is one of them if it is set,
/// pointwise products' pixels are where cores have a cache of their own.
llvm::FailureOr<llvm::StringRef> classify(mlir::Operation *producer,
                                          const KernelGroup &group,
                                          bool attention, int64_t cacheBytes,
                                          llvm::StringRef &refusal);

/// Whether the body of a reader reads all of what another op of the group makes
/// (at computed places), so that a tile of it would not do.
bool readsWhole(mlir::Operation *producer, const KernelGroup &group);

/// Whether neighbouring points of an elementwise op share what they compute,
/// which is the reason to compute them together.
bool sharesPoints(mlir::Operation *op);

/// Whether the op that the group is for, whose tile dimensions `agreed` maps to
/// those of `producer`, stores elements far apart that `producer` makes side by
/// side: a transpose by itself goes through squares instead.
bool scatters(mlir::Operation *producer, const TileDims &agreed,
              const KernelGroup &group);

} // namespace lathe

#endif // LATHE_LIB_TRANSFORMS_FUSION_FUSIONKINDS_H
