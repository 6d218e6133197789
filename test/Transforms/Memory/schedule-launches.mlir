// RUN: lathe-opt %s -pass-pipeline='builtin.module(func.func(schedule-launches))' -split-input-file | FileCheck %s

lathe.kernel @grow(%x: tensor<16xf32>) -> (tensor<256xf32>) input_dims [[]] result_dims [[]] {
  %e = tensor.empty() : tensor<256xf32>
  lathe.yield %e : tensor<256xf32>
}
lathe.kernel @shrink(%x: tensor<256xf32>) -> (tensor<16xf32>) input_dims [[]] result_dims [[]] {
  %e = tensor.empty() : tensor<16xf32>
  lathe.yield %e : tensor<16xf32>
}
lathe.kernel @shrink_view(%x: tensor<16x16xf32>) -> (tensor<16xf32>) input_dims [[]] result_dims [[]] {
  %e = tensor.empty() : tensor<16xf32>
  lathe.yield %e : tensor<16xf32>
}
lathe.kernel @add(%x: tensor<16xf32>, %y: tensor<16xf32>) -> (tensor<16xf32>) input_dims [[], []] result_dims [[]] {
  lathe.yield %x : tensor<16xf32>
}

// One branch after the other: one large value at a time. Views move along.
// CHECK-LABEL: @branches
// CHECK: lathe.launch @grow
// CHECK-NEXT: lathe.launch @shrink(
// CHECK-NEXT: lathe.launch @grow
// CHECK-NEXT: lathe.view
// CHECK-NEXT: lathe.launch @shrink_view
// CHECK-NEXT: lathe.launch @add
func.func @branches(%x: tensor<16xf32>) -> tensor<16xf32> {
  %0 = lathe.launch @grow(%x) : (tensor<16xf32>) -> tensor<256xf32>
  %1 = lathe.launch @grow(%x) : (tensor<16xf32>) -> tensor<256xf32>
  %2 = lathe.view %1 : tensor<256xf32> to tensor<16x16xf32>
  %3 = lathe.launch @shrink(%0) : (tensor<256xf32>) -> tensor<16xf32>
  %4 = lathe.launch @shrink_view(%2) : (tensor<16x16xf32>) -> tensor<16xf32>
  %5 = lathe.launch @add(%3, %4) : (tensor<16xf32>, tensor<16xf32>) -> tensor<16xf32>
  return %5 : tensor<16xf32>
}

// CHECK-LABEL: @no_order_that_needs_less
// CHECK: lathe.launch @add
// CHECK-NEXT: lathe.launch @grow
// CHECK-NEXT: lathe.launch @shrink
func.func @no_order_that_needs_less(%x: tensor<16xf32>) -> (tensor<16xf32>, tensor<16xf32>) {
  %0 = lathe.launch @add(%x, %x) : (tensor<16xf32>, tensor<16xf32>) -> tensor<16xf32>
  %1 = lathe.launch @grow(%x) : (tensor<16xf32>) -> tensor<256xf32>
  %2 = lathe.launch @shrink(%1) : (tensor<256xf32>) -> tensor<16xf32>
  return %0, %2 : tensor<16xf32>, tensor<16xf32>
}

// CHECK-LABEL: @not_past_a_check
// CHECK: lathe.launch @grow
// CHECK-NEXT: lathe.launch @grow
// CHECK-NEXT: lathe.check
// CHECK-NEXT: lathe.launch @shrink
// CHECK-NEXT: lathe.launch @shrink
func.func @not_past_a_check(%x: tensor<16xf32>, %ok: i1) -> (tensor<16xf32>, tensor<16xf32>) {
  %0 = lathe.launch @grow(%x) : (tensor<16xf32>) -> tensor<256xf32>
  %1 = lathe.launch @grow(%x) : (tensor<16xf32>) -> tensor<256xf32>
  lathe.check %ok, "expects more"
  %2 = lathe.launch @shrink(%0) : (tensor<256xf32>) -> tensor<16xf32>
  %3 = lathe.launch @shrink(%1) : (tensor<256xf32>) -> tensor<16xf32>
  return %2, %3 : tensor<16xf32>, tensor<16xf32>
}

// -----

lathe.kernel @grow(%x: tensor<?xf32>, %n: index) -> (tensor<256x?xf32>) input_dims [[0]] result_dims [[0]] {
  %e = tensor.empty(%n) : tensor<256x?xf32>
  lathe.yield %e : tensor<256x?xf32>
}
lathe.kernel @shrink(%x: tensor<256x?xf32>, %n: index) -> (tensor<?xf32>) input_dims [[0]] result_dims [[0]] {
  %e = tensor.empty(%n) : tensor<?xf32>
  lathe.yield %e : tensor<?xf32>
}

// CHECK-LABEL: @no_symbolic_sizes
// CHECK: lathe.launch @grow
// CHECK-NEXT: lathe.launch @grow
func.func @no_symbolic_sizes(%x: tensor<?xf32> {lathe.dims = ["n"]}) -> (tensor<?xf32>, tensor<?xf32>) {
  %n = lathe.symbol "n"
  %0 = lathe.launch @grow(%x) [%n] : (tensor<?xf32>) -> tensor<256x?xf32>
  %1 = lathe.launch @grow(%x) [%n] : (tensor<?xf32>) -> tensor<256x?xf32>
  %2 = lathe.launch @shrink(%0) [%n] : (tensor<256x?xf32>) -> tensor<?xf32>
  %3 = lathe.launch @shrink(%1) [%n] : (tensor<256x?xf32>) -> tensor<?xf32>
  return %2, %3 : tensor<?xf32>, tensor<?xf32>
}

// -----

lathe.kernel @grow(%x: tensor<16xf32>) -> (tensor<256xf32>) input_dims [[]] result_dims [[]] {
  %e = tensor.empty() : tensor<256xf32>
  lathe.yield %e : tensor<256xf32>
}
lathe.kernel @shrink(%x: tensor<256xf32>) -> (tensor<16xf32>) input_dims [[]] result_dims [[]] {
  %e = tensor.empty() : tensor<16xf32>
  lathe.yield %e : tensor<16xf32>
}
lathe.kernel @end(%x: tensor<512xf32>) -> (tensor<16xf32>) input_dims [[]] result_dims [[]] {
  %e = tensor.empty() : tensor<16xf32>
  lathe.yield %e : tensor<16xf32>
}

// The first part takes the memory of all, so other values end before it is made.
// CHECK-LABEL: @concat
// CHECK: %[[C:.*]] = lathe.launch @grow(%arg0)
// CHECK-NEXT: lathe.launch @shrink(%[[C]])
// CHECK-NEXT: lathe.launch @grow
// CHECK-NEXT: lathe.launch @grow
// CHECK-NEXT: lathe.concat
// CHECK-NEXT: lathe.launch @end
func.func @concat(%x: tensor<16xf32>) -> (tensor<16xf32>, tensor<16xf32>) {
  %a = lathe.launch @grow(%x) : (tensor<16xf32>) -> tensor<256xf32>
  %c = lathe.launch @grow(%x) : (tensor<16xf32>) -> tensor<256xf32>
  %b = lathe.launch @grow(%x) : (tensor<16xf32>) -> tensor<256xf32>
  %ab = lathe.concat %a, %b axis 0 : (tensor<256xf32>, tensor<256xf32>) -> tensor<512xf32>
  %0 = lathe.launch @end(%ab) : (tensor<512xf32>) -> tensor<16xf32>
  %1 = lathe.launch @shrink(%c) : (tensor<256xf32>) -> tensor<16xf32>
  return %0, %1 : tensor<16xf32>, tensor<16xf32>
}
