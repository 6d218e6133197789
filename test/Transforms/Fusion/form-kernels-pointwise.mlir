// RUN: lathe-opt %s -pass-pipeline='builtin.module(func.func(form-kernels{cache-bytes=1048576}))' -split-input-file | FileCheck %s
// RUN: lathe-opt %s -pass-pipeline='builtin.module(func.func(form-kernels{cache-bytes=1048576 explain}))' -split-input-file | FileCheck %s --check-prefix=WHY
// RUN: lathe-opt %s -pass-pipeline='builtin.module(func.func(form-kernels))' -split-input-file | FileCheck %s --check-prefix=APART
// RUN: lathe-opt %s -pass-pipeline='builtin.module(func.func(form-kernels{cache-bytes=1048576 disabled=depthwise-pointwise}))' -split-input-file | FileCheck %s --check-prefix=APART

#px = affine_map<(n, h, w, c, i, j) -> (n, h * 2 + i, w * 2 + j, c)>
#pw = affine_map<(n, h, w, c, i, j) -> (i, j, c)>
#py = affine_map<(n, h, w, c, i, j) -> (n, h, w, c)>
#id = affine_map<(n, h, w, c) -> (n, h, w, c)>
#qx = affine_map<(n, h, w, f, i, j, c) -> (n, h + i, w + j, c)>
#qw = affine_map<(n, h, w, f, i, j, c) -> (i, j, c, f)>
#qy = affine_map<(n, h, w, f, i, j, c) -> (n, h, w, f)>

// A depthwise convolution of stride 2 with its padding and activation, the
// convolution of 1x1 that reads it, and a residual.

