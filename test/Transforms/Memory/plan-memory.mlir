// RUN: lathe-opt %s -pass-pipeline='builtin.module(func.func(plan-memory))' -split-input-file -verify-diagnostics | FileCheck %s
// RUN: lathe-opt %s -pass-pipeline='builtin.module(func.func(plan-memory{search-steps=0}))' -split-input-file -verify-diagnostics | FileCheck %s
// RUN: lathe-opt %s -pass-pipeline='builtin.module(func.func(plan-memory{strategy=none}))' -split-input-file -verify-diagnostics | FileCheck %s --check-prefix=NONE

lathe.kernel @k(%x: tensor<16xf32>) -> (tensor<16xf32>) input_dims [[]] result_dims [[]] {
  lathe.yield %x : tensor<16xf32>
}

// The third value lies where the first was; the last is the caller's.
// CHECK-LABEL: @chain
// CHECK-SAME: lathe.arena_bound = 128
// CHECK-SAME: lathe.arena_bytes = 128
// CHECK: lathe.storage = [#lathe.arena<0>]
// CHECK: lathe.storage = [#lathe.arena<1>]
// CHECK: lathe.storage = [#lathe.arena<2>]
// CHECK: lathe.storage = [#lathe.output<0>]
// NONE-LABEL: @chain
// NONE-SAME: lathe.arena_bytes = 192
func.func @chain(%x: tensor<16xf32>) -> tensor<16xf32> {
  %0 = lathe.launch @k(%x) : (tensor<16xf32>) -> tensor<16xf32>
  %1 = lathe.launch @k(%0) : (tensor<16xf32>) -> tensor<16xf32>
  %2 = lathe.launch @k(%1) : (tensor<16xf32>) -> tensor<16xf32>
  %3 = lathe.launch @k(%2) : (tensor<16xf32>) -> tensor<16xf32>
  return %3 : tensor<16xf32>
}

// -----

lathe.kernel @k(%x: tensor<16xf32>) -> (tensor<16xf32>) input_dims [[]] result_dims [[]]
    attributes {lathe.inplace = [array<i64: 0, 0>]} {
  lathe.yield %x : tensor<16xf32>
}

// CHECK-LABEL: @inplace
// CHECK-SAME: lathe.arena_bytes = 64
// CHECK: lathe.storage = [#lathe.arena<0>]
// CHECK: lathe.storage = [#lathe.arena<0>]
// NONE-LABEL: @inplace
// NONE: lathe.storage = [#lathe.arena<1>]
func.func @inplace(%x: tensor<16xf32>) -> tensor<16xf32> {
  %0 = lathe.launch @k(%x) : (tensor<16xf32>) -> tensor<16xf32>
  %1 = lathe.launch @k(%0) : (tensor<16xf32>) -> tensor<16xf32>
  %2 = lathe.launch @k(%1) : (tensor<16xf32>) -> tensor<16xf32>
  return %2 : tensor<16xf32>
}

// -----

lathe.kernel @k(%x: tensor<16xf32>) -> (tensor<16xf32>) input_dims [[]] result_dims [[]]
    attributes {lathe.inplace = [array<i64: 0, 0>]} {
  lathe.yield %x : tensor<16xf32>
}
lathe.kernel @add(%x: tensor<16xf32>, %y: tensor<16xf32>) -> (tensor<16xf32>) input_dims [[], []] result_dims [[]] {
  lathe.yield %x : tensor<16xf32>
}

// What is read later is not overwritten.
// CHECK-LABEL: @no_inplace_of_what_lives
// CHECK: lathe.storage = [#lathe.arena<0>]
// CHECK: lathe.storage = [#lathe.arena<1>]
func.func @no_inplace_of_what_lives(%x: tensor<16xf32>) -> tensor<16xf32> {
  %0 = lathe.launch @k(%x) : (tensor<16xf32>) -> tensor<16xf32>
  %1 = lathe.launch @k(%0) : (tensor<16xf32>) -> tensor<16xf32>
  %2 = lathe.launch @add(%0, %1) : (tensor<16xf32>, tensor<16xf32>) -> tensor<16xf32>
  return %2 : tensor<16xf32>
}

// -----

lathe.kernel @k(%x: tensor<16xf32>) -> (tensor<16xf32>) input_dims [[]] result_dims [[]] {
  lathe.yield %x : tensor<16xf32>
}
lathe.kernel @add(%x: tensor<16xf32>, %y: tensor<16xf32>) -> (tensor<16xf32>) input_dims [[], []] result_dims [[]]
    attributes {lathe.inplace = [array<i64: 0, 0>]} {
  lathe.yield %x : tensor<16xf32>
}

// Nor is what the same launch reads in another way.
// CHECK-LABEL: @no_inplace_of_what_is_read_twice
// CHECK: lathe.storage = [#lathe.arena<0>]
// CHECK: lathe.storage = [#lathe.arena<1>]
func.func @no_inplace_of_what_is_read_twice(%x: tensor<16xf32>) -> tensor<16xf32> {
  %0 = lathe.launch @k(%x) : (tensor<16xf32>) -> tensor<16xf32>
  %1 = lathe.launch @add(%0, %0) : (tensor<16xf32>, tensor<16xf32>) -> tensor<16xf32>
  %2 = lathe.launch @k(%1) : (tensor<16xf32>) -> tensor<16xf32>
  return %2 : tensor<16xf32>
}

