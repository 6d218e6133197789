// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Pointwise products, which multiply the channels of each pixel by weights:
// convolutions of 1x1, dense layers. What they read may be computed in their
// tiles, where it stays in a cache.

#ifndef LATHE_LIB_TRANSFORMS_FUSION_POINTWISEPRODUCTS_H
#define LATHE_LIB_TRANSFORMS_FUSION_POINTWISEPRODUCTS_H

#include "KernelGroup.h"

#include "llvm/ADT/StringRef.h"

namespace lathe {

/// The ops that make the pixels that `use` reads, and that nothing else reads:
/// a depthwise convolution or a pooling with channels last, and elementwise ops
/// after it. Fails where there are none, or where they had better stay apart
/// from the product by the size of a core's own cache, and says why in
/// `refusal`. With `cacheBytes` of 0 there are none.
llvm::FailureOr<llvm::SetVector<mlir::Operation *>>
findPixelChain(mlir::OpOperand &use, int64_t cacheBytes,
               llvm::StringRef &refusal);

} // namespace lathe

#endif // LATHE_LIB_TRANSFORMS_FUSION_POINTWISEPRODUCTS_H
