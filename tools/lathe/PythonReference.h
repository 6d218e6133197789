// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Other implementations of ONNX, reached through Python where it has them.

#ifndef LATHE_TOOLS_LATHE_PYTHONREFERENCE_H
#define LATHE_TOOLS_LATHE_PYTHONREFERENCE_H

#include "NumpyFiles.h"

namespace lathe::driver {

/// What another implementation makes of a model.
struct ReferenceRun {
  std::string name; ///< Of the implementation, with its version.
  NamedTensors values;
  std::vector<double> samples; ///< Nanoseconds per run, where it was timed.
};

/// Whether there is a Python to ask: `LATHE_PYTHON` in the environment, else
/// `python3` in the path.
bool hasPython();

/// Runs `model` on `inputs` in ONNX Runtime, else, where that lacks an operator,
/// in ONNX's own evaluator; the result holds the value of every node of the main
/// graph. Fails where Python has neither.
llvm::Expected<ReferenceRun> computeReference(llvm::StringRef model,
                                              const NamedTensors &inputs);

/// Times `model` in ONNX Runtime, in a process of its own, with `threads`
/// threads (0: its choice); the result holds the model's outputs.
llvm::Expected<ReferenceRun> timeReference(llvm::StringRef model,
                                           const NamedTensors &inputs,
                                           unsigned threads,
                                           double warmupSeconds,
                                           double seconds);

} // namespace lathe::driver

#endif // LATHE_TOOLS_LATHE_PYTHONREFERENCE_H