// -----

lathe.kernel @k(%x: tensor<?xf32>, %n: index) -> (tensor<?xf32>) input_dims [[0]] result_dims [[0]] {
  lathe.yield %x : tensor<?xf32>
}

// Symbolic sizes: lives, but no offsets.
// CHECK-LABEL: @symbolic
// CHECK-NOT: lathe.offsets
// CHECK-SAME: lathe.slots = [array<i64
// CHECK: lathe.storage = [#lathe.arena<0>]
func.func @symbolic(%x: tensor<?xf32> {lathe.dims = ["n"]}) -> tensor<?xf32> {
  %n = lathe.symbol "n"
  %0 = lathe.launch @k(%x) [%n] : (tensor<?xf32>) -> tensor<?xf32>
  %1 = lathe.launch @k(%0) [%n] : (tensor<?xf32>) -> tensor<?xf32>
  return %1 : tensor<?xf32>
}

// -----

func.func @no_result_that_is_an_argument(%x: tensor<16xf32>) -> tensor<16xf32> {
  // expected-error @+1 {{expects each result to be a launch's own, got another for result 0}}
  return %x : tensor<16xf32>
}

// -----

lathe.kernel @k(%x: tensor<16xf32>) -> (tensor<16xf32>) input_dims [[]] result_dims [[]]
    attributes {lathe.inplace = [array<i64: 0, 0>]} {
  lathe.yield %x : tensor<16xf32>
}
lathe.kernel @wide(%x: tensor<48xf32>) -> (tensor<48xf32>) input_dims [[]] result_dims [[]]
    attributes {lathe.inplace = [array<i64: 0, 0>]} {
  lathe.yield %x : tensor<48xf32>
}

// Parts lie where the outermost concatenation does, from the first of them on; it
// stays while one of them is read, and may be taken over then.
// CHECK-LABEL: @concat
// CHECK-SAME: lathe.arena_bytes = 448
// CHECK-SAME: lathe.slots = {{\[}}array<i64: [[FIRST:[0-9]+]], {{[0-9]+}}>, array<i64: {{[0-9]+}}, {{[0-9]+}}>, array
// CHECK: %[[A:.*]] = lathe.launch @k(%arg0) {lathe.storage = [unit]}
// CHECK: %[[B:.*]] = lathe.launch @k(%[[A]]) {lathe.storage = [unit]}
// CHECK: lathe.concat %[[A]], %[[B]] axis 0 :
// CHECK: %[[C:.*]] = lathe.launch @k(%[[B]]) {lathe.storage = [unit]}
// CHECK: lathe.concat %{{.*}}, %[[C]] axis 0 {lathe.storage = [#lathe.arena<0>]}
// CHECK: lathe.launch @wide(%{{.*}}) {lathe.storage = [#lathe.arena<1>]}
// CHECK: lathe.launch @k(%[[A]]) {lathe.storage = [#lathe.arena<2>]}
// CHECK: lathe.launch @wide(%{{.*}}) {lathe.storage = [#lathe.output<0>]}
func.func @concat(%x: tensor<16xf32>) -> (tensor<48xf32>, tensor<16xf32>) {
  %a = lathe.launch @k(%x) : (tensor<16xf32>) -> tensor<16xf32>
  %b = lathe.launch @k(%a) : (tensor<16xf32>) -> tensor<16xf32>
  %ab = lathe.concat %a, %b axis 0 : (tensor<16xf32>, tensor<16xf32>) -> tensor<32xf32>
  %c = lathe.launch @k(%b) : (tensor<16xf32>) -> tensor<16xf32>
  %abc = lathe.concat %ab, %c axis 0 : (tensor<32xf32>, tensor<16xf32>) -> tensor<48xf32>
  %d = lathe.launch @wide(%abc) : (tensor<48xf32>) -> tensor<48xf32>
  %e = lathe.launch @k(%a) : (tensor<16xf32>) -> tensor<16xf32>
  %f = lathe.launch @wide(%d) : (tensor<48xf32>) -> tensor<48xf32>
  %g = lathe.launch @k(%e) : (tensor<16xf32>) -> tensor<16xf32>
  return %f, %g : tensor<48xf32>, tensor<16xf32>
}

// -----

lathe.kernel @k(%x: tensor<16xf32>) -> (tensor<16xf32>) input_dims [[]] result_dims [[]] {
  lathe.yield %x : tensor<16xf32>
}

// CHECK-LABEL: @concat_as_a_result
// CHECK-SAME: lathe.arena_bytes = 0
// CHECK: lathe.concat {{.*}} {lathe.storage = [#lathe.output<0>]}
func.func @concat_as_a_result(%x: tensor<16xf32>) -> tensor<32xf32> {
  %a = lathe.launch @k(%x) : (tensor<16xf32>) -> tensor<16xf32>
  %b = lathe.launch @k(%x) : (tensor<16xf32>) -> tensor<16xf32>
  %c = lathe.concat %a, %b axis 0 : (tensor<16xf32>, tensor<16xf32>) -> tensor<32xf32>
  return %c : tensor<32xf32>
}