// CHECK-LABEL: @inverted_residual
// CHECK: tensor.pad
// CHECK: lathe.fused = "pad", lathe.group = 0
// CHECK: linalg.generic {{.*}}{lathe.fused = "epilogue", lathe.group = 0
// CHECK: linalg.generic {{.*}}{lathe.fused = "depthwise-pointwise", lathe.group = 0
// CHECK: linalg.generic {{.*}}{lathe.fused = "epilogue", lathe.group = 0
// CHECK: linalg.generic {{.*}}{lathe.group = 0
// APART-LABEL: @inverted_residual
// APART: linalg.generic {{.*}}lathe.group = 1
// APART: linalg.generic {{.*}}lathe.group = 1
// APART: linalg.generic {{.*}}lathe.group = 0
// APART: linalg.generic {{.*}}lathe.group = 0
func.func @inverted_residual(%x: tensor<1x112x112x64xf32>, %r: tensor<1x56x56x16xf32>) -> tensor<1x56x56x16xf32> {
  %zero = arith.constant 0.0 : f32
  %v = lathe.weight dense<1.0> : tensor<3x3x64xf32> : tensor<3x3x64xf32>
  %w = lathe.weight dense<1.0> : tensor<1x1x64x16xf32> : tensor<1x1x64x16xf32>
  %p = tensor.pad %x low[0, 1, 1, 0] high[0, 0, 0, 0] {
  ^bb0(%n: index, %h: index, %y: index, %c: index):
    tensor.yield %zero : f32
  } {lathe.node = 0} : tensor<1x112x112x64xf32> to tensor<1x113x113x64xf32>
  %e = tensor.empty() : tensor<1x56x56x64xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<1x56x56x64xf32>) -> tensor<1x56x56x64xf32>
  %0 = linalg.generic {indexing_maps = [#px, #pw, #py], iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction", "reduction"]}
      ins(%p, %v : tensor<1x113x113x64xf32>, tensor<3x3x64xf32>) outs(%f : tensor<1x56x56x64xf32>) attrs = {lathe.node = 1} {
  ^bb0(%a: f32, %b: f32, %c: f32):
    %m = arith.mulf %a, %b : f32
    %s = arith.addf %c, %m : f32
    linalg.yield %s : f32
  } -> tensor<1x56x56x64xf32>
  %1 = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
      ins(%0 : tensor<1x56x56x64xf32>) outs(%e : tensor<1x56x56x64xf32>) attrs = {lathe.node = 2} {
  ^bb0(%a: f32, %c: f32):
    %m = arith.maximumf %a, %zero : f32
    linalg.yield %m : f32
  } -> tensor<1x56x56x64xf32>
  %ey = tensor.empty() : tensor<1x56x56x16xf32>
  %fy = linalg.fill ins(%zero : f32) outs(%ey : tensor<1x56x56x16xf32>) -> tensor<1x56x56x16xf32>
  %2 = linalg.generic {indexing_maps = [#qx, #qw, #qy], iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction", "reduction", "reduction"]}
      ins(%1, %w : tensor<1x56x56x64xf32>, tensor<1x1x64x16xf32>) outs(%fy : tensor<1x56x56x16xf32>) attrs = {lathe.node = 3} {
  ^bb0(%a: f32, %b: f32, %c: f32):
    %m = arith.mulf %a, %b : f32
    %s = arith.addf %c, %m : f32
    linalg.yield %s : f32
  } -> tensor<1x56x56x16xf32>
  %3 = linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
      ins(%2, %r : tensor<1x56x56x16xf32>, tensor<1x56x56x16xf32>) outs(%ey : tensor<1x56x56x16xf32>) attrs = {lathe.node = 4} {
  ^bb0(%a: f32, %b: f32, %c: f32):
    %s = arith.addf %a, %b : f32
    linalg.yield %s : f32
  } -> tensor<1x56x56x16xf32>
  return %3 : tensor<1x56x56x16xf32>
}

// -----

#px = affine_map<(n, h, w, c, i, j) -> (n, h + i, w + j, c)>
#pk = affine_map<(n, h, w, c, i, j) -> (i, j)>
#py = affine_map<(n, h, w, c, i, j) -> (n, h, w, c)>
#qx = affine_map<(n, h, w, f, c) -> (n, h, w, c)>
#qw = affine_map<(n, h, w, f, c) -> (c, f)>
#qy = affine_map<(n, h, w, f, c) -> (n, h, w, f)>

// Pooling, of a number of images that is not known, each of which is large
// enough.

// CHECK-LABEL: @pooling
// CHECK: linalg.generic {{.*}}{lathe.fused = "depthwise-pointwise", lathe.group = 0
// CHECK: linalg.generic {{.*}}{lathe.group = 0
// APART-LABEL: @pooling
// APART: linalg.generic {{.*}}lathe.group = 1
// APART: linalg.generic {{.*}}lathe.group = 0
func.func @pooling(%x: tensor<?x66x66x64xf32>, %n: index) -> tensor<?x64x64x16xf32> {
  %zero = arith.constant 0.0 : f32
  %low = arith.constant 0xFF800000 : f32
  %w = lathe.weight dense<1.0> : tensor<64x16xf32> : tensor<64x16xf32>
  %k = tensor.empty() : tensor<3x3xf32>
  %e = tensor.empty(%n) : tensor<?x64x64x64xf32>
  %f = linalg.fill ins(%low : f32) outs(%e : tensor<?x64x64x64xf32>) -> tensor<?x64x64x64xf32>
  %0 = linalg.generic {indexing_maps = [#px, #pk, #py], iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction", "reduction"]}
      ins(%x, %k : tensor<?x66x66x64xf32>, tensor<3x3xf32>) outs(%f : tensor<?x64x64x64xf32>) attrs = {lathe.node = 0} {
  ^bb0(%a: f32, %b: f32, %c: f32):
    %m = arith.maximumf %c, %a : f32
    linalg.yield %m : f32
  } -> tensor<?x64x64x64xf32>
  %ey = tensor.empty(%n) : tensor<?x64x64x16xf32>
  %fy = linalg.fill ins(%zero : f32) outs(%ey : tensor<?x64x64x16xf32>) -> tensor<?x64x64x16xf32>
  %1 = linalg.generic {indexing_maps = [#qx, #qw, #qy], iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction"]}
      ins(%0, %w : tensor<?x64x64x64xf32>, tensor<64x16xf32>) outs(%fy : tensor<?x64x64x16xf32>) attrs = {lathe.node = 1} {
  ^bb0(%a: f32, %b: f32, %c: f32):
    %m = arith.mulf %a, %b : f32
    %s = arith.addf %c, %m : f32
    linalg.yield %s : f32
  } -> tensor<?x64x64x16xf32>
  return %1 : tensor<?x64x64x16xf32>
}

// -----

#px = affine_map<(n, h, w, c, i, j) -> (n, h + i, w + j, c)>
#pw = affine_map<(n, h, w, c, i, j) -> (i, j, c)>
#py = affine_map<(n, h, w, c, i, j) -> (n, h, w, c)>
#qx = affine_map<(n, h, w, f, c) -> (n, h, w, c)>
#qw = affine_map<(n, h, w, f, c) -> (c, f)>
#qy = affine_map<(n, h, w, f, c) -> (n, h, w, f)>

// What stays in a cache between two kernels is not gained.
// CHECK-LABEL: @small_image
// CHECK: linalg.generic {{.*}}{lathe.group = 1
// CHECK: linalg.generic {{.*}}{lathe.group = 0
// WHY-LABEL: @small_image
// WHY: lathe.apart = [{{.*}}it stays in a cache on its way to the product
func.func @small_image(%x: tensor<1x30x30x64xf32>, %v: tensor<3x3x64xf32>) -> tensor<1x28x28x16xf32> {
  %zero = arith.constant 0.0 : f32
  %w = lathe.weight dense<1.0> : tensor<64x16xf32> : tensor<64x16xf32>
  %e = tensor.empty() : tensor<1x28x28x64xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<1x28x28x64xf32>) -> tensor<1x28x28x64xf32>
  %0 = linalg.generic {indexing_maps = [#px, #pw, #py], iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction", "reduction"]}
      ins(%x, %v : tensor<1x30x30x64xf32>, tensor<3x3x64xf32>) outs(%f : tensor<1x28x28x64xf32>) attrs = {lathe.node = 0} {
  ^bb0(%a: f32, %b: f32, %c: f32):
    %m = arith.mulf %a, %b : f32
    %s = arith.addf %c, %m : f32
    linalg.yield %s : f32
  } -> tensor<1x28x28x64xf32>
  %ey = tensor.empty() : tensor<1x28x28x16xf32>
  %fy = linalg.fill ins(%zero : f32) outs(%ey : tensor<1x28x28x16xf32>) -> tensor<1x28x28x16xf32>
  %1 = linalg.generic {indexing_maps = [#qx, #qw, #qy], iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction"]}
      ins(%0, %w : tensor<1x28x28x64xf32>, tensor<64x16xf32>) outs(%fy : tensor<1x28x28x16xf32>) attrs = {lathe.node = 1} {
  ^bb0(%a: f32, %b: f32, %c: f32):
    %m = arith.mulf %a, %b : f32
    %s = arith.addf %c, %m : f32
    linalg.yield %s : f32
  } -> tensor<1x28x28x16xf32>
  return %1 : tensor<1x28x28x16xf32>
}

// -----

#px = affine_map<(n, h, w, c, i, j) -> (n, h + i, w + j, c)>
#pw = affine_map<(n, h, w, c, i, j) -> (i, j, c)>
#py = affine_map<(n, h, w, c, i, j) -> (n, h, w, c)>
#qx = affine_map<(n, h, w, f, c) -> (n, h, w, c)>
#qw = affine_map<(n, h, w, f, c) -> (c, f)>
#qy = affine_map<(n, h, w, f, c) -> (n, h, w, f)>

// Tiles would read weights from memory again and again.
// CHECK-LABEL: @wide_product
// CHECK: linalg.generic {{.*}}{lathe.group = 1
// CHECK: linalg.generic {{.*}}{lathe.group = 0
// WHY-LABEL: @wide_product
// WHY: lathe.apart = [{{.*}}the weights of its product do not stay in a cache
func.func @wide_product(%x: tensor<1x66x66x512xf32>, %v: tensor<3x3x512xf32>) -> tensor<1x64x64x512xf32> {
  %zero = arith.constant 0.0 : f32
  %w = lathe.weight dense<1.0> : tensor<512x512xf32> : tensor<512x512xf32>
  %e = tensor.empty() : tensor<1x64x64x512xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<1x64x64x512xf32>) -> tensor<1x64x64x512xf32>
  %0 = linalg.generic {indexing_maps = [#px, #pw, #py], iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction", "reduction"]}
      ins(%x, %v : tensor<1x66x66x512xf32>, tensor<3x3x512xf32>) outs(%f : tensor<1x64x64x512xf32>) attrs = {lathe.node = 0} {
  ^bb0(%a: f32, %b: f32, %c: f32):
    %m = arith.mulf %a, %b : f32
    %s = arith.addf %c, %m : f32
    linalg.yield %s : f32
  } -> tensor<1x64x64x512xf32>
  %ey = tensor.empty() : tensor<1x64x64x512xf32>
  %fy = linalg.fill ins(%zero : f32) outs(%ey : tensor<1x64x64x512xf32>) -> tensor<1x64x64x512xf32>
  %1 = linalg.generic {indexing_maps = [#qx, #qw, #qy], iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction"]}
      ins(%0, %w : tensor<1x64x64x512xf32>, tensor<512x512xf32>) outs(%fy : tensor<1x64x64x512xf32>) attrs = {lathe.node = 1} {
  ^bb0(%a: f32, %b: f32, %c: f32):
    %m = arith.mulf %a, %b : f32
    %s = arith.addf %c, %m : f32
    linalg.yield %s : f32
  } -> tensor<1x64x64x512xf32>
  return %1 : tensor<1x64x64x512xf32>
}

// -----

#px = affine_map<(n, h, w, c, i, j) -> (n, h + i, w + j, c)>
#pw = affine_map<(n, h, w, c, i, j) -> (i, j, c)>
#py = affine_map<(n, h, w, c, i, j) -> (n, h, w, c)>
#qx = affine_map<(n, h, w, f, c) -> (n, h, w, c)>
#qw = affine_map<(n, h, w, f, c) -> (c, f)>
#qy = affine_map<(n, h, w, f, c) -> (n, h, w, f)>

// Most threads would have no tile.
// CHECK-LABEL: @few_pixels
// CHECK: linalg.generic {{.*}}{lathe.group = 1
// CHECK: linalg.generic {{.*}}{lathe.group = 0
// WHY-LABEL: @few_pixels
// WHY: lathe.apart = [{{.*}}there are too few pixels for tiles of them
func.func @few_pixels(%x: tensor<1x16x16x768xf32>, %v: tensor<3x3x768xf32>) -> tensor<1x14x14x64xf32> {
  %zero = arith.constant 0.0 : f32
  %w = lathe.weight dense<1.0> : tensor<768x64xf32> : tensor<768x64xf32>
  %e = tensor.empty() : tensor<1x14x14x768xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<1x14x14x768xf32>) -> tensor<1x14x14x768xf32>
  %0 = linalg.generic {indexing_maps = [#px, #pw, #py], iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction", "reduction"]}
      ins(%x, %v : tensor<1x16x16x768xf32>, tensor<3x3x768xf32>) outs(%f : tensor<1x14x14x768xf32>) attrs = {lathe.node = 0} {
  ^bb0(%a: f32, %b: f32, %c: f32):
    %m = arith.mulf %a, %b : f32
    %s = arith.addf %c, %m : f32
    linalg.yield %s : f32
  } -> tensor<1x14x14x768xf32>
  %ey = tensor.empty() : tensor<1x14x14x64xf32>
  %fy = linalg.fill ins(%zero : f32) outs(%ey : tensor<1x14x14x64xf32>) -> tensor<1x14x14x64xf32>
  %1 = linalg.generic {indexing_maps = [#qx, #qw, #qy], iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction"]}
      ins(%0, %w : tensor<1x14x14x768xf32>, tensor<768x64xf32>) outs(%fy : tensor<1x14x14x64xf32>) attrs = {lathe.node = 1} {
  ^bb0(%a: f32, %b: f32, %c: f32):
    %m = arith.mulf %a, %b : f32
    %s = arith.addf %c, %m : f32
    linalg.yield %s : f32
  } -> tensor<1x14x14x64xf32>
  return %1 : tensor<1x14x14x64xf32>
}

// -----

#px = affine_map<(n, h, w, c, i, j) -> (n, h + i, w + j, c)>
#pw = affine_map<(n, h, w, c, i, j) -> (i, j, c)>
#py = affine_map<(n, h, w, c, i, j) -> (n, h, w, c)>
#qx = affine_map<(n, h, w, f, c) -> (n, h, w, c)>
#qw = affine_map<(n, h, w, f, c) -> (c, f)>
#qy = affine_map<(n, h, w, f, c) -> (n, h, w, f)>

// Images may be small.
// CHECK-LABEL: @unknown_image
// CHECK: linalg.generic {{.*}}{lathe.group = 1
// CHECK: linalg.generic {{.*}}{lathe.group = 0
// WHY-LABEL: @unknown_image
// WHY: lathe.apart = [{{.*}}how many pixels there are is not known
func.func @unknown_image(%x: tensor<1x?x?x64xf32>, %v: tensor<3x3x64xf32>, %side: index) -> tensor<1x?x?x16xf32> {
  %zero = arith.constant 0.0 : f32
  %w = lathe.weight dense<1.0> : tensor<64x16xf32> : tensor<64x16xf32>
  %e = tensor.empty(%side, %side) : tensor<1x?x?x64xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<1x?x?x64xf32>) -> tensor<1x?x?x64xf32>
  %0 = linalg.generic {indexing_maps = [#px, #pw, #py], iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction", "reduction"]}
      ins(%x, %v : tensor<1x?x?x64xf32>, tensor<3x3x64xf32>) outs(%f : tensor<1x?x?x64xf32>) attrs = {lathe.node = 0} {
  ^bb0(%a: f32, %b: f32, %c: f32):
    %m = arith.mulf %a, %b : f32
    %s = arith.addf %c, %m : f32
    linalg.yield %s : f32
  } -> tensor<1x?x?x64xf32>
  %ey = tensor.empty(%side, %side) : tensor<1x?x?x16xf32>
  %fy = linalg.fill ins(%zero : f32) outs(%ey : tensor<1x?x?x16xf32>) -> tensor<1x?x?x16xf32>
  %1 = linalg.generic {indexing_maps = [#qx, #qw, #qy], iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction"]}
      ins(%0, %w : tensor<1x?x?x64xf32>, tensor<64x16xf32>) outs(%fy : tensor<1x?x?x16xf32>) attrs = {lathe.node = 1} {
  ^bb0(%a: f32, %b: f32, %c: f32):
    %m = arith.mulf %a, %b : f32
    %s = arith.addf %c, %m : f32
    linalg.yield %s : f32
  } -> tensor<1x?x?x16xf32>
  return %1 : tensor<1x?x?x16xf32>
}

// -----

#px = affine_map<(n, h, w, c, i, j) -> (n, h + i, w + j, c)>
#pw = affine_map<(n, h, w, c, i, j) -> (i, j, c)>
#py = affine_map<(n, h, w, c, i, j) -> (n, h, w, c)>
#qx = affine_map<(n, h, w, f, c) -> (n, h, w, c)>
#qw = affine_map<(n, h, w, f, c) -> (c, f)>
#qy = affine_map<(n, h, w, f, c) -> (n, h, w, f)>

// The pixels are a result too: they have to be stored.
// CHECK-LABEL: @read_twice
// CHECK: linalg.generic {{.*}}{lathe.group = 1
// CHECK: linalg.generic {{.*}}{lathe.group = 0
// WHY-LABEL: @read_twice
// WHY: lathe.apart = [{{.*}}something else reads the pixels of the product
func.func @read_twice(%x: tensor<1x66x66x64xf32>, %v: tensor<3x3x64xf32>) -> (tensor<1x64x64x16xf32>, tensor<1x64x64x64xf32>) {
  %zero = arith.constant 0.0 : f32
  %w = lathe.weight dense<1.0> : tensor<64x16xf32> : tensor<64x16xf32>
  %e = tensor.empty() : tensor<1x64x64x64xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<1x64x64x64xf32>) -> tensor<1x64x64x64xf32>
  %0 = linalg.generic {indexing_maps = [#px, #pw, #py], iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction", "reduction"]}
      ins(%x, %v : tensor<1x66x66x64xf32>, tensor<3x3x64xf32>) outs(%f : tensor<1x64x64x64xf32>) attrs = {lathe.node = 0} {
  ^bb0(%a: f32, %b: f32, %c: f32):
    %m = arith.mulf %a, %b : f32
    %s = arith.addf %c, %m : f32
    linalg.yield %s : f32
  } -> tensor<1x64x64x64xf32>
  %ey = tensor.empty() : tensor<1x64x64x16xf32>
  %fy = linalg.fill ins(%zero : f32) outs(%ey : tensor<1x64x64x16xf32>) -> tensor<1x64x64x16xf32>
  %1 = linalg.generic {indexing_maps = [#qx, #qw, #qy], iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction"]}
      ins(%0, %w : tensor<1x64x64x64xf32>, tensor<64x16xf32>) outs(%fy : tensor<1x64x64x16xf32>) attrs = {lathe.node = 1} {
  ^bb0(%a: f32, %b: f32, %c: f32):
    %m = arith.mulf %a, %b : f32
    %s = arith.addf %c, %m : f32
    linalg.yield %s : f32
  } -> tensor<1x64x64x16xf32>
  return %1, %0 : tensor<1x64x64x16xf32>, tensor<1x64x64x64xf32>
}

// -----

#px = affine_map<(n, h, w, c, i, j) -> (n, h + i, w + j, c)>
#pw = affine_map<(n, h, w, c, i, j) -> (i, j, c)>
#py = affine_map<(n, h, w, c, i, j) -> (n, h, w, c)>
#id = affine_map<(n, h, w, c) -> (n, h, w, c)>
#qx = affine_map<(n, h, w, f, c) -> (n, h, w, c)>
#qw = affine_map<(n, h, w, f, c) -> (c, f)>
#qy = affine_map<(n, h, w, f, c) -> (n, h, w, f)>

// The sum of two depthwise convolutions ends the kernel of one of them.

// CHECK-LABEL: @two_sums
// CHECK: linalg.generic {{.*}}{lathe.group = 2
// CHECK: linalg.generic {{.*}}lathe.group = 1
// CHECK: linalg.generic {{.*}}{lathe.group = 1
// CHECK: linalg.generic {{.*}}{lathe.group = 0
// WHY-LABEL: @two_sums
// WHY: linalg.generic {{.*}}lathe.apart = [{{.*}}a contraction or a window would compute it many times{{.*}}lathe.group = 1 : i64, lathe.node = 2
func.func @two_sums(%x: tensor<1x66x66x64xf32>, %y: tensor<1x66x66x64xf32>, %v: tensor<3x3x64xf32>) -> tensor<1x64x64x16xf32> {
  %zero = arith.constant 0.0 : f32
  %w = lathe.weight dense<1.0> : tensor<64x16xf32> : tensor<64x16xf32>
  %e = tensor.empty() : tensor<1x64x64x64xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<1x64x64x64xf32>) -> tensor<1x64x64x64xf32>
  %0 = linalg.generic {indexing_maps = [#px, #pw, #py], iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction", "reduction"]}
      ins(%x, %v : tensor<1x66x66x64xf32>, tensor<3x3x64xf32>) outs(%f : tensor<1x64x64x64xf32>) attrs = {lathe.node = 0} {
  ^bb0(%a: f32, %b: f32, %c: f32):
    %m = arith.mulf %a, %b : f32
    %s = arith.addf %c, %m : f32
    linalg.yield %s : f32
  } -> tensor<1x64x64x64xf32>
  %1 = linalg.generic {indexing_maps = [#px, #pw, #py], iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction", "reduction"]}
      ins(%y, %v : tensor<1x66x66x64xf32>, tensor<3x3x64xf32>) outs(%f : tensor<1x64x64x64xf32>) attrs = {lathe.node = 1} {
  ^bb0(%a: f32, %b: f32, %c: f32):
    %m = arith.mulf %a, %b : f32
    %s = arith.addf %c, %m : f32
    linalg.yield %s : f32
  } -> tensor<1x64x64x64xf32>
  %2 = linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
      ins(%0, %1 : tensor<1x64x64x64xf32>, tensor<1x64x64x64xf32>) outs(%e : tensor<1x64x64x64xf32>) attrs = {lathe.node = 2} {
  ^bb0(%a: f32, %b: f32, %c: f32):
    %s = arith.addf %a, %b : f32
    linalg.yield %s : f32
  } -> tensor<1x64x64x64xf32>
  %ey = tensor.empty() : tensor<1x64x64x16xf32>
  %fy = linalg.fill ins(%zero : f32) outs(%ey : tensor<1x64x64x16xf32>) -> tensor<1x64x64x16xf32>
  %3 = linalg.generic {indexing_maps = [#qx, #qw, #qy], iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction"]}
      ins(%2, %w : tensor<1x64x64x64xf32>, tensor<64x16xf32>) outs(%fy : tensor<1x64x64x16xf32>) attrs = {lathe.node = 3} {
  ^bb0(%a: f32, %b: f32, %c: f32):
    %m = arith.mulf %a, %b : f32
    %s = arith.addf %c, %m : f32
    linalg.yield %s : f32
  } -> tensor<1x64x64x16xf32>
  return %3 : tensor<1x64x64x16xf32>
}
