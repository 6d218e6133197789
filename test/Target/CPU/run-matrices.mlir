// RUN: env LD_PRELOAD=%unit/lathe-amx.so %bin/lathe-kernel-bench %s --seconds 0 --cpu native+amx-int8+amx-bf16 --sizes 100
// RUN: env LD_PRELOAD=%unit/lathe-amx.so %bin/lathe-kernel-bench %s --seconds 0 --cpu native+amx-int8+amx-bf16 --sizes 47
// RUN: env LD_PRELOAD=%unit/lathe-amx.so %bin/lathe-kernel-bench %s --seconds 0 --cpu native+amx-int8+amx-bf16 --sizes 5
// RUN: env LD_PRELOAD=%unit/lathe-amx.so %bin/lathe-kernel-bench %s --seconds 0 --cpu native+amx-int8+amx-bf16 --sizes 1
// REQUIRES: avx512-vnni, avx512-bf16
// UNSUPPORTED: sanitize
//
// Products of matrices in registers for them, against scalar loops; emulated
// where the processor has none. The reduction is shorter than a step of 64
// bytes, ends with one, or with a part of one; rows and columns fill matrices,
// or do not.

#a = affine_map<(m, n, k) -> (m, k)>
#bytes = affine_map<(m, n, k) -> (n floordiv 32, k floordiv 4, n mod 32, k mod 4)>
#few = affine_map<(m, n, k) -> (k floordiv 4, n, k mod 4)>
#pairs = affine_map<(m, n, k) -> (n floordiv 32, k floordiv 2, n mod 32, k mod 2)>
#fewpairs = affine_map<(m, n, k) -> (k floordiv 2, n, k mod 2)>
#c = affine_map<(m, n, k) -> (m, n)>
#col = affine_map<(m, n) -> (n)>
#point = affine_map<(m, n) -> (m, n)>

