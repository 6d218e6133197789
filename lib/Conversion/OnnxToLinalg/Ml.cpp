// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Operators of the domain ai.onnx.ml.

#include "lathe/Dialect/Onnx/IR/Ml.h"
#include "Families.h"
#include "Lowering.h"

using namespace mlir;
using namespace lathe;

void lathe::populateMlPatterns(RewritePatternSet &patterns,
                               const TypeConverter &types) {}
