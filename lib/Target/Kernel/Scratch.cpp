// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "lathe/Target/Kernel/Scratch.h"

#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/IR/Iterators.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

using namespace mlir;
using namespace lathe;

/// Erases views and allocations that nothing reads.
static void eraseUnused(KernelOp kernel) {
  kernel.walk<WalkOrder::PostOrder, ReverseIterator>([&](Operation *op) {
    if (isOpTriviallyDead(op) ||
        (isa<memref::AllocOp, memref::AllocaOp>(op) && op->use_empty()))
      op->erase();
  });
}

void lathe::assignScratch(KernelOp kernel) {
  eraseUnused(kernel);
  MLIRContext *context = kernel.getContext();
  unsigned numSizes = kernel.getSizes().size();
  AffineExpr total = getAffineConstantExpr(0, context);
  auto toMap = [&](AffineExpr expr) {
    return AffineMapAttr::get(AffineMap::get(0, numSizes, expr));
  };
  for (auto alloc : kernel.getBlock().getOps<memref::AllocOp>()) {
    auto bytes = alloc->getAttrOfType<AffineMapAttr>("lathe.bytes");
    assert(bytes && "the allocations were placed with their sizes");
    alloc->setAttr("lathe.offset", toMap(total));
    total = total + bytes.getValue().getResult(0).ceilDiv(scratchAlignment) *
                        scratchAlignment;
  }
  kernel->setAttr(scratchAttrName, toMap(total));
}
