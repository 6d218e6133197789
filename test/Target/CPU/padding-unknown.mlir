// RUN: lathe-opt %s --pass-pipeline='builtin.module(lathe.kernel(simplify-kernel,cpu-tile-kernel{cpu=x86-64-v4},bufferize-kernel,cpu-vectorize{cpu=x86-64-v4}))' | FileCheck %s
// RUN: %bin/lathe-kernel-bench %s --seconds 0 --cpu native --sizes 37,35
// RUN: %bin/lathe-kernel-bench %s --seconds 0 --cpu native --sizes 1,18
// RUN: %bin/lathe-kernel-bench %s --seconds 0 --cpu native --sizes 2,1
// RUN: %bin/lathe-kernel-bench %s --seconds 0 --cpu x86-64-v3 --sizes 9,50

#in_depth = affine_map<(n, h, w, c, r, s) -> (n, h + r, w + s, c)>
#weight_depth = affine_map<(n, h, w, c, r, s) -> (r, s, c)>
#out_depth = affine_map<(n, h, w, c, r, s) -> (n, h, w, c)>
#in_first = affine_map<(n, h, w, k, c, r, s) -> (n, c, h + r, w + s)>
#weight_first = affine_map<(n, h, w, k, c, r, s) -> (r, s, c, k)>
#out_first = affine_map<(n, h, w, k, c, r, s) -> (n, h, w, k)>
#in_line = affine_map<(n, w, k, s, c) -> (n, w * 2 + s * 2, c)>
#weight_line = affine_map<(n, w, k, s, c) -> (s, c, k)>
#out_line = affine_map<(n, w, k, s, c) -> (n, w, k)>

