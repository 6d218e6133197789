// RUN: lathe-opt %s -pass-pipeline='builtin.module(func.func(own-results))' | FileCheck %s

// CHECK-LABEL: @computed
// CHECK-NOT: linalg.copy
// CHECK: return
func.func @computed(%x: tensor<4xf32>) -> tensor<4xf32> {
  %e = tensor.empty() : tensor<4xf32>
  %0 = linalg.exp ins(%x : tensor<4xf32>) outs(%e : tensor<4xf32>) -> tensor<4xf32>
  return %0 : tensor<4xf32>
}

// CHECK-LABEL: @no_argument
// CHECK: %[[C:.*]] = linalg.copy ins(%arg0
// CHECK: return %[[C]]
func.func @no_argument(%x: tensor<4xf32>) -> tensor<4xf32> {
  return %x : tensor<4xf32>
}

// CHECK-LABEL: @no_same_result_twice
// CHECK: %[[E:.*]] = linalg.exp
// CHECK: %[[C:.*]] = linalg.copy ins(%[[E]]
// CHECK: return %[[E]], %[[C]]
func.func @no_same_result_twice(%x: tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>) {
  %e = tensor.empty() : tensor<4xf32>
  %0 = linalg.exp ins(%x : tensor<4xf32>) outs(%e : tensor<4xf32>) -> tensor<4xf32>
  return %0, %0 : tensor<4xf32>, tensor<4xf32>
}

// CHECK-LABEL: @no_constant
// CHECK: linalg.copy
func.func @no_constant() -> tensor<2xf32> {
  %0 = lathe.weight dense<[1.0, 2.0]> : tensor<2xf32> : tensor<2xf32>
  return %0 : tensor<2xf32>
}

// A loop overwrites what it starts from.
// CHECK-LABEL: @no_shared_initial_value
// CHECK: %[[C:.*]] = linalg.copy ins(%arg0
// CHECK: scf.for {{.*}} iter_args(%{{.*}} = %[[C]])
func.func @no_shared_initial_value(%x: tensor<4xf32>) -> tensor<4xf32> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c4 = arith.constant 4 : index
  %e = tensor.empty() : tensor<4xf32>
  %r = scf.for %i = %c0 to %c4 step %c1 iter_args(%h = %x) -> tensor<4xf32> {
    %0 = linalg.exp ins(%h : tensor<4xf32>) outs(%e : tensor<4xf32>) -> tensor<4xf32>
    scf.yield %0 : tensor<4xf32>
  }
  %1 = linalg.exp ins(%r : tensor<4xf32>) outs(%e : tensor<4xf32>) -> tensor<4xf32>
  return %1 : tensor<4xf32>
}
