// RUN: %bin/lathe-kernel-bench %s --seconds 0 --cpu native --sizes 37,5
// RUN: %bin/lathe-kernel-bench %s --seconds 0 --cpu native --sizes 1,30
// RUN: %bin/lathe-kernel-bench %s --seconds 0 --cpu native --sizes 8,1
// RUN: %bin/lathe-kernel-bench %s --seconds 0 --cpu native --sizes 13,9
// RUN: %bin/lathe-kernel-bench %s --seconds 0 --cpu native --sizes 15,15
//
// The results of generated kernels against those of scalar loops over the same
// bodies. Sums are in another order, so 1e-4 of the largest value is allowed.

#a = affine_map<(m, n, k) -> (m, k)>
#b = affine_map<(m, n, k) -> (n floordiv 32, k, n mod 32)>
#c = affine_map<(m, n, k) -> (m, n)>
lathe.kernel @matmul_symbolic(%a: tensor<?x45xf32>, %b: tensor<3x45x32xf32>, %s: index)
    -> (tensor<?x75xf32>) input_dims [[0], []] result_dims [[0]] {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty(%s) : tensor<?x75xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<?x75xf32>) -> tensor<?x75xf32>
  %0 = linalg.generic {indexing_maps = [#a, #b, #c],
      iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%a, %b : tensor<?x45xf32>, tensor<3x45x32xf32>)
      outs(%f : tensor<?x75xf32>) {
  ^bb0(%x: f32, %y: f32, %o: f32):
    %p = arith.mulf %x, %y : f32
    %r = arith.addf %o, %p : f32
    linalg.yield %r : f32
  } -> tensor<?x75xf32>
  lathe.yield %0 : tensor<?x75xf32>
}

#in = affine_map<(n, h, w, f, kh, kw, c) -> (n, h * 2 + kh, w * 2 + kw, c)>
#weight = affine_map<(n, h, w, f, kh, kw, c) -> (f floordiv 32, kh, kw, c, f mod 32)>
#out = affine_map<(n, h, w, f, kh, kw, c) -> (n, h, w, f)>
lathe.kernel @padded_convolution(%x: tensor<1x15x15x5xf32>, %w: tensor<2x3x3x5x32xf32>)
    -> (tensor<1x8x8x40xf32>) input_dims [[], []] result_dims [[]] {
  %zero = arith.constant 0.0 : f32
  %pad = tensor.pad %x low[0, 1, 1, 0] high[0, 1, 1, 0] {
  ^bb0(%i: index, %j: index, %k: index, %l: index):
    tensor.yield %zero : f32
  } : tensor<1x15x15x5xf32> to tensor<1x17x17x5xf32>
  %e = tensor.empty() : tensor<1x8x8x40xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<1x8x8x40xf32>) -> tensor<1x8x8x40xf32>
  %0 = linalg.generic {indexing_maps = [#in, #weight, #out],
      iterator_types = ["parallel", "parallel", "parallel", "parallel",
                        "reduction", "reduction", "reduction"]}
      ins(%pad, %w : tensor<1x17x17x5xf32>, tensor<2x3x3x5x32xf32>)
      outs(%f : tensor<1x8x8x40xf32>) {
  ^bb0(%p: f32, %q: f32, %a: f32):
    %m = arith.mulf %p, %q : f32
    %s = arith.addf %a, %m : f32
    linalg.yield %s : f32
  } -> tensor<1x8x8x40xf32>
  lathe.yield %0 : tensor<1x8x8x40xf32>
}

