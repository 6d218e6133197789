// RUN: lathe-opt %s -pass-pipeline='builtin.module(func.func(materialize-layouts))' -mlir-print-local-scope | FileCheck %s

#id = affine_map<(n, f, y, x) -> (n, f, y, x)>
#last = affine_map<(n, y, x, f) -> (n, f, y, x)>
#idl = affine_map<(n, y, x, f) -> (n, y, x, f)>

// A chain is permuted once on the way in and once on the way out.
// CHECK-LABEL: @chain
// CHECK: %[[IN:.*]] = linalg.generic {indexing_maps = [affine_map<(d0, d1, d2, d3) -> (d0, d3, d1, d2)>, affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>]{{.*}}ins(%arg0 : tensor<1x4x6x8xf32>)
// CHECK: -> tensor<1x6x8x4xf32>
// CHECK: %[[E:.*]] = linalg.generic {{.*}}ins(%[[IN]] : tensor<1x6x8x4xf32>)
// CHECK-NOT: lathe.layout
// CHECK: math.exp
// CHECK: %[[N:.*]] = linalg.generic {{.*}}ins(%[[E]] : tensor<1x6x8x4xf32>)
// CHECK: arith.negf
// CHECK: linalg.generic {indexing_maps = [affine_map<(d0, d1, d2, d3) -> (d0, d2, d3, d1)>, {{.*}}ins(%[[N]] : tensor<1x6x8x4xf32>)
// CHECK: -> tensor<1x4x6x8xf32>
func.func @chain(%x: tensor<1x4x6x8xf32>) -> tensor<1x4x6x8xf32> {
  %e = tensor.empty() : tensor<1x4x6x8xf32>
  %0 = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
      ins(%x : tensor<1x4x6x8xf32>) outs(%e : tensor<1x4x6x8xf32>) attrs = {lathe.layout = array<i64: 0, 2, 3, 1>} {
  ^bb0(%p: f32, %r: f32):
    %s = math.exp %p : f32
    linalg.yield %s : f32
  } -> tensor<1x4x6x8xf32>
  %1 = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
      ins(%0 : tensor<1x4x6x8xf32>) outs(%e : tensor<1x4x6x8xf32>) attrs = {lathe.layout = array<i64: 0, 2, 3, 1>} {
  ^bb0(%p: f32, %r: f32):
    %s = arith.negf %p : f32
    linalg.yield %s : f32
  } -> tensor<1x4x6x8xf32>
  return %1 : tensor<1x4x6x8xf32>
}

// A weight gets a step in its recipe.
// CHECK-LABEL: @weight
// CHECK: lathe.weight dense<1.0{{.*}}> : tensor<1x4x6x8xf32> recipe [#lathe.permute<[0, 2, 3, 1]>] : tensor<1x6x8x4xf32>
func.func @weight() -> tensor<1x4x6x8xf32> {
  %x = lathe.weight dense<1.0> : tensor<1x4x6x8xf32> : tensor<1x4x6x8xf32>
  %e = tensor.empty() : tensor<1x4x6x8xf32>
  %0 = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
      ins(%x : tensor<1x4x6x8xf32>) outs(%e : tensor<1x4x6x8xf32>) attrs = {lathe.layout = array<i64: 0, 2, 3, 1>} {
  ^bb0(%p: f32, %r: f32):
    %s = math.exp %p : f32
    linalg.yield %s : f32
  } -> tensor<1x4x6x8xf32>
  return %0 : tensor<1x4x6x8xf32>
}

