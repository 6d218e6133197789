// RUN: %bin/lathe-kernel-bench %s --seconds 0 --cpu native --sizes 37
// RUN: %bin/lathe-kernel-bench %s --seconds 0 --cpu native --sizes 1
// RUN: %bin/lathe-kernel-bench %s --seconds 0 --cpu x86-64-v3 --sizes 37
//
// Sums of products of bf16, in pairs where the processor adds them so, against
// scalar loops.

#a = affine_map<(m, n, k) -> (m, k)>
#b = affine_map<(m, n, k) -> (n floordiv 32, k floordiv 2, n mod 32, k mod 2)>
#t = affine_map<(m, n, k) -> (k floordiv 2, n, k mod 2)>
#c = affine_map<(m, n, k) -> (m, n)>
lathe.kernel @panels(%a: tensor<?x46xbf16>, %b: tensor<3x23x32x2xbf16>, %s: index)
    -> (tensor<?x75xf32>) input_dims [[0], []] result_dims [[0]] {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty(%s) : tensor<?x75xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<?x75xf32>) -> tensor<?x75xf32>
  %0 = linalg.generic {indexing_maps = [#a, #b, #c],
      iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%a, %b : tensor<?x46xbf16>, tensor<3x23x32x2xbf16>)
      outs(%f : tensor<?x75xf32>) {
  ^bb0(%x: bf16, %y: bf16, %o: f32):
    %u = arith.extf %x : bf16 to f32
    %v = arith.extf %y : bf16 to f32
    %p = arith.mulf %u, %v : f32
    %r = arith.addf %o, %p : f32
    linalg.yield %r : f32
  } -> tensor<?x75xf32>
  lathe.yield %0 : tensor<?x75xf32>
}

lathe.kernel @few_columns(%a: tensor<?x44xbf16>, %b: tensor<22x21x2xbf16>, %s: index)
    -> (tensor<?x21xf32>) input_dims [[0], []] result_dims [[0]] {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty(%s) : tensor<?x21xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<?x21xf32>) -> tensor<?x21xf32>
  %0 = linalg.generic {indexing_maps = [#a, #t, #c],
      iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%a, %b : tensor<?x44xbf16>, tensor<22x21x2xbf16>)
      outs(%f : tensor<?x21xf32>) {
  ^bb0(%x: bf16, %y: bf16, %o: f32):
    %u = arith.extf %x : bf16 to f32
    %v = arith.extf %y : bf16 to f32
    %p = arith.mulf %v, %u : f32
    %r = arith.addf %p, %o : f32
    linalg.yield %r : f32
  } -> tensor<?x21xf32>
  lathe.yield %0 : tensor<?x21xf32>
}

#in = affine_map<(n, h, w, f, c, kh, kw) -> (n, h + kh, w + kw, c)>
#weight = affine_map<(n, h, w, f, c, kh, kw) -> (f floordiv 32, c floordiv 2, kh, kw, f mod 32, c mod 2)>
#out = affine_map<(n, h, w, f, c, kh, kw) -> (n, h, w, f)>
lathe.kernel @convolution(%x: tensor<1x9x9x8xbf16>, %w: tensor<2x4x3x3x32x2xbf16>)
    -> (tensor<1x9x9x40xf32>) input_dims [[], []] result_dims [[]] {
  %zero = arith.constant 0.0 : f32
  %none = arith.constant 0.0 : bf16
  %pad = tensor.pad %x low[0, 1, 1, 0] high[0, 1, 1, 0] {
  ^bb0(%i: index, %j: index, %k: index, %l: index):
    tensor.yield %none : bf16
  } : tensor<1x9x9x8xbf16> to tensor<1x11x11x8xbf16>
  %e = tensor.empty() : tensor<1x9x9x40xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<1x9x9x40xf32>) -> tensor<1x9x9x40xf32>
  %0 = linalg.generic {indexing_maps = [#in, #weight, #out],
      iterator_types = ["parallel", "parallel", "parallel", "parallel",
                        "reduction", "reduction", "reduction"]}
      ins(%pad, %w : tensor<1x11x11x8xbf16>, tensor<2x4x3x3x32x2xbf16>)
      outs(%f : tensor<1x9x9x40xf32>) {
  ^bb0(%p: bf16, %q: bf16, %a: f32):
    %u = arith.extf %p : bf16 to f32
    %v = arith.extf %q : bf16 to f32
    %m = arith.mulf %u, %v : f32
    %s = arith.addf %a, %m : f32
    linalg.yield %s : f32
  } -> tensor<1x9x9x40xf32>
  lathe.yield %0 : tensor<1x9x9x40xf32>
}
