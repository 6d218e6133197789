// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Running a model on the machine that compiles.

#ifndef LATHE_PIPELINE_EVALUATE_H
#define LATHE_PIPELINE_EVALUATE_H

#include "lathe/Dialect/Onnx/Transforms/FoldConstants.h"
#include <string>

namespace lathe {

/// An evaluator (see `ConstantEvaluator`) that takes modules through the levels
/// of the compiler for a fixed processor, so that every machine gets the same
/// bytes, loads the result into this process and runs it. `runtimeLibrary` is
/// as in `CompileOptions`. Modules that do more than a fixed number of
/// operations are not evaluated, nor are any on machines without a fixed
/// processor.
ConstantEvaluator getHostEvaluator(std::string runtimeLibrary = "");

} // namespace lathe

#endif // LATHE_PIPELINE_EVALUATE_H
