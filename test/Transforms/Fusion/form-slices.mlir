// RUN: lathe-opt %s -pass-pipeline='builtin.module(func.func(form-slices,canonicalize))' | FileCheck %s

// CHECK: #[[$EIGHT_TIMES:.*]] = affine_map<()[s0] -> (s0 * 8)>
// CHECK-LABEL: @rows
// CHECK-SAME: (%[[X:.*]]: tensor<8x4xf32>)
// CHECK: %[[O:.*]] = arith.constant 12 : index
// CHECK: lathe.slice %[[X]][%[[O]]] : tensor<8x4xf32> to tensor<2x4xf32>
// CHECK-NOT: tensor.extract_slice
func.func @rows(%x: tensor<8x4xf32>) -> tensor<2x4xf32> {
  %0 = tensor.extract_slice %x[3, 0] [2, 4] [1, 1] : tensor<8x4xf32> to tensor<2x4xf32>
  return %0 : tensor<2x4xf32>
}

// A range of one dimension, at one index of those before it.
// CHECK-LABEL: @row_of_a_matrix
// CHECK: %[[O:.*]] = arith.constant 25 : index
// CHECK: lathe.slice %{{.*}}[%[[O]]] : tensor<2x5x4xf32> to tensor<3xf32>
func.func @row_of_a_matrix(%x: tensor<2x5x4xf32>) -> tensor<3xf32> {
  %0 = tensor.extract_slice %x[1, 1, 1] [1, 1, 3] [7, 7, 1] : tensor<2x5x4xf32> to tensor<3xf32>
  return %0 : tensor<3xf32>
}

// CHECK-LABEL: @symbolic
// CHECK-SAME: (%[[X:.*]]: tensor<3x?x4xf32>
// CHECK: %[[N:.*]] = lathe.symbol "n"
// CHECK: %[[O:.*]] = affine.apply #[[$EIGHT_TIMES]]()[%[[N]]]
// CHECK: lathe.slice %[[X]][%[[O]]] dims[%[[N]]] : tensor<3x?x4xf32> to tensor<?x4xf32>
func.func @symbolic(%x: tensor<3x?x4xf32> {lathe.dims = ["", "n", ""]}) -> tensor<?x4xf32> {
  %n = lathe.symbol "n"
  %0 = tensor.extract_slice %x[2, 0, 0] [1, %n, 4] [1, 1, 1] : tensor<3x?x4xf32> to tensor<?x4xf32>
  return %0 : tensor<?x4xf32>
}

// CHECK-LABEL: @no_other_size
// CHECK: tensor.extract_slice
func.func @no_other_size(%x: tensor<3x?x4xf32> {lathe.dims = ["", "n", ""]}) -> tensor<2x?x4xf32> {
  %m = lathe.symbol "m"
  %0 = tensor.extract_slice %x[1, 0, 0] [2, %m, 4] [1, 1, 1] : tensor<3x?x4xf32> to tensor<2x?x4xf32>
  return %0 : tensor<2x?x4xf32>
}

// CHECK-LABEL: @no_columns
// CHECK: tensor.extract_slice
func.func @no_columns(%x: tensor<8x4xf32>) -> tensor<8x2xf32> {
  %0 = tensor.extract_slice %x[0, 1] [8, 2] [1, 1] : tensor<8x4xf32> to tensor<8x2xf32>
  return %0 : tensor<8x2xf32>
}

// CHECK-LABEL: @no_columns_of_one_row_each
// CHECK: tensor.extract_slice
func.func @no_columns_of_one_row_each(%x: tensor<8x4xf32>) -> tensor<8x1xf32> {
  %0 = tensor.extract_slice %x[0, 1] [8, 1] [1, 1] : tensor<8x4xf32> to tensor<8x1xf32>
  return %0 : tensor<8x1xf32>
}

// CHECK-LABEL: @no_steps
// CHECK: tensor.extract_slice
func.func @no_steps(%x: tensor<8x4xf32>) -> tensor<4x4xf32> {
  %0 = tensor.extract_slice %x[0, 0] [4, 4] [2, 1] : tensor<8x4xf32> to tensor<4x4xf32>
  return %0 : tensor<4x4xf32>
}

// CHECK-LABEL: @no_memory_that_the_caller_gave_away
// CHECK: tensor.extract_slice
func.func @no_memory_that_the_caller_gave_away(%x: tensor<8x4xf32> {lathe.state = {}}) -> tensor<2x4xf32> {
  %0 = tensor.extract_slice %x[3, 0] [2, 4] [1, 1] : tensor<8x4xf32> to tensor<2x4xf32>
  return %0 : tensor<2x4xf32>
}

// CHECK-LABEL: @no_carried_value
// CHECK: tensor.extract_slice
func.func @no_carried_value(%x: tensor<8x4xf32>, %y: tensor<4xf32>) -> tensor<8x4xf32> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c8 = arith.constant 8 : index
  %0 = scf.for %i = %c0 to %c8 step %c1 iter_args(%h = %x) -> tensor<8x4xf32> {
    %1 = tensor.extract_slice %h[1, 0] [1, 4] [1, 1] : tensor<8x4xf32> to tensor<4xf32>
    %2 = lathe.insert %y into %h[%i] : tensor<4xf32> into tensor<8x4xf32>
    %3 = lathe.insert %1 into %2[%i] : tensor<4xf32> into tensor<8x4xf32>
    scf.yield %3 : tensor<8x4xf32>
  }
  return %0 : tensor<8x4xf32>
}
