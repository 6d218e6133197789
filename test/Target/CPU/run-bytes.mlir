// RUN: %bin/lathe-kernel-bench %s --seconds 0 --cpu native --sizes 37
// RUN: %bin/lathe-kernel-bench %s --seconds 0 --cpu native --sizes 1
// RUN: %bin/lathe-kernel-bench %s --seconds 0 --cpu x86-64-v3 --sizes 37
//
// Sums of products of bytes against scalar loops.

#a = affine_map<(m, n, k) -> (m, k)>
#b = affine_map<(m, n, k) -> (n floordiv 32, k floordiv 4, n mod 32, k mod 4)>
#t = affine_map<(m, n, k) -> (k floordiv 4, n, k mod 4)>
#c = affine_map<(m, n, k) -> (m, n)>
lathe.kernel @panels(%a: tensor<?x44xi8>, %b: tensor<3x11x32x4xi8>, %s: index)
    -> (tensor<?x75xi32>) input_dims [[0], []] result_dims [[0]] {
  %zero = arith.constant 0 : i32
  %e = tensor.empty(%s) : tensor<?x75xi32>
  %f = linalg.fill ins(%zero : i32) outs(%e : tensor<?x75xi32>) -> tensor<?x75xi32>
  %0 = linalg.generic {indexing_maps = [#a, #b, #c],
      iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%a, %b : tensor<?x44xi8>, tensor<3x11x32x4xi8>)
      outs(%f : tensor<?x75xi32>) {
  ^bb0(%x: i8, %y: i8, %o: i32):
    %u = arith.extui %x : i8 to i32
    %v = arith.extsi %y : i8 to i32
    %p = arith.muli %u, %v : i32
    %r = arith.addi %o, %p : i32
    linalg.yield %r : i32
  } -> tensor<?x75xi32>
  lathe.yield %0 : tensor<?x75xi32>
}

lathe.kernel @few_columns(%a: tensor<?x44xi8>, %b: tensor<11x21x4xi8>, %s: index)
    -> (tensor<?x21xi32>) input_dims [[0], []] result_dims [[0]] {
  %zero = arith.constant 0 : i32
  %high = arith.constant -128 : i8
  %e = tensor.empty(%s) : tensor<?x21xi32>
  %f = linalg.fill ins(%zero : i32) outs(%e : tensor<?x21xi32>) -> tensor<?x21xi32>
  %0 = linalg.generic {indexing_maps = [#a, #t, #c],
      iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%a, %b : tensor<?x44xi8>, tensor<11x21x4xi8>)
      outs(%f : tensor<?x21xi32>) {
  ^bb0(%x: i8, %y: i8, %o: i32):
    %w = arith.xori %x, %high : i8
    %u = arith.extui %w : i8 to i32
    %v = arith.extsi %y : i8 to i32
    %p = arith.muli %u, %v : i32
    %r = arith.addi %o, %p : i32
    linalg.yield %r : i32
  } -> tensor<?x21xi32>
  lathe.yield %0 : tensor<?x21xi32>
}

#in = affine_map<(n, h, w, f, c, kh, kw) -> (n, h + kh, w + kw, c)>
#weight = affine_map<(n, h, w, f, c, kh, kw) -> (f floordiv 32, c floordiv 4, kh, kw, f mod 32, c mod 4)>
#out = affine_map<(n, h, w, f, c, kh, kw) -> (n, h, w, f)>
lathe.kernel @convolution(%x: tensor<1x9x9x8xi8>, %w: tensor<2x2x3x3x32x4xi8>)
    -> (tensor<1x9x9x40xi32>) input_dims [[], []] result_dims [[]] {
  %zero = arith.constant 0 : i32
  %point = arith.constant 5 : i8
  %pad = tensor.pad %x low[0, 1, 1, 0] high[0, 1, 1, 0] {
  ^bb0(%i: index, %j: index, %k: index, %l: index):
    tensor.yield %point : i8
  } : tensor<1x9x9x8xi8> to tensor<1x11x11x8xi8>
  %e = tensor.empty() : tensor<1x9x9x40xi32>
  %f = linalg.fill ins(%zero : i32) outs(%e : tensor<1x9x9x40xi32>) -> tensor<1x9x9x40xi32>
  %0 = linalg.generic {indexing_maps = [#in, #weight, #out],
      iterator_types = ["parallel", "parallel", "parallel", "parallel",
                        "reduction", "reduction", "reduction"]}
      ins(%pad, %w : tensor<1x11x11x8xi8>, tensor<2x2x3x3x32x4xi8>)
      outs(%f : tensor<1x9x9x40xi32>) {
  ^bb0(%p: i8, %q: i8, %a: i32):
    %u = arith.extui %p : i8 to i32
    %v = arith.extsi %q : i8 to i32
    %m = arith.muli %u, %v : i32
    %s = arith.addi %a, %m : i32
    linalg.yield %s : i32
  } -> tensor<1x9x9x40xi32>
  lathe.yield %0 : tensor<1x9x9x40xi32>
}
