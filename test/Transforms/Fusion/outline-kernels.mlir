// RUN: lathe-opt %s -outline-kernels -mlir-print-local-scope -split-input-file -verify-diagnostics | FileCheck %s

#id = affine_map<(d0, d1) -> (d0, d1)>

// Equal groups share a kernel; what fusion saved stands on the launch.
// CHECK-LABEL: func.func @equal
// CHECK: %[[A:.*]] = lathe.launch @[[K:k0_[a-z]+]](%arg0)
// CHECK-SAME: lathe.fusions = {elementwise = affine_map<() -> (1, 1024)>}
// CHECK: lathe.launch @[[K]](%[[A]])
// CHECK-NOT: lathe.fusions
// CHECK: lathe.kernel @[[K]](%{{.*}}: tensor<8x16xf32>) -> (tensor<8x16xf32>) input_dims {{\[\[\]\]}} result_dims {{\[\[\]\]}}
// CHECK-SAME: lathe.cost = affine_map<() -> (256, 1024)>
// CHECK-NOT: lathe.node
// CHECK: math.exp
// CHECK: arith.negf
// CHECK: lathe.yield
// CHECK-NOT: lathe.kernel
func.func @equal(%x: tensor<8x16xf32>) -> tensor<8x16xf32> {
  %e = tensor.empty() : tensor<8x16xf32>
  %0 = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%x : tensor<8x16xf32>) outs(%e : tensor<8x16xf32>) attrs = {lathe.node = 0, lathe.group = 1, lathe.fused = "elementwise"} {
  ^bb0(%a: f32, %b: f32):
    %r = math.exp %a : f32
    linalg.yield %r : f32
  } -> tensor<8x16xf32>
  %1 = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%0 : tensor<8x16xf32>) outs(%e : tensor<8x16xf32>) attrs = {lathe.node = 1, lathe.group = 1} {
  ^bb0(%a: f32, %b: f32):
    %r = arith.negf %a : f32
    linalg.yield %r : f32
  } -> tensor<8x16xf32>
  %2 = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%1 : tensor<8x16xf32>) outs(%e : tensor<8x16xf32>) attrs = {lathe.node = 2, lathe.group = 0} {
  ^bb0(%a: f32, %b: f32):
    %r = math.exp %a : f32
    linalg.yield %r : f32
  } -> tensor<8x16xf32>
  %3 = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%2 : tensor<8x16xf32>) outs(%e : tensor<8x16xf32>) attrs = {lathe.node = 2, lathe.group = 0} {
  ^bb0(%a: f32, %b: f32):
    %r = arith.negf %a : f32
    linalg.yield %r : f32
  } -> tensor<8x16xf32>
  return %3 : tensor<8x16xf32>
}

// -----

#id = affine_map<(d0, d1) -> (d0, d1)>

// Equal dynamic sizes are one argument.
// CHECK-LABEL: func.func @symbolic
// CHECK: %[[B:.*]] = lathe.symbol "b"
// CHECK: lathe.launch @k0_generic(%arg0) [%[[B]]]
// CHECK: lathe.kernel @k0_generic(%{{.*}}: tensor<?x16xf32>, %{{.*}}: index) -> (tensor<?x16xf32>) input_dims {{\[\[0\]\]}} result_dims {{\[\[0\]\]}}
// CHECK-SAME: lathe.cost = affine_map<()[s0] -> (s0 * 16, s0 * 128)>
func.func @symbolic(%x: tensor<?x16xf32> {lathe.dims = ["b", ""]}) -> tensor<?x16xf32> {
  %b = lathe.symbol "b"
  %e = tensor.empty(%b) : tensor<?x16xf32>
  %0 = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%x : tensor<?x16xf32>) outs(%e : tensor<?x16xf32>) attrs = {lathe.group = 0} {
  ^bb0(%p: f32, %q: f32):
    %r = math.exp %p : f32
    linalg.yield %r : f32
  } -> tensor<?x16xf32>
  return %0 : tensor<?x16xf32>
}

