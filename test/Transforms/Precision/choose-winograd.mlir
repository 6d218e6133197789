// RUN: lathe-opt %s -split-input-file -pass-pipeline='builtin.module(func.func(choose-winograd{explain}))' -verify-diagnostics -mlir-print-local-scope | FileCheck %s

#image = affine_map<(n, h, w, k, r, s, c) -> (n, h + r, w + s, c)>
#filter = affine_map<(n, h, w, k, r, s, c) -> (k, c, r, s)>
#result = affine_map<(n, h, w, k, r, s, c) -> (n, h, w, k)>
#all = ["parallel", "parallel", "parallel", "parallel", "reduction", "reduction", "reduction"]

// CHECK-LABEL: @large
// CHECK: lathe.winograd = 4 : i64
func.func @large(%x: tensor<1x56x56x64xf32>) -> tensor<1x56x56x64xf32> {
  %zero = arith.constant 0.0 : f32
  %w = lathe.weight dense<1.0> : tensor<64x64x3x3xf32> : tensor<64x64x3x3xf32>
  %p = tensor.pad %x low[0, 1, 1, 0] high[0, 1, 1, 0] {
  ^bb0(%a: index, %b: index, %c: index, %d: index):
    tensor.yield %zero : f32
  } : tensor<1x56x56x64xf32> to tensor<1x58x58x64xf32>
  %e = tensor.empty() : tensor<1x56x56x64xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<1x56x56x64xf32>) -> tensor<1x56x56x64xf32>
  %0 = linalg.generic {indexing_maps = [#image, #filter, #result], iterator_types = #all}
      ins(%p, %w : tensor<1x58x58x64xf32>, tensor<64x64x3x3xf32>) outs(%f : tensor<1x56x56x64xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %m = arith.mulf %a, %b : f32
    %s = arith.addf %o, %m : f32
    linalg.yield %s : f32
  } -> tensor<1x56x56x64xf32>
  return %0 : tensor<1x56x56x64xf32>
}

// -----

#image = affine_map<(n, h, w, k, r, s, c) -> (n, h + r, w + s, c)>
#filter = affine_map<(n, h, w, k, r, s, c) -> (k, c, r, s)>
#result = affine_map<(n, h, w, k, r, s, c) -> (n, h, w, k)>
#all = ["parallel", "parallel", "parallel", "parallel", "reduction", "reduction", "reduction"]

func.func @few_channels(%x: tensor<1x58x58x4xf32>) -> tensor<1x56x56x8xf32> {
  %zero = arith.constant 0.0 : f32
  %w = lathe.weight dense<1.0> : tensor<8x4x3x3xf32> : tensor<8x4x3x3xf32>
  %e = tensor.empty() : tensor<1x56x56x8xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<1x56x56x8xf32>) -> tensor<1x56x56x8xf32>
  // expected-remark @below {{stays a direct convolution: channels fill too little of a vector}}
  %0 = linalg.generic {indexing_maps = [#image, #filter, #result], iterator_types = #all}
      ins(%x, %w : tensor<1x58x58x4xf32>, tensor<8x4x3x3xf32>) outs(%f : tensor<1x56x56x8xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %m = arith.mulf %a, %b : f32
    %s = arith.addf %o, %m : f32
    linalg.yield %s : f32
  } -> tensor<1x56x56x8xf32>
  return %0 : tensor<1x56x56x8xf32>
}

// -----

#image = affine_map<(n, h, w, k, r, s, c) -> (n, h * 2 + r, w * 2 + s, c)>
#filter = affine_map<(n, h, w, k, r, s, c) -> (k, c, r, s)>
#result = affine_map<(n, h, w, k, r, s, c) -> (n, h, w, k)>
#all = ["parallel", "parallel", "parallel", "parallel", "reduction", "reduction", "reduction"]

func.func @strides(%x: tensor<1x57x57x64xf32>) -> tensor<1x28x28x64xf32> {
  %zero = arith.constant 0.0 : f32
  %w = lathe.weight dense<1.0> : tensor<64x64x3x3xf32> : tensor<64x64x3x3xf32>
  %e = tensor.empty() : tensor<1x28x28x64xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<1x28x28x64xf32>) -> tensor<1x28x28x64xf32>
  // expected-remark @below {{expects strides and dilations of one}}
  %0 = linalg.generic {indexing_maps = [#image, #filter, #result], iterator_types = #all}
      ins(%x, %w : tensor<1x57x57x64xf32>, tensor<64x64x3x3xf32>) outs(%f : tensor<1x28x28x64xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %m = arith.mulf %a, %b : f32
    %s = arith.addf %o, %m : f32
    linalg.yield %s : f32
  } -> tensor<1x28x28x64xf32>
  return %0 : tensor<1x28x28x64xf32>
}

// -----

#image = affine_map<(n, h, w, k, r, s, c) -> (n, h + r, w + s, c)>
#filter = affine_map<(n, h, w, k, r, s, c) -> (k, c, r, s)>
#result = affine_map<(n, h, w, k, r, s, c) -> (n, h, w, k)>
#all = ["parallel", "parallel", "parallel", "parallel", "reduction", "reduction", "reduction"]

func.func @computed_filter(%x: tensor<1x58x58x64xf32>, %w: tensor<64x64x3x3xf32>) -> tensor<1x56x56x64xf32> {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<1x56x56x64xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<1x56x56x64xf32>) -> tensor<1x56x56x64xf32>
  // expected-remark @below {{expects a constant filter}}
  %0 = linalg.generic {indexing_maps = [#image, #filter, #result], iterator_types = #all}
      ins(%x, %w : tensor<1x58x58x64xf32>, tensor<64x64x3x3xf32>) outs(%f : tensor<1x56x56x64xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %m = arith.mulf %a, %b : f32
    %s = arith.addf %o, %m : f32
    linalg.yield %s : f32
  } -> tensor<1x56x56x64xf32>
  return %0 : tensor<1x56x56x64xf32>
}

// -----

#image = affine_map<(n, h, w, k, r, s, c) -> (n, h + r, w + s, c)>
#filter = affine_map<(n, h, w, k, r, s, c) -> (k, c, r, s)>
#result = affine_map<(n, h, w, k, r, s, c) -> (n, h, w, k)>
#all = ["parallel", "parallel", "parallel", "parallel", "reduction", "reduction", "reduction"]

func.func @unknown_image(%x: tensor<1x?x58x64xf32>, %h: index) -> tensor<1x?x56x64xf32> {
  %zero = arith.constant 0.0 : f32
  %w = lathe.weight dense<1.0> : tensor<64x64x3x3xf32> : tensor<64x64x3x3xf32>
  %e = tensor.empty(%h) : tensor<1x?x56x64xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<1x?x56x64xf32>) -> tensor<1x?x56x64xf32>
  // expected-remark @below {{expects an image whose size is known}}
  %0 = linalg.generic {indexing_maps = [#image, #filter, #result], iterator_types = #all}
      ins(%x, %w : tensor<1x?x58x64xf32>, tensor<64x64x3x3xf32>) outs(%f : tensor<1x?x56x64xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %m = arith.mulf %a, %b : f32
    %s = arith.addf %o, %m : f32
    linalg.yield %s : f32
  } -> tensor<1x?x56x64xf32>
  return %0 : tensor<1x?x56x64xf32>
}

// -----

#image = affine_map<(n, h, w, k, r, s, c) -> (n, h + r, w + s, c)>
#filter = affine_map<(n, h, w, k, r, s, c) -> (k, c, r, s)>
#result = affine_map<(n, h, w, k, r, s, c) -> (n, h, w, k)>
#all = ["parallel", "parallel", "parallel", "parallel", "reduction", "reduction", "reduction"]

// Filters of sixteen points weigh more than what is computed with them.
func.func @deep(%x: tensor<1x4x4x1024xf32>) -> tensor<1x2x2x1024xf32> {
  %zero = arith.constant 0.0 : f32
  %w = lathe.weight dense<1.0> : tensor<1024x1024x3x3xf32> : tensor<1024x1024x3x3xf32>
  %e = tensor.empty() : tensor<1x2x2x1024xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<1x2x2x1024xf32>) -> tensor<1x2x2x1024xf32>
  // expected-remark @below {{stays a direct convolution: transforms and memory cost more than they save}}
  %0 = linalg.generic {indexing_maps = [#image, #filter, #result], iterator_types = #all}
      ins(%x, %w : tensor<1x4x4x1024xf32>, tensor<1024x1024x3x3xf32>) outs(%f : tensor<1x2x2x1024xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %m = arith.mulf %a, %b : f32
    %s = arith.addf %o, %m : f32
    linalg.yield %s : f32
  } -> tensor<1x2x2x1024xf32>
  return %0 : tensor<1x2x2x1024xf32>
}
