// RUN: lathe-opt %s -pass-pipeline='builtin.module(func.func(choose-layouts))' | FileCheck %s

#in = affine_map<(n, f, y, x, c, i, j) -> (n, c, y + i, x + j)>
#w = affine_map<(n, f, y, x, c, i, j) -> (f, c, i, j)>
#out = affine_map<(n, f, y, x, c, i, j) -> (n, f, y, x)>
#id = affine_map<(n, f, y, x) -> (n, f, y, x)>
#twice = affine_map<(n, f, y, x) -> (n, f, y floordiv 2, x floordiv 2)>

// A convolution has channels last, and so has what follows it element by element.
// CHECK-LABEL: @convolution
// CHECK: linalg.generic {{.*}} attrs = {lathe.layout = array<i64: 0, 2, 3, 1>}
// CHECK: linalg.generic {{.*}} attrs = {lathe.layout = array<i64: 0, 2, 3, 1>}
func.func @convolution(%x: tensor<1x3x8x8xf32>, %w: tensor<4x3x3x3xf32>, %o: tensor<1x4x6x6xf32>) -> tensor<1x4x6x6xf32> {
  %0 = linalg.generic {indexing_maps = [#in, #w, #out], iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction", "reduction", "reduction"]}
      ins(%x, %w : tensor<1x3x8x8xf32>, tensor<4x3x3x3xf32>) outs(%o : tensor<1x4x6x6xf32>) {
  ^bb0(%p: f32, %q: f32, %r: f32):
    %m = arith.mulf %p, %q : f32
    %s = arith.addf %r, %m : f32
    linalg.yield %s : f32
  } -> tensor<1x4x6x6xf32>
  %1 = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
      ins(%0 : tensor<1x4x6x6xf32>) outs(%o : tensor<1x4x6x6xf32>) {
  ^bb0(%p: f32, %r: f32):
    %s = math.exp %p : f32
    linalg.yield %s : f32
  } -> tensor<1x4x6x6xf32>
  return %1 : tensor<1x4x6x6xf32>
}

// Nothing changes where no window is.
// CHECK-LABEL: @no_window
// CHECK-NOT: lathe.layout
func.func @no_window(%x: tensor<1x4x6x6xf32>, %o: tensor<1x4x6x6xf32>) -> tensor<1x4x6x6xf32> {
  %1 = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
      ins(%x : tensor<1x4x6x6xf32>) outs(%o : tensor<1x4x6x6xf32>) {
  ^bb0(%p: f32, %r: f32):
    %s = math.exp %p : f32
    linalg.yield %s : f32
  } -> tensor<1x4x6x6xf32>
  return %1 : tensor<1x4x6x6xf32>
}

// What repeats elements of an image, or copies them from places that its body
// computes, has the image's layout where channels are copied as they are.
// CHECK-LABEL: @repeats_and_gathers
// CHECK: lathe.layout
// CHECK: attrs = {lathe.layout = array<i64: 0, 2, 3, 1>, repeats}
// CHECK: attrs = {gathers, lathe.layout = array<i64: 0, 2, 3, 1>}
// CHECK: attrs = {shuffles_channels}
func.func @repeats_and_gathers(%x: tensor<1x3x8x8xf32>, %w: tensor<4x3x3x3xf32>, %o: tensor<1x4x6x6xf32>, %p: tensor<1x4x12x12xf32>)
    -> (tensor<1x4x12x12xf32>, tensor<1x4x12x12xf32>) {
  %0 = linalg.generic {indexing_maps = [#in, #w, #out], iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction", "reduction", "reduction"]}
      ins(%x, %w : tensor<1x3x8x8xf32>, tensor<4x3x3x3xf32>) outs(%o : tensor<1x4x6x6xf32>) {
  ^bb0(%a: f32, %b: f32, %r: f32):
    %m = arith.mulf %a, %b : f32
    %s = arith.addf %r, %m : f32
    linalg.yield %s : f32
  } -> tensor<1x4x6x6xf32>
  %1 = linalg.generic {indexing_maps = [#twice, #id], iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
      ins(%0 : tensor<1x4x6x6xf32>) outs(%p : tensor<1x4x12x12xf32>) attrs = {repeats} {
  ^bb0(%a: f32, %r: f32):
    linalg.yield %a : f32
  } -> tensor<1x4x12x12xf32>
  %c11 = arith.constant 11 : index
  %2 = linalg.generic {indexing_maps = [#id], iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
      outs(%p : tensor<1x4x12x12xf32>) attrs = {gathers} {
  ^bb0(%r: f32):
    %n = linalg.index 0 : index
    %f = linalg.index 1 : index
    %i = linalg.index 2 : index
    %j = linalg.index 3 : index
    %y = arith.subi %c11, %i : index
    %e = tensor.extract %1[%n, %f, %y, %j] : tensor<1x4x12x12xf32>
    linalg.yield %e : f32
  } -> tensor<1x4x12x12xf32>
  %c3 = arith.constant 3 : index
  %3 = linalg.generic {indexing_maps = [#id], iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
      outs(%p : tensor<1x4x12x12xf32>) attrs = {shuffles_channels} {
  ^bb0(%r: f32):
    %n = linalg.index 0 : index
    %f = linalg.index 1 : index
    %i = linalg.index 2 : index
    %j = linalg.index 3 : index
    %g = arith.subi %c3, %f : index
    %e = tensor.extract %2[%n, %g, %i, %j] : tensor<1x4x12x12xf32>
    linalg.yield %e : f32
  } -> tensor<1x4x12x12xf32>
  return %2, %3 : tensor<1x4x12x12xf32>, tensor<1x4x12x12xf32>
}

// Views follow where what they split or merge lies together.
// CHECK-LABEL: @views
// CHECK: lathe.layout
// CHECK: lathe.view %{{.*}} {lathe.layout = array<i64: 0, 3, 4, 1, 2>} : tensor<1x4x6x6xf32> to tensor<1x2x2x6x6xf32>
// CHECK: lathe.view %{{.*}} {lathe.layout = array<i64: 0, 2, 3, 1>} : tensor<1x2x2x6x6xf32> to tensor<1x4x6x6xf32>
// CHECK: lathe.view %{{.*}} {lathe.layout = array<i64: 0, 2, 1>} : tensor<1x4x6x6xf32> to tensor<1x4x36xf32>
// CHECK: lathe.view %{{[^{]*}} : tensor<1x4x6x6xf32> to tensor<1x144xf32>
func.func @views(%x: tensor<1x3x8x8xf32>, %w: tensor<4x3x3x3xf32>, %o: tensor<1x4x6x6xf32>) -> (tensor<1x4x36xf32>, tensor<1x144xf32>) {
  %0 = linalg.generic {indexing_maps = [#in, #w, #out], iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction", "reduction", "reduction"]}
      ins(%x, %w : tensor<1x3x8x8xf32>, tensor<4x3x3x3xf32>) outs(%o : tensor<1x4x6x6xf32>) {
  ^bb0(%a: f32, %b: f32, %r: f32):
    %m = arith.mulf %a, %b : f32
    %s = arith.addf %r, %m : f32
    linalg.yield %s : f32
  } -> tensor<1x4x6x6xf32>
  %1 = lathe.view %0 : tensor<1x4x6x6xf32> to tensor<1x2x2x6x6xf32>
  %2 = lathe.view %1 : tensor<1x2x2x6x6xf32> to tensor<1x4x6x6xf32>
  %3 = lathe.view %2 : tensor<1x4x6x6xf32> to tensor<1x4x36xf32>
  %4 = lathe.view %2 : tensor<1x4x6x6xf32> to tensor<1x144xf32>
  return %3, %4 : tensor<1x4x36xf32>, tensor<1x144xf32>
}