// Columns of an image of unknown size are copied with their padding, rows that
// lie outside are neither copied nor gone through.
// CHECK-LABEL: lathe.kernel @depthwise
// CHECK: %[[COPY:.+]] = memref.alloc()
// CHECK: %[[ALL:.+]] = memref.subview %[[COPY]]
// CHECK: %[[FIRST:.+]] = arith.maxsi
// CHECK: %[[END:.+]] = arith.minsi
// CHECK: %[[LEFT:.+]] = arith.subi %[[END]], %[[FIRST]]
// CHECK: %[[ROWS:.+]] = arith.maxsi %[[LEFT]]
// CHECK: memref.subview %[[ALL]][0, %[[FIRST]], 0, 0] [1, %[[ROWS]],
// CHECK: scf.for {{.+}} to %[[ROWS]]
// CHECK: vector.store
// CHECK: %[[ENDSTEP:.+]] = arith.minsi
// CHECK: %[[STEP:.+]] = arith.maxsi
// CHECK: scf.for {{.+}} = %[[STEP]] to %[[ENDSTEP]]
// CHECK: vector.load %[[ALL]]
lathe.kernel @depthwise(%x: tensor<1x?x?x40xf32>, %w: tensor<5x5x40xf32>, %m: index, %n: index)
    -> (tensor<1x?x?x40xf32>) input_dims [[0, 1], []] result_dims [[0, 1]] {
  %zero = arith.constant 0.0 : f32
  %p = tensor.pad %x low[0, 2, 2, 0] high[0, 2, 2, 0] {
  ^bb0(%a: index, %b: index, %c: index, %d: index):
    tensor.yield %zero : f32
  } : tensor<1x?x?x40xf32> to tensor<1x?x?x40xf32>
  %e = tensor.empty(%m, %n) : tensor<1x?x?x40xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<1x?x?x40xf32>) -> tensor<1x?x?x40xf32>
  %0 = linalg.generic {indexing_maps = [#in_depth, #weight_depth, #out_depth],
      iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction", "reduction"]}
      ins(%p, %w : tensor<1x?x?x40xf32>, tensor<5x5x40xf32>) outs(%f : tensor<1x?x?x40xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %q = arith.mulf %a, %b : f32
    %s = arith.addf %o, %q : f32
    linalg.yield %s : f32
  } -> tensor<1x?x?x40xf32>
  lathe.yield %0 : tensor<1x?x?x40xf32>
}

// A block goes through the steps at which some of its points lie inside, which
// one of few points does not at all of them.
// CHECK-LABEL: lathe.kernel @line
// CHECK: memref.alloc()
// CHECK: scf.index_switch
// CHECK: case 1 {
// CHECK: %[[END1:.+]] = arith.minsi
// CHECK: %[[STEP1:.+]] = arith.maxsi
// CHECK: scf.for {{.+}} = %[[STEP1]] to %[[END1]]
// CHECK: scf.for
// CHECK: case 2 {
lathe.kernel @line(%x: tensor<1x?x24xf32>, %w: tensor<5x24x32xf32>, %m: index, %n: index)
    -> (tensor<1x?x32xf32>) input_dims [[1], []] result_dims [[0]] {
  %zero = arith.constant 0.0 : f32
  %two = arith.constant 2 : index
  %seven = arith.constant 7 : index
  %four = arith.constant 4 : index
  %double = arith.muli %m, %two : index
  %size = arith.addi %double, %seven : index
  %e1 = tensor.empty(%size) : tensor<1x?x24xf32>
  %p = linalg.generic {indexing_maps = [affine_map<(n, w, c) -> (n, w, c)>],
      iterator_types = ["parallel", "parallel", "parallel"]}
      outs(%e1 : tensor<1x?x24xf32>) attrs = {lathe.padding} {
  ^bb0(%o: f32):
    %first = arith.constant 0 : index
    %j = linalg.index 1 : index
    %c = linalg.index 2 : index
    %from = arith.subi %j, %four : index
    %inside = arith.cmpi ult, %from, %n : index
    %at = arith.select %inside, %from, %first : index
    %v = tensor.extract %x[%first, %at, %c] : tensor<1x?x24xf32>
    %r = arith.select %inside, %v, %zero : f32
    linalg.yield %r : f32
  } -> tensor<1x?x24xf32>
  %e = tensor.empty(%m) : tensor<1x?x32xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<1x?x32xf32>) -> tensor<1x?x32xf32>
  %0 = linalg.generic {indexing_maps = [#in_line, #weight_line, #out_line],
      iterator_types = ["parallel", "parallel", "parallel", "reduction", "reduction"]}
      ins(%p, %w : tensor<1x?x24xf32>, tensor<5x24x32xf32>) outs(%f : tensor<1x?x32xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %q = arith.mulf %a, %b : f32
    %s = arith.addf %o, %q : f32
    linalg.yield %s : f32
  } -> tensor<1x?x32xf32>
  lathe.yield %0 : tensor<1x?x32xf32>
}

// Padding along the lanes is what a mask leaves.
// CHECK-LABEL: lathe.kernel @channels_first
// CHECK: memref.alloc()
// CHECK: scf.for
// CHECK: %[[INSIDE:.+]] = arith.cmpi ult, {{.+}} : vector<16xindex>
// CHECK: %[[MASK:.+]] = arith.andi
// CHECK: vector.maskedload %arg0[{{.+}}], %[[MASK]]
lathe.kernel @channels_first(%x: tensor<1x3x?x?xf32>, %w: tensor<3x3x3x16xf32>, %m: index, %n: index)
    -> (tensor<1x?x?x16xf32>) input_dims [[0, 1], []] result_dims [[0, 1]] {
  %zero = arith.constant 0.0 : f32
  %p = tensor.pad %x low[0, 0, 1, 1] high[0, 0, 1, 1] {
  ^bb0(%a: index, %b: index, %c: index, %d: index):
    tensor.yield %zero : f32
  } : tensor<1x3x?x?xf32> to tensor<1x3x?x?xf32>
  %e = tensor.empty(%m, %n) : tensor<1x?x?x16xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<1x?x?x16xf32>) -> tensor<1x?x?x16xf32>
  %0 = linalg.generic {indexing_maps = [#in_first, #weight_first, #out_first],
      iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction", "reduction", "reduction"]}
      ins(%p, %w : tensor<1x3x?x?xf32>, tensor<3x3x3x16xf32>) outs(%f : tensor<1x?x?x16xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %q = arith.mulf %a, %b : f32
    %s = arith.addf %o, %q : f32
    linalg.yield %s : f32
  } -> tensor<1x?x?x16xf32>
  lathe.yield %0 : tensor<1x?x?x16xf32>
}

// Padding that is not zero is selected.
// CHECK-LABEL: lathe.kernel @padded_with_seven
// CHECK: vector.maskedload %arg0
// CHECK: arith.select {{.+}} : vector<16xi1>, vector<16xi32>
// CHECK-NOT: memref.load
// CHECK: lathe.yield
lathe.kernel @padded_with_seven(%x: tensor<?x?xi32>, %m: index, %n: index)
    -> (tensor<?x?xi32>) input_dims [[0, 1]] result_dims [[0, 1]] {
  %seven = arith.constant 7 : i32
  %low = arith.constant 3 : index
  %zero = arith.constant 0 : index
  %e = tensor.empty(%m, %n) : tensor<?x?xi32>
  %0 = linalg.generic {indexing_maps = [affine_map<(h, w) -> (h, w)>], iterator_types = ["parallel", "parallel"]}
      outs(%e : tensor<?x?xi32>) {
  ^bb0(%o: i32):
    %i = linalg.index 0 : index
    %j = linalg.index 1 : index
    %from = arith.subi %j, %low : index
    %inside = arith.cmpi ult, %from, %n : index
    %at = arith.select %inside, %from, %zero : index
    %v = tensor.extract %x[%i, %at] : tensor<?x?xi32>
    %r = arith.select %inside, %v, %seven : i32
    linalg.yield %r : i32
  } -> tensor<?x?xi32>
  lathe.yield %0 : tensor<?x?xi32>
}