// A transpose that ends where the value lies already is dropped.
// CHECK-LABEL: @no_transpose_of_what_lies_so
// CHECK: %[[IN:.*]] = linalg.generic
// CHECK: %[[E:.*]] = linalg.generic {{.*}}ins(%[[IN]]
// CHECK-NOT: linalg.generic
// CHECK: return %[[E]]
func.func @no_transpose_of_what_lies_so(%x: tensor<1x4x6x8xf32>) -> tensor<1x6x8x4xf32> {
  %e = tensor.empty() : tensor<1x4x6x8xf32>
  %0 = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
      ins(%x : tensor<1x4x6x8xf32>) outs(%e : tensor<1x4x6x8xf32>) attrs = {lathe.layout = array<i64: 0, 2, 3, 1>} {
  ^bb0(%p: f32, %r: f32):
    %s = math.exp %p : f32
    linalg.yield %s : f32
  } -> tensor<1x4x6x8xf32>
  %t = tensor.empty() : tensor<1x6x8x4xf32>
  %1 = linalg.generic {indexing_maps = [#last, #idl], iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
      ins(%0 : tensor<1x4x6x8xf32>) outs(%t : tensor<1x6x8x4xf32>) {
  ^bb0(%p: f32, %r: f32):
    linalg.yield %p : f32
  } -> tensor<1x6x8x4xf32>
  return %1 : tensor<1x6x8x4xf32>
}

// CHECK-LABEL: @no_layout
// CHECK: linalg.generic
// CHECK-NOT: linalg.generic
func.func @no_layout(%x: tensor<1x4x6x8xf32>) -> tensor<1x4x6x8xf32> {
  %e = tensor.empty() : tensor<1x4x6x8xf32>
  %0 = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
      ins(%x : tensor<1x4x6x8xf32>) outs(%e : tensor<1x4x6x8xf32>) {
  ^bb0(%p: f32, %r: f32):
    %s = math.exp %p : f32
    linalg.yield %s : f32
  } -> tensor<1x4x6x8xf32>
  return %0 : tensor<1x4x6x8xf32>
}

// Places in a body are permuted with what they are places of.
// CHECK-LABEL: @gather
// CHECK: math.exp
// CHECK: linalg.generic {{.*}} outs(%{{.*}} : tensor<1x6x8x4xf32>)
// CHECK-DAG: %[[Y:.*]] = linalg.index 1
// CHECK-DAG: %[[X:.*]] = linalg.index 2
// CHECK-DAG: %[[F:.*]] = linalg.index 3
// CHECK: %[[UP:.*]] = arith.subi %{{.*}}, %[[Y]]
// CHECK: tensor.extract %{{.*}}[%{{.*}}, %[[UP]], %[[X]], %[[F]]] : tensor<1x6x8x4xf32>
func.func @gather(%x: tensor<1x4x6x8xf32>) -> tensor<1x4x6x8xf32> {
  %c5 = arith.constant 5 : index
  %e = tensor.empty() : tensor<1x4x6x8xf32>
  %0 = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
      ins(%x : tensor<1x4x6x8xf32>) outs(%e : tensor<1x4x6x8xf32>) attrs = {lathe.layout = array<i64: 0, 2, 3, 1>} {
  ^bb0(%p: f32, %r: f32):
    %s = math.exp %p : f32
    linalg.yield %s : f32
  } -> tensor<1x4x6x8xf32>
  %1 = linalg.generic {indexing_maps = [#id], iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
      outs(%e : tensor<1x4x6x8xf32>) attrs = {lathe.layout = array<i64: 0, 2, 3, 1>} {
  ^bb0(%r: f32):
    %n = linalg.index 0 : index
    %f = linalg.index 1 : index
    %i = linalg.index 2 : index
    %j = linalg.index 3 : index
    %y = arith.subi %c5, %i : index
    %g = tensor.extract %0[%n, %f, %y, %j] : tensor<1x4x6x8xf32>
    linalg.yield %g : f32
  } -> tensor<1x4x6x8xf32>
  return %1 : tensor<1x4x6x8xf32>
}

// A view that splits channels is one of the image as it is stored.
// CHECK-LABEL: @split
// CHECK: math.exp
// CHECK: %[[V:.*]] = lathe.view %{{.*}} : tensor<1x6x8x4xf32> to tensor<1x6x8x2x2xf32>
// CHECK: linalg.generic {{.*}}ins(%[[V]] : tensor<1x6x8x2x2xf32>)
func.func @split(%x: tensor<1x4x6x8xf32>) -> tensor<1x2x2x6x8xf32> {
  %e = tensor.empty() : tensor<1x4x6x8xf32>
  %0 = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
      ins(%x : tensor<1x4x6x8xf32>) outs(%e : tensor<1x4x6x8xf32>) attrs = {lathe.layout = array<i64: 0, 2, 3, 1>} {
  ^bb0(%p: f32, %r: f32):
    %s = math.exp %p : f32
    linalg.yield %s : f32
  } -> tensor<1x4x6x8xf32>
  %1 = lathe.view %0 {lathe.layout = array<i64: 0, 3, 4, 1, 2>} : tensor<1x4x6x8xf32> to tensor<1x2x2x6x8xf32>
  return %1 : tensor<1x2x2x6x8xf32>
}