#id = affine_map<(m, n) -> (m, n)>
#row = affine_map<(m, n) -> (m)>
lathe.kernel @softmax(%x: tensor<?x53xf32>, %s: index) -> (tensor<?x53xf32>)
    input_dims [[0]] result_dims [[0]] {
  %ninf = arith.constant 0xFF800000 : f32
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty(%s) : tensor<?x53xf32>
  %er = tensor.empty(%s) : tensor<?xf32>
  %f0 = linalg.fill ins(%ninf : f32) outs(%er : tensor<?xf32>) -> tensor<?xf32>
  %max = linalg.generic {indexing_maps = [#id, #row], iterator_types = ["parallel", "reduction"]}
      ins(%x : tensor<?x53xf32>) outs(%f0 : tensor<?xf32>) {
  ^bb0(%a: f32, %o: f32):
    %r = arith.maximumf %a, %o : f32
    linalg.yield %r : f32
  } -> tensor<?xf32>
  %exp = linalg.generic {indexing_maps = [#id, #row, #id], iterator_types = ["parallel", "parallel"]}
      ins(%x, %max : tensor<?x53xf32>, tensor<?xf32>) outs(%e : tensor<?x53xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %r = arith.subf %a, %b : f32
    %r2 = math.exp %r : f32
    linalg.yield %r2 : f32
  } -> tensor<?x53xf32>
  %f1 = linalg.fill ins(%zero : f32) outs(%er : tensor<?xf32>) -> tensor<?xf32>
  %sum = linalg.generic {indexing_maps = [#id, #row], iterator_types = ["parallel", "reduction"]}
      ins(%exp : tensor<?x53xf32>) outs(%f1 : tensor<?xf32>) {
  ^bb0(%a: f32, %o: f32):
    %r = arith.addf %a, %o : f32
    linalg.yield %r : f32
  } -> tensor<?xf32>
  %0 = linalg.generic {indexing_maps = [#id, #row, #id], iterator_types = ["parallel", "parallel"]}
      ins(%exp, %sum : tensor<?x53xf32>, tensor<?xf32>) outs(%e : tensor<?x53xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %r = arith.divf %a, %b : f32
    linalg.yield %r : f32
  } -> tensor<?x53xf32>
  lathe.yield %0 : tensor<?x53xf32>
}

#id1 = affine_map<(d) -> (d)>
lathe.kernel @compare(%x: tensor<?xf32>, %y: tensor<?xf32>, %s: index) -> (tensor<?xi1>)
    input_dims [[0], [0]] result_dims [[0]] {
  %e = tensor.empty(%s) : tensor<?xi1>
  %0 = linalg.generic {indexing_maps = [#id1, #id1, #id1], iterator_types = ["parallel"]}
      ins(%x, %y : tensor<?xf32>, tensor<?xf32>) outs(%e : tensor<?xi1>) {
  ^bb0(%a: f32, %b: f32, %o: i1):
    %r = arith.cmpf olt, %a, %b : f32
    linalg.yield %r : i1
  } -> tensor<?xi1>
  lathe.yield %0 : tensor<?xi1>
}

#t = affine_map<(m, n) -> (n, m)>
lathe.kernel @transpose(%x: tensor<37x50xf32>) -> (tensor<50x37xf32>)
    input_dims [[]] result_dims [[]] {
  %e = tensor.empty() : tensor<50x37xf32>
  %0 = linalg.generic {indexing_maps = [#t, #id], iterator_types = ["parallel", "parallel"]}
      ins(%x : tensor<37x50xf32>) outs(%e : tensor<50x37xf32>) {
  ^bb0(%a: f32, %o: f32):
    linalg.yield %a : f32
  } -> tensor<50x37xf32>
  lathe.yield %0 : tensor<50x37xf32>
}

lathe.kernel @gather(%table: tensor<9x40xf32>, %i: tensor<?xi64>, %s: index) -> (tensor<?x40xf32>)
    input_dims [[], [0]] result_dims [[0]] {
  %e = tensor.empty(%s) : tensor<?x40xf32>
  %0 = linalg.generic {indexing_maps = [#row, #id], iterator_types = ["parallel", "parallel"]}
      ins(%i : tensor<?xi64>) outs(%e : tensor<?x40xf32>) {
  ^bb0(%a: i64, %o: f32):
    %r = arith.index_cast %a : i64 to index
    %n = linalg.index 1 : index
    %v = tensor.extract %table[%r, %n] : tensor<9x40xf32>
    linalg.yield %v : f32
  } -> tensor<?x40xf32>
  lathe.yield %0 : tensor<?x40xf32>
}

#rows = affine_map<(l, m, n, k) -> (l, m, k)>
#turned = affine_map<(l, m, n, k) -> (m, l, k)>
#panels = affine_map<(l, m, n, k) -> (n floordiv 32, k, n mod 32)>
#result = affine_map<(l, m, n, k) -> (l, m, n)>
lathe.kernel @turned_rows(%a: tensor<?x?x45xf32>, %b: tensor<3x45x32xf32>, %s: index, %t: index)
    -> (tensor<?x?x75xf32>) input_dims [[1, 0], []] result_dims [[0, 1]] {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty(%s, %t) : tensor<?x?x75xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<?x?x75xf32>) -> tensor<?x?x75xf32>
  %0 = linalg.generic {indexing_maps = [#turned, #panels, #result],
      iterator_types = ["parallel", "parallel", "parallel", "reduction"]}
      ins(%a, %b : tensor<?x?x45xf32>, tensor<3x45x32xf32>) outs(%f : tensor<?x?x75xf32>) {
  ^bb0(%x: f32, %y: f32, %o: f32):
    %p = arith.mulf %x, %y : f32
    %r = arith.addf %o, %p : f32
    linalg.yield %r : f32
  } -> tensor<?x?x75xf32>
  lathe.yield %0 : tensor<?x?x75xf32>
}

lathe.kernel @known_rows(%a: tensor<20x?x45xf32>, %b: tensor<3x45x32xf32>, %s: index)
    -> (tensor<20x?x75xf32>) input_dims [[0], []] result_dims [[0]] {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty(%s) : tensor<20x?x75xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<20x?x75xf32>) -> tensor<20x?x75xf32>
  %0 = linalg.generic {indexing_maps = [#rows, #panels, #result],
      iterator_types = ["parallel", "parallel", "parallel", "reduction"]}
      ins(%a, %b : tensor<20x?x45xf32>, tensor<3x45x32xf32>) outs(%f : tensor<20x?x75xf32>) {
  ^bb0(%x: f32, %y: f32, %o: f32):
    %p = arith.mulf %x, %y : f32
    %r = arith.addf %o, %p : f32
    linalg.yield %r : f32
  } -> tensor<20x?x75xf32>
  lathe.yield %0 : tensor<20x?x75xf32>
}
