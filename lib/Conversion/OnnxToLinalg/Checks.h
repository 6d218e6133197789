// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Checks of what a model computes and a kernel goes by: they end the program
// with an error that names the node. Kernels limit what they read with to its
// range as well, so nothing outside is touched before a check is seen.

#ifndef LATHE_LIB_CONVERSION_ONNXTOLINALG_CHECKS_H
#define LATHE_LIB_CONVERSION_ONNXTOLINALG_CHECKS_H

#include "Lowering.h"

namespace lathe {

/// Ends the program with `message` ("expects …") unless `ok`, an `i1`.
void check(Lowering &l, mlir::Value ok, const llvm::Twine &message);

/// Ends the program with `message` where `isBad` is true of an element of
/// `input`, whose sizes are `dims`.
void checkElements(Lowering &l, Operand input, DimsRef dims, ScalarBody isBad,
                   const llvm::Twine &message);

/// Ends the program unless every element of operand `operand` indexes a
/// dimension: element `i` of the last dimension indexes one of size `sizes[i]`,
/// or each one of size `sizes[0]` if there is one size. `axis` is the first of
/// these dimensions, for the message. With `fromEnd` negative indices count
/// from the end, else they are wrong. What is known already is an error of the
/// compilation.
llvm::LogicalResult checkIndices(Lowering &l, unsigned operand, DimsRef sizes,
                                 int64_t axis, bool fromEnd = true);

} // namespace lathe

#endif // LATHE_LIB_CONVERSION_ONNXTOLINALG_CHECKS_H