lathe.kernel @bytes(%a: tensor<64x256xi8>, %b: tensor<3x64x32x4xi8>)
    -> (tensor<64x96xi32>) input_dims [[], []] result_dims [[]] {
  %zero = arith.constant 0 : i32
  %e = tensor.empty() : tensor<64x96xi32>
  %f = linalg.fill ins(%zero : i32) outs(%e : tensor<64x96xi32>) -> tensor<64x96xi32>
  %0 = linalg.generic {indexing_maps = [#a, #bytes, #c],
      iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%a, %b : tensor<64x256xi8>, tensor<3x64x32x4xi8>) outs(%f : tensor<64x96xi32>) {
  ^bb0(%x: i8, %y: i8, %o: i32):
    %u = arith.extui %x : i8 to i32
    %v = arith.extsi %y : i8 to i32
    %p = arith.muli %u, %v : i32
    %q = arith.addi %o, %p : i32
    linalg.yield %q : i32
  } -> tensor<64x96xi32>
  lathe.yield %0 : tensor<64x96xi32>
}

lathe.kernel @bytes_ragged(%a: tensor<49x148xi8>, %b: tensor<3x37x32x4xi8>)
    -> (tensor<49x75xi32>) input_dims [[], []] result_dims [[]] {
  %zero = arith.constant 0 : i32
  %e = tensor.empty() : tensor<49x75xi32>
  %f = linalg.fill ins(%zero : i32) outs(%e : tensor<49x75xi32>) -> tensor<49x75xi32>
  %0 = linalg.generic {indexing_maps = [#a, #bytes, #c],
      iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%a, %b : tensor<49x148xi8>, tensor<3x37x32x4xi8>) outs(%f : tensor<49x75xi32>) {
  ^bb0(%x: i8, %y: i8, %o: i32):
    %u = arith.extui %x : i8 to i32
    %v = arith.extsi %y : i8 to i32
    %p = arith.muli %u, %v : i32
    %q = arith.addi %o, %p : i32
    linalg.yield %q : i32
  } -> tensor<49x75xi32>
  lathe.yield %0 : tensor<49x75xi32>
}

lathe.kernel @bytes_short(%a: tensor<33x44xi8>, %b: tensor<2x11x32x4xi8>)
    -> (tensor<33x64xi32>) input_dims [[], []] result_dims [[]] {
  %zero = arith.constant 0 : i32
  %e = tensor.empty() : tensor<33x64xi32>
  %f = linalg.fill ins(%zero : i32) outs(%e : tensor<33x64xi32>) -> tensor<33x64xi32>
  %0 = linalg.generic {indexing_maps = [#a, #bytes, #c],
      iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%a, %b : tensor<33x44xi8>, tensor<2x11x32x4xi8>) outs(%f : tensor<33x64xi32>) {
  ^bb0(%x: i8, %y: i8, %o: i32):
    %u = arith.extui %x : i8 to i32
    %v = arith.extsi %y : i8 to i32
    %p = arith.muli %u, %v : i32
    %q = arith.addi %o, %p : i32
    linalg.yield %q : i32
  } -> tensor<33x64xi32>
  lathe.yield %0 : tensor<33x64xi32>
}

lathe.kernel @bytes_few_rows(%a: tensor<7x260xi8>, %b: tensor<2x65x32x4xi8>)
    -> (tensor<7x40xi32>) input_dims [[], []] result_dims [[]] {
  %zero = arith.constant 0 : i32
  %e = tensor.empty() : tensor<7x40xi32>
  %f = linalg.fill ins(%zero : i32) outs(%e : tensor<7x40xi32>) -> tensor<7x40xi32>
  %0 = linalg.generic {indexing_maps = [#a, #bytes, #c],
      iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%a, %b : tensor<7x260xi8>, tensor<2x65x32x4xi8>) outs(%f : tensor<7x40xi32>) {
  ^bb0(%x: i8, %y: i8, %o: i32):
    %u = arith.extui %x : i8 to i32
    %v = arith.extsi %y : i8 to i32
    %p = arith.muli %u, %v : i32
    %q = arith.addi %o, %p : i32
    linalg.yield %q : i32
  } -> tensor<7x40xi32>
  lathe.yield %0 : tensor<7x40xi32>
}

lathe.kernel @bytes_one_matrix(%a: tensor<16x128xi8>, %b: tensor<32x16x4xi8>)
    -> (tensor<16x16xi32>) input_dims [[], []] result_dims [[]] {
  %zero = arith.constant 0 : i32
  %e = tensor.empty() : tensor<16x16xi32>
  %f = linalg.fill ins(%zero : i32) outs(%e : tensor<16x16xi32>) -> tensor<16x16xi32>
  %0 = linalg.generic {indexing_maps = [#a, #few, #c],
      iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%a, %b : tensor<16x128xi8>, tensor<32x16x4xi8>) outs(%f : tensor<16x16xi32>) {
  ^bb0(%x: i8, %y: i8, %o: i32):
    %u = arith.extui %x : i8 to i32
    %v = arith.extsi %y : i8 to i32
    %p = arith.muli %u, %v : i32
    %q = arith.addi %o, %p : i32
    linalg.yield %q : i32
  } -> tensor<16x16xi32>
  lathe.yield %0 : tensor<16x16xi32>
}

lathe.kernel @bytes_overlap(%a: tensor<19x140xi8>, %b: tensor<35x21x4xi8>)
    -> (tensor<19x21xi32>) input_dims [[], []] result_dims [[]] {
  %zero = arith.constant 0 : i32
  %e = tensor.empty() : tensor<19x21xi32>
  %f = linalg.fill ins(%zero : i32) outs(%e : tensor<19x21xi32>) -> tensor<19x21xi32>
  %0 = linalg.generic {indexing_maps = [#a, #few, #c],
      iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%a, %b : tensor<19x140xi8>, tensor<35x21x4xi8>) outs(%f : tensor<19x21xi32>) {
  ^bb0(%x: i8, %y: i8, %o: i32):
    %u = arith.extui %x : i8 to i32
    %v = arith.extsi %y : i8 to i32
    %p = arith.muli %u, %v : i32
    %q = arith.addi %o, %p : i32
    linalg.yield %q : i32
  } -> tensor<19x21xi32>
  lathe.yield %0 : tensor<19x21xi32>
}

lathe.kernel @bytes_any(%a: tensor<?x196xi8>, %b: tensor<3x49x32x4xi8>, %size: index)
    -> (tensor<?x75xi32>) input_dims [[0], []] result_dims [[0]] {
  %zero = arith.constant 0 : i32
  %e = tensor.empty(%size) : tensor<?x75xi32>
  %f = linalg.fill ins(%zero : i32) outs(%e : tensor<?x75xi32>) -> tensor<?x75xi32>
  %0 = linalg.generic {indexing_maps = [#a, #bytes, #c],
      iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%a, %b : tensor<?x196xi8>, tensor<3x49x32x4xi8>) outs(%f : tensor<?x75xi32>) {
  ^bb0(%x: i8, %y: i8, %o: i32):
    %u = arith.extui %x : i8 to i32
    %v = arith.extsi %y : i8 to i32
    %p = arith.muli %u, %v : i32
    %q = arith.addi %o, %p : i32
    linalg.yield %q : i32
  } -> tensor<?x75xi32>
  lathe.yield %0 : tensor<?x75xi32>
}

lathe.kernel @bytes_signed(%a: tensor<?x332xi8>, %b: tensor<3x83x32x4xi8>, %size: index)
    -> (tensor<?x70xi32>) input_dims [[0], []] result_dims [[0]] {
  %zero = arith.constant 0 : i32
  %high = arith.constant -128 : i8
  %e = tensor.empty(%size) : tensor<?x70xi32>
  %f = linalg.fill ins(%zero : i32) outs(%e : tensor<?x70xi32>) -> tensor<?x70xi32>
  %0 = linalg.generic {indexing_maps = [#a, #bytes, #c],
      iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%a, %b : tensor<?x332xi8>, tensor<3x83x32x4xi8>) outs(%f : tensor<?x70xi32>) {
  ^bb0(%x: i8, %y: i8, %o: i32):
    %w = arith.xori %x, %high : i8
    %u = arith.extui %w : i8 to i32
    %v = arith.extsi %y : i8 to i32
    %p = arith.muli %u, %v : i32
    %q = arith.addi %o, %p : i32
    linalg.yield %q : i32
  } -> tensor<?x70xi32>
  lathe.yield %0 : tensor<?x70xi32>
}

lathe.kernel @bytes_few_any(%a: tensor<?x192xi8>, %b: tensor<48x21x4xi8>, %size: index)
    -> (tensor<?x21xi32>) input_dims [[0], []] result_dims [[0]] {
  %zero = arith.constant 0 : i32
  %high = arith.constant -128 : i8
  %e = tensor.empty(%size) : tensor<?x21xi32>
  %f = linalg.fill ins(%zero : i32) outs(%e : tensor<?x21xi32>) -> tensor<?x21xi32>
  %0 = linalg.generic {indexing_maps = [#a, #few, #c],
      iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%a, %b : tensor<?x192xi8>, tensor<48x21x4xi8>) outs(%f : tensor<?x21xi32>) {
  ^bb0(%x: i8, %y: i8, %o: i32):
    %w = arith.xori %x, %high : i8
    %u = arith.extui %w : i8 to i32
    %v = arith.extsi %y : i8 to i32
    %p = arith.muli %u, %v : i32
    %q = arith.addi %o, %p : i32
    linalg.yield %q : i32
  } -> tensor<?x21xi32>
  lathe.yield %0 : tensor<?x21xi32>
}

lathe.kernel @bytes_scaled(%a: tensor<?x140xi8>, %b: tensor<3x35x32x4xi8>, %s: tensor<72xf32>, %r: tensor<?x72xf32>, %size: index)
    -> (tensor<?x72xf32>) input_dims [[0], [], [], [0]] result_dims [[0]] {
  %zero = arith.constant 0 : i32
  %e = tensor.empty(%size) : tensor<?x72xi32>
  %f = linalg.fill ins(%zero : i32) outs(%e : tensor<?x72xi32>) -> tensor<?x72xi32>
  %0 = linalg.generic {indexing_maps = [#a, #bytes, #c],
      iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%a, %b : tensor<?x140xi8>, tensor<3x35x32x4xi8>) outs(%f : tensor<?x72xi32>) {
  ^bb0(%x: i8, %y: i8, %o: i32):
    %u = arith.extui %x : i8 to i32
    %v = arith.extsi %y : i8 to i32
    %p = arith.muli %u, %v : i32
    %q = arith.addi %o, %p : i32
    linalg.yield %q : i32
  } -> tensor<?x72xi32>
  %d = tensor.empty(%size) : tensor<?x72xf32>
  %1 = linalg.generic {indexing_maps = [#point, #col, #point, #point],
      iterator_types = ["parallel", "parallel"]}
      ins(%0, %s, %r : tensor<?x72xi32>, tensor<72xf32>, tensor<?x72xf32>) outs(%d : tensor<?x72xf32>) {
  ^bb0(%x: i32, %y: f32, %z: f32, %o: f32):
    %u = arith.sitofp %x : i32 to f32
    %p = arith.mulf %u, %y : f32
    %q = arith.addf %p, %z : f32
    linalg.yield %q : f32
  } -> tensor<?x72xf32>
  lathe.yield %1 : tensor<?x72xf32>
}

lathe.kernel @pairs(%a: tensor<64x128xbf16>, %b: tensor<3x64x32x2xbf16>)
    -> (tensor<64x96xf32>) input_dims [[], []] result_dims [[]] {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<64x96xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<64x96xf32>) -> tensor<64x96xf32>
  %0 = linalg.generic {indexing_maps = [#a, #pairs, #c],
      iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%a, %b : tensor<64x128xbf16>, tensor<3x64x32x2xbf16>) outs(%f : tensor<64x96xf32>) {
  ^bb0(%x: bf16, %y: bf16, %o: f32):
    %u = arith.extf %x : bf16 to f32
    %v = arith.extf %y : bf16 to f32
    %p = arith.mulf %u, %v : f32
    %q = arith.addf %o, %p : f32
    linalg.yield %q : f32
  } -> tensor<64x96xf32>
  lathe.yield %0 : tensor<64x96xf32>
}

lathe.kernel @pairs_ragged(%a: tensor<45x102xbf16>, %b: tensor<3x51x32x2xbf16>)
    -> (tensor<45x75xf32>) input_dims [[], []] result_dims [[]] {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<45x75xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<45x75xf32>) -> tensor<45x75xf32>
  %0 = linalg.generic {indexing_maps = [#a, #pairs, #c],
      iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%a, %b : tensor<45x102xbf16>, tensor<3x51x32x2xbf16>) outs(%f : tensor<45x75xf32>) {
  ^bb0(%x: bf16, %y: bf16, %o: f32):
    %u = arith.extf %x : bf16 to f32
    %v = arith.extf %y : bf16 to f32
    %p = arith.mulf %u, %v : f32
    %q = arith.addf %o, %p : f32
    linalg.yield %q : f32
  } -> tensor<45x75xf32>
  lathe.yield %0 : tensor<45x75xf32>
}

lathe.kernel @pairs_any(%a: tensor<?x98xbf16>, %b: tensor<3x49x32x2xbf16>, %s: tensor<75xf32>, %r: tensor<?x75xf32>, %size: index)
    -> (tensor<?x75xf32>) input_dims [[0], [], [], [0]] result_dims [[0]] {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty(%size) : tensor<?x75xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<?x75xf32>) -> tensor<?x75xf32>
  %0 = linalg.generic {indexing_maps = [#a, #pairs, #c],
      iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%a, %b : tensor<?x98xbf16>, tensor<3x49x32x2xbf16>) outs(%f : tensor<?x75xf32>) {
  ^bb0(%x: bf16, %y: bf16, %o: f32):
    %u = arith.extf %x : bf16 to f32
    %v = arith.extf %y : bf16 to f32
    %p = arith.mulf %u, %v : f32
    %q = arith.addf %o, %p : f32
    linalg.yield %q : f32
  } -> tensor<?x75xf32>
  %d = tensor.empty(%size) : tensor<?x75xf32>
  %1 = linalg.generic {indexing_maps = [#point, #col, #point, #point],
      iterator_types = ["parallel", "parallel"]}
      ins(%0, %s, %r : tensor<?x75xf32>, tensor<75xf32>, tensor<?x75xf32>) outs(%d : tensor<?x75xf32>) {
  ^bb0(%x: f32, %y: f32, %z: f32, %o: f32):
    %p = arith.mulf %x, %y : f32
    %q = arith.addf %p, %z : f32
    linalg.yield %q : f32
  } -> tensor<?x75xf32>
  lathe.yield %1 : tensor<?x75xf32>
}

lathe.kernel @pairs_few_any(%a: tensor<?x150xbf16>, %b: tensor<75x21x2xbf16>, %size: index)
    -> (tensor<?x21xf32>) input_dims [[0], []] result_dims [[0]] {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty(%size) : tensor<?x21xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<?x21xf32>) -> tensor<?x21xf32>
  %0 = linalg.generic {indexing_maps = [#a, #fewpairs, #c],
      iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%a, %b : tensor<?x150xbf16>, tensor<75x21x2xbf16>) outs(%f : tensor<?x21xf32>) {
  ^bb0(%x: bf16, %y: bf16, %o: f32):
    %u = arith.extf %x : bf16 to f32
    %v = arith.extf %y : bf16 to f32
    %p = arith.mulf %u, %v : f32
    %q = arith.addf %o, %p : f32
    linalg.yield %q : f32
  } -> tensor<?x21xf32>
  lathe.yield %0 : tensor<?x21xf32>
}

#in_bytes_window = affine_map<(n, h, w, f, kh, kw, c) -> (n, h + kh, w + kw, c)>
#w_bytes_window = affine_map<(n, h, w, f, kh, kw, c) -> (f floordiv 32, kh, kw, c floordiv 4, f mod 32, c mod 4)>
#out_bytes_window = affine_map<(n, h, w, f, kh, kw, c) -> (n, h, w, f)>
lathe.kernel @bytes_window(%x: tensor<1x11x16x64xi8>, %w: tensor<2x3x3x16x32x4xi8>)
    -> (tensor<1x9x14x40xi32>) input_dims [[], []] result_dims [[]] {
  %zero = arith.constant 0 : i32
  %e = tensor.empty() : tensor<1x9x14x40xi32>
  %f = linalg.fill ins(%zero : i32) outs(%e : tensor<1x9x14x40xi32>) -> tensor<1x9x14x40xi32>
  %0 = linalg.generic {indexing_maps = [#in_bytes_window, #w_bytes_window, #out_bytes_window],
      iterator_types = ["parallel", "parallel", "parallel", "parallel",
                        "reduction", "reduction", "reduction"]}
      ins(%x, %w : tensor<1x11x16x64xi8>, tensor<2x3x3x16x32x4xi8>) outs(%f : tensor<1x9x14x40xi32>) {
  ^bb0(%p: i8, %q: i8, %a: i32):
    %u = arith.extui %p : i8 to i32
    %v = arith.extsi %q : i8 to i32
    %m = arith.muli %u, %v : i32
    %s = arith.addi %a, %m : i32
    linalg.yield %s : i32
  } -> tensor<1x9x14x40xi32>
  lathe.yield %0 : tensor<1x9x14x40xi32>
}

#in_bytes_strided = affine_map<(n, h, w, f, kh, kw, c) -> (n, h * 2 + kh, w * 2 + kw, c)>
#w_bytes_strided = affine_map<(n, h, w, f, kh, kw, c) -> (f floordiv 32, kh, kw, c floordiv 4, f mod 32, c mod 4)>
#out_bytes_strided = affine_map<(n, h, w, f, kh, kw, c) -> (n, h, w, f)>
lathe.kernel @bytes_strided(%x: tensor<2x15x15x72xi8>, %w: tensor<2x3x3x18x32x4xi8>)
    -> (tensor<2x7x7x64xi32>) input_dims [[], []] result_dims [[]] {
  %zero = arith.constant 0 : i32
  %e = tensor.empty() : tensor<2x7x7x64xi32>
  %f = linalg.fill ins(%zero : i32) outs(%e : tensor<2x7x7x64xi32>) -> tensor<2x7x7x64xi32>
  %0 = linalg.generic {indexing_maps = [#in_bytes_strided, #w_bytes_strided, #out_bytes_strided],
      iterator_types = ["parallel", "parallel", "parallel", "parallel",
                        "reduction", "reduction", "reduction"]}
      ins(%x, %w : tensor<2x15x15x72xi8>, tensor<2x3x3x18x32x4xi8>) outs(%f : tensor<2x7x7x64xi32>) {
  ^bb0(%p: i8, %q: i8, %a: i32):
    %u = arith.extui %p : i8 to i32
    %v = arith.extsi %q : i8 to i32
    %m = arith.muli %u, %v : i32
    %s = arith.addi %a, %m : i32
    linalg.yield %s : i32
  } -> tensor<2x7x7x64xi32>
  lathe.yield %0 : tensor<2x7x7x64xi32>
}

#in_pairs_window = affine_map<(n, h, w, f, kh, kw, c) -> (n, h + kh, w + kw, c)>
#w_pairs_window = affine_map<(n, h, w, f, kh, kw, c) -> (f floordiv 32, kh, kw, c floordiv 2, f mod 32, c mod 2)>
#out_pairs_window = affine_map<(n, h, w, f, kh, kw, c) -> (n, h, w, f)>
lathe.kernel @pairs_window(%x: tensor<1x7x20x48xbf16>, %w: tensor<2x3x1x24x32x2xbf16>)
    -> (tensor<1x5x20x33xf32>) input_dims [[], []] result_dims [[]] {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<1x5x20x33xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<1x5x20x33xf32>) -> tensor<1x5x20x33xf32>
  %0 = linalg.generic {indexing_maps = [#in_pairs_window, #w_pairs_window, #out_pairs_window],
      iterator_types = ["parallel", "parallel", "parallel", "parallel",
                        "reduction", "reduction", "reduction"]}
      ins(%x, %w : tensor<1x7x20x48xbf16>, tensor<2x3x1x24x32x2xbf16>) outs(%f : tensor<1x5x20x33xf32>) {
  ^bb0(%p: bf16, %q: bf16, %a: f32):
    %u = arith.extf %p : bf16 to f32
    %v = arith.extf %q : bf16 to f32
    %m = arith.mulf %u, %v : f32
    %s = arith.addf %a, %m : f32
    linalg.yield %s : f32
  } -> tensor<1x5x20x33xf32>
  lathe.yield %0 : tensor<1x5x20x33xf32>
}

// Padding is copied.
#pad_in = affine_map<(h, w, f, kh, kw, c) -> (h + kh, w + kw, c)>
#pad_weight = affine_map<(h, w, f, kh, kw, c) -> (f floordiv 32, kh, kw, c floordiv 4, f mod 32, c mod 4)>
#pad_out = affine_map<(h, w, f, kh, kw, c) -> (h, w, f)>
lathe.kernel @padded(%x: tensor<11x13x64xi8>, %w: tensor<2x3x3x16x32x4xi8>)
    -> (tensor<11x13x40xi32>) input_dims [[], []] result_dims [[]] {
  %zero = arith.constant 0 : i32
  %point = arith.constant 5 : i8
  %pad = tensor.pad %x low[1, 1, 0] high[1, 1, 0] {
  ^bb0(%i: index, %j: index, %k: index):
    tensor.yield %point : i8
  } : tensor<11x13x64xi8> to tensor<13x15x64xi8>
  %e = tensor.empty() : tensor<11x13x40xi32>
  %f = linalg.fill ins(%zero : i32) outs(%e : tensor<11x13x40xi32>) -> tensor<11x13x40xi32>
  %0 = linalg.generic {indexing_maps = [#pad_in, #pad_weight, #pad_out],
      iterator_types = ["parallel", "parallel", "parallel",
                        "reduction", "reduction", "reduction"]}
      ins(%pad, %w : tensor<13x15x64xi8>, tensor<2x3x3x16x32x4xi8>)
      outs(%f : tensor<11x13x40xi32>) {
  ^bb0(%p: i8, %q: i8, %a: i32):
    %u = arith.extui %p : i8 to i32
    %v = arith.extsi %q : i8 to i32
    %m = arith.muli %u, %v : i32
    %s = arith.addi %a, %m : i32
    linalg.yield %s : i32
  } -> tensor<11x13x40xi32>
  lathe.yield %0 : tensor<11x13x40xi32>
}

// Few rows lie next to each other, more at a distance.
#few_rows = affine_map<(s, b, n, k) -> (s, b, k)>
#columns = affine_map<(s, b, n, k) -> (n floordiv 32, k floordiv 4, n mod 32, k mod 4)>
#results = affine_map<(s, b, n, k) -> (s, b, n)>
lathe.kernel @distant_rows(%a: tensor<40x3x128xi8>, %b: tensor<2x32x32x4xi8>)
    -> (tensor<40x3x64xi32>) input_dims [[], []] result_dims [[]] {
  %zero = arith.constant 0 : i32
  %e = tensor.empty() : tensor<40x3x64xi32>
  %f = linalg.fill ins(%zero : i32) outs(%e : tensor<40x3x64xi32>) -> tensor<40x3x64xi32>
  %0 = linalg.generic {indexing_maps = [#few_rows, #columns, #results],
      iterator_types = ["parallel", "parallel", "parallel", "reduction"]}
      ins(%a, %b : tensor<40x3x128xi8>, tensor<2x32x32x4xi8>)
      outs(%f : tensor<40x3x64xi32>) {
  ^bb0(%p: i8, %q: i8, %o: i32):
    %u = arith.extui %p : i8 to i32
    %v = arith.extsi %q : i8 to i32
    %m = arith.muli %u, %v : i32
    %s = arith.addi %o, %m : i32
    linalg.yield %s : i32
  } -> tensor<40x3x64xi32>
  lathe.yield %0 : tensor<40x3x64xi32>
}
