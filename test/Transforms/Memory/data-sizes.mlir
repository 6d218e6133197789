// RUN: lathe-opt %s -pass-pipeline='builtin.module(func.func(plan-memory))' -split-input-file | FileCheck %s

lathe.kernel @k(%x: tensor<?xf32>, %n: index) -> (tensor<?xf32>) input_dims [[0]] result_dims [[0]] {
  lathe.yield %x : tensor<?xf32>
}
lathe.kernel @cut(%x: tensor<16xf32>, %n: index) -> (tensor<?xf32>) input_dims [[]] result_dims [[0]] {
  %0 = tensor.extract_slice %x[0] [%n] [1] : tensor<16xf32> to tensor<?xf32>
  lathe.yield %0 : tensor<?xf32>
}

// With a bound, values have a place of the largest size. Without one they have
// memory that grows, and give it on to those that come after.
// CHECK-LABEL: @bounded
// CHECK-NOT: lathe.growables
// CHECK-SAME: lathe.arena_bytes = 128
// CHECK: lathe.launch @cut{{.*}}#lathe.arena<0>
// CHECK: lathe.launch @k{{.*}}#lathe.arena<1>
// CHECK: lathe.launch @k{{.*}}#lathe.output<0>
func.func @bounded(%x: tensor<16xf32>, %count: tensor<i64>) -> tensor<?xf32> {
  %e = tensor.extract %count[] : tensor<i64>
  %i = arith.index_cast %e : i64 to index
  %max = arith.constant 16 : index
  %n = lathe.bind "n" = %i max %max
  %0 = lathe.launch @cut(%x) [%n] : (tensor<16xf32>) -> tensor<?xf32>
  %1 = lathe.launch @k(%0) [%n] : (tensor<?xf32>) -> tensor<?xf32>
  %2 = lathe.launch @k(%1) [%n] : (tensor<?xf32>) -> tensor<?xf32>
  return %2 : tensor<?xf32>
}

// CHECK-LABEL: @growable
// CHECK-SAME: lathe.growables = 2
// CHECK: lathe.launch @cut{{.*}}#lathe.growable<0>
// CHECK: lathe.launch @k{{.*}}#lathe.growable<1>
// CHECK: lathe.launch @k{{.*}}#lathe.growable<0>
// CHECK: lathe.launch @k{{.*}}#lathe.output<0>
func.func @growable(%x: tensor<16xf32>, %count: tensor<i64>) -> tensor<?xf32> {
  %e = tensor.extract %count[] : tensor<i64>
  %i = arith.index_cast %e : i64 to index
  %n = lathe.bind "n" = %i
  %0 = lathe.launch @cut(%x) [%n] : (tensor<16xf32>) -> tensor<?xf32>
  %1 = lathe.launch @k(%0) [%n] : (tensor<?xf32>) -> tensor<?xf32>
  %2 = lathe.launch @k(%1) [%n] : (tensor<?xf32>) -> tensor<?xf32>
  %3 = lathe.launch @k(%2) [%n] : (tensor<?xf32>) -> tensor<?xf32>
  return %3 : tensor<?xf32>
}
