// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Heaps of numbers in the code of a grid: i64 tensors of rank 1 whose first
// elements are a binary heap.

#ifndef LATHE_LIB_CONVERSION_ONNXTOLINALG_HEAP_H
#define LATHE_LIB_CONVERSION_ONNXTOLINALG_HEAP_H

#include "Grid.h"

namespace lathe {

/// Whether number `a` comes nearer to the top than `b`, both index values.
using HeapOrder =
    llvm::function_ref<mlir::Value(const Code &, mlir::Value, mlir::Value)>;

/// Puts `item` into `heap`, whose place `start` is free, and moves it down
/// among the first `size` elements to where it belongs.
mlir::Value siftDown(const Code &c, mlir::Value heap, mlir::Value start,
                     mlir::Value size, mlir::Value item, HeapOrder isAbove);

/// Makes a heap of the first `size` elements.
mlir::Value makeHeap(const Code &c, mlir::Value heap, mlir::Value size,
                     HeapOrder isAbove);

/// Sorts the first `size` elements so that what would be nearest to the top of
/// a heap comes last.
mlir::Value sortByHeap(const Code &c, mlir::Value numbers, mlir::Value size,
                       HeapOrder isAbove);

/// Between what a heap holds and index values.
mlir::Value readNumber(const Code &c, mlir::Value heap, mlir::Value at);
mlir::Value writeNumber(const Code &c, mlir::Value number, mlir::Value heap,
                        mlir::Value at);

} // namespace lathe

#endif // LATHE_LIB_CONVERSION_ONNXTOLINALG_HEAP_H
