// RUN: lathe-opt %s --split-input-file --verify-tensor-level --verify-diagnostics
// RUN: not lathe-opt %s --split-input-file --verify-graph-level 2>&1 | FileCheck %s --check-prefix=GRAPH
// RUN: not lathe-opt %s --split-input-file --verify-buffer-level 2>&1 | FileCheck %s --check-prefix=BUFFER

// A program and its kernel as level 3 leaves them: level 2 may not have
// launches, level 4 wants buffers and storage.

// GRAPH: error: expects level 2 to be free of 'lathe.launch'
// BUFFER: error: expects kernels in buffer form, with a grid
// BUFFER: error: expects storage for every result
func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> {
  %r = lathe.launch @copy(%x) : (tensor<4xf32>) -> tensor<4xf32>
  return %r : tensor<4xf32>
}
lathe.kernel @copy(%x: tensor<4xf32>) -> (tensor<4xf32>) input_dims [[]] result_dims [[]] {
  %e = tensor.empty() : tensor<4xf32>
  %r = linalg.copy ins(%x : tensor<4xf32>) outs(%e : tensor<4xf32>) -> tensor<4xf32>
  lathe.yield %r : tensor<4xf32>
}

// -----

func.func @compute_left_in_program(%x: tensor<4xf32>) -> tensor<4xf32> {
  // expected-error @below {{expects a program to be free of 'tensor.empty'}}
  %e = tensor.empty() : tensor<4xf32>
  // expected-error @below {{expects a program to be free of 'linalg.copy'}}
  %r = linalg.copy ins(%x : tensor<4xf32>) outs(%e : tensor<4xf32>) -> tensor<4xf32>
  return %r : tensor<4xf32>
}

// -----

// expected-error @below {{expects kernels in tensor form}}
lathe.kernel @buffers(%x: memref<4xf32>, %y: memref<4xf32>) -> (tensor<4xf32>) input_dims [[]] result_dims [[]] {
  lathe.yield
}
