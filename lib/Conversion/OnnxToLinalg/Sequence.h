// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Loops over the steps of a sequence, and the contiguous parts of tensors that
// their steps read and write.

#ifndef LATHE_LIB_CONVERSION_ONNXTOLINALG_SEQUENCE_H
#define LATHE_LIB_CONVERSION_ONNXTOLINALG_SEQUENCE_H

#include "Lowering.h"

namespace lathe {

/// The elements of `source` from the linear position `offset` on, as a tensor
/// of `dims`: by a step of the recipe where it is a weight.
mlir::Value takePart(Lowering &l, mlir::Value source, mlir::OpFoldResult offset,
                     DimsRef dims);

/// `value`, or where that is a constant of the code a tensor filled with it,
/// which has a place in memory.
mlir::Value makeTensor(Lowering &l, mlir::Value value);

/// Step `index` of a sequence whose steps are tensors of `dims`.
mlir::Value takeStep(Lowering &l, mlir::Value sequence, mlir::Value index,
                     DimsRef dims);

/// `sequence` with `step`, a tensor of `dims`, as its step `index`.
mlir::Value putStep(Lowering &l, mlir::Value step, mlir::Value sequence,
                    mlir::Value index, DimsRef dims);

/// The same where `sequence` ends before step `index`, and grows by it.
mlir::Value appendStep(Lowering &l, mlir::Value step, mlir::Value sequence,
                       mlir::Value index, DimsRef dims);

/// `index`, or `length - 1 - index` if the sequence runs backwards.
mlir::Value getStepIndex(Lowering &l, mlir::Value index,
                         mlir::OpFoldResult length, bool backwards);

/// Runs `body` for `length` steps; it gets the number of the step and what is
/// carried, and gives what is carried on.
llvm::SmallVector<mlir::Value>
makeLoop(Lowering &l, mlir::OpFoldResult length, mlir::ValueRange carried,
         llvm::function_ref<llvm::SmallVector<mlir::Value>(mlir::Value,
                                                           mlir::ValueRange)>
             body);

} // namespace lathe

#endif // LATHE_LIB_CONVERSION_ONNXTOLINALG_SEQUENCE_H