// -----

#one = affine_map<(d0) -> (d0)>

// A table is memory that a kernel reads; one value is part of its code.
// CHECK-LABEL: func.func @constants
// CHECK: %[[T:.*]] = lathe.weight dense<[1.0{{.*}}, 2.0{{.*}}]>
// CHECK: lathe.launch @k0_generic(%arg0, %[[T]])
// CHECK: lathe.kernel
// CHECK: arith.constant dense<3.0
func.func @constants(%x: tensor<2xf32>) -> tensor<2xf32> {
  %t = arith.constant dense<[1.0, 2.0]> : tensor<2xf32>
  %s = arith.constant dense<3.0> : tensor<2xf32>
  %e = tensor.empty() : tensor<2xf32>
  %0 = linalg.generic {indexing_maps = [#one, #one, #one, #one], iterator_types = ["parallel"]}
      ins(%x, %t, %s : tensor<2xf32>, tensor<2xf32>, tensor<2xf32>) outs(%e : tensor<2xf32>) attrs = {lathe.group = 0} {
  ^bb0(%p: f32, %q: f32, %r: f32, %o: f32):
    %m = arith.mulf %p, %q : f32
    %a = arith.addf %m, %r : f32
    linalg.yield %a : f32
  } -> tensor<2xf32>
  return %0 : tensor<2xf32>
}

// -----

#one = affine_map<(d0) -> (d0)>

// Groups that depend on each other cannot be ordered.
func.func @no_groups_in_a_cycle(%x: tensor<2xf32>) -> tensor<2xf32> {
  %e = tensor.empty() : tensor<2xf32>
  // expected-error @+1 {{failed to order kernels: groups depend on each other}}
  %0 = linalg.generic {indexing_maps = [#one, #one], iterator_types = ["parallel"]}
      ins(%x : tensor<2xf32>) outs(%e : tensor<2xf32>) attrs = {lathe.group = 0} {
  ^bb0(%p: f32, %o: f32):
    linalg.yield %p : f32
  } -> tensor<2xf32>
  %1 = linalg.generic {indexing_maps = [#one, #one], iterator_types = ["parallel"]}
      ins(%0 : tensor<2xf32>) outs(%e : tensor<2xf32>) attrs = {lathe.group = 1} {
  ^bb0(%p: f32, %o: f32):
    linalg.yield %p : f32
  } -> tensor<2xf32>
  %2 = linalg.generic {indexing_maps = [#one, #one], iterator_types = ["parallel"]}
      ins(%1 : tensor<2xf32>) outs(%e : tensor<2xf32>) attrs = {lathe.group = 0} {
  ^bb0(%p: f32, %o: f32):
    linalg.yield %p : f32
  } -> tensor<2xf32>
  return %2 : tensor<2xf32>
}

// -----

// A grid is a kernel of its own, a loop over its points that write their parts.
// CHECK-LABEL: func.func @grid
// CHECK: lathe.launch @k0_grid(%{{.+}}) [%[[N:.+]]]
// CHECK: lathe.kernel @k0_grid(%[[X:.+]]: tensor<?x4xf32>, %[[SIZE:.+]]: index)
// CHECK: %[[EMPTY:.+]] = tensor.empty(%[[SIZE]])
// CHECK: scf.forall (%[[I:.+]]) in (%[[SIZE]]) shared_outs(%[[OUT:.+]] = %[[EMPTY]])
// CHECK: tensor.extract_slice %[[OUT]][%[[I]], 0] [1, 4] [1, 1]
// CHECK: tensor.insert
// CHECK: tensor.parallel_insert_slice %{{.+}} into %[[OUT]][%[[I]], 0] [1, 4] [1, 1]
func.func @grid(%x: tensor<?x4xf32> {lathe.dims = ["n", ""]}) -> tensor<?x4xf32> {
  %n = lathe.symbol "n"
  %c0 = arith.constant 0 : index
  %y = lathe.grid [%n] dims [%n] loops [array<i64: 0, -1>] {
  ^bb0(%i: index, %row: tensor<1x4xf32>):
    %e = tensor.extract %x[%i, %c0] : tensor<?x4xf32>
    %w = tensor.insert %e into %row[%c0, %c0] : tensor<1x4xf32>
    lathe.yield %w : tensor<1x4xf32>
  } {lathe.group = 0 : i64} : tensor<?x4xf32>
  return %y : tensor<?x4xf32>
}

// -----

// Parts have the strides of what they lie in, also where they are read; what is
// not copied counts, what the concatenation's own node makes does not.
// CHECK-LABEL: func.func @concat
// CHECK: %[[A:.*]] = lathe.launch @[[MAKE:k0_[a-z]+]](%arg0) {lathe.fusions = {concat = affine_map<() -> (1, 1024)>},
// CHECK: lathe.launch @[[READ:k1_[a-z]+]](%[[A]])
// CHECK-NOT: lathe.fusions
// CHECK: %[[B:.*]] = lathe.launch @{{.*}}(%arg0)
// CHECK-NOT: lathe.fusions
// CHECK: lathe.concat %[[A]], %[[B]] axis 1
// CHECK: lathe.kernel @[[MAKE]](
// CHECK-SAME: lathe.within = [unit, affine_map<() -> (8, 32)>]
// CHECK: lathe.kernel @[[READ]](
// CHECK-SAME: lathe.within = [affine_map<() -> (8, 32)>, unit]
func.func @concat(%x: tensor<8x16xf32>) -> (tensor<8x32xf32>, tensor<8x16xf32>) {
  %e = tensor.empty() : tensor<8x16xf32>
  %a = linalg.exp {lathe.node = 0, lathe.group = 0} ins(%x : tensor<8x16xf32>) outs(%e : tensor<8x16xf32>) -> tensor<8x16xf32>
  %r = linalg.sqrt {lathe.node = 1, lathe.group = 1} ins(%a : tensor<8x16xf32>) outs(%e : tensor<8x16xf32>) -> tensor<8x16xf32>
  %b = linalg.copy {lathe.node = 2, lathe.group = 2} ins(%x : tensor<8x16xf32>) outs(%e : tensor<8x16xf32>) -> tensor<8x16xf32>
  %c = lathe.concat %a, %b axis 1 {lathe.node = 2} : (tensor<8x16xf32>, tensor<8x16xf32>) -> tensor<8x32xf32>
  return %c, %r : tensor<8x32xf32>, tensor<8x16xf32>
}

// -----

// CHECK-LABEL: func.func @symbolic_concat
// CHECK: lathe.within = [unit, affine_map<()[s0, s1] -> (s0, s1)>]
func.func @symbolic_concat(%x: tensor<?x16xf32> {lathe.dims = ["n", ""]}, %y: tensor<?x?xf32> {lathe.dims = ["n", "k"]}) -> tensor<?x?xf32> {
  %n = lathe.symbol "n"
  %k = lathe.symbol "k"
  %sum = affine.apply affine_map<()[s0] -> (s0 + 16)>()[%k]
  %e = tensor.empty(%n) : tensor<?x16xf32>
  %f = tensor.empty(%n, %k) : tensor<?x?xf32>
  %a = linalg.exp {lathe.group = 0} ins(%x : tensor<?x16xf32>) outs(%e : tensor<?x16xf32>) -> tensor<?x16xf32>
  %b = linalg.exp {lathe.group = 1} ins(%y : tensor<?x?xf32>) outs(%f : tensor<?x?xf32>) -> tensor<?x?xf32>
  %c = lathe.concat %a, %b dims [%n, %sum] axis 1 : (tensor<?x16xf32>, tensor<?x?xf32>) -> tensor<?x?xf32>
  return %c : tensor<?x?xf32>
}
