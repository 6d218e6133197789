// RUN: lathe-opt %s --split-input-file --verify-diagnostics --pass-pipeline='builtin.module(lathe.kernel(cpu-tile-kernel{cpu=x86-64-v4}))'

#row = affine_map<(m, k) -> (m, k)>
#sum = affine_map<(m, k) -> (m)>
// expected-error@+1 {{expects a dictionary in lathe.decisions, got "tile"}}
lathe.kernel @no_dictionary(%x: tensor<8x64xf32>) -> (tensor<8xf32>) input_dims [[]] result_dims [[]]
    attributes {lathe.decisions = "tile"} {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<8xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<8xf32>) -> tensor<8xf32>
  %0 = linalg.generic {indexing_maps = [#row, #sum], iterator_types = ["parallel", "reduction"]}
      ins(%x : tensor<8x64xf32>) outs(%f : tensor<8xf32>) {
  ^bb0(%a: f32, %o: f32):
    %s = arith.addf %o, %a : f32
    linalg.yield %s : f32
  } -> tensor<8xf32>
  lathe.yield %0 : tensor<8xf32>
}

// -----

#row = affine_map<(m, k) -> (m, k)>
#sum = affine_map<(m, k) -> (m)>
// expected-error@+1 {{expects an array of sizes as tile in lathe.decisions}}
lathe.kernel @negative(%x: tensor<8x64xf32>) -> (tensor<8xf32>) input_dims [[]] result_dims [[]]
    attributes {lathe.decisions = {tile = array<i64: -8, 0>}} {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<8xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<8xf32>) -> tensor<8xf32>
  %0 = linalg.generic {indexing_maps = [#row, #sum], iterator_types = ["parallel", "reduction"]}
      ins(%x : tensor<8x64xf32>) outs(%f : tensor<8xf32>) {
  ^bb0(%a: f32, %o: f32):
    %s = arith.addf %o, %a : f32
    linalg.yield %s : f32
  } -> tensor<8xf32>
  lathe.yield %0 : tensor<8xf32>
}

// -----

#row = affine_map<(m, k) -> (m, k)>
#sum = affine_map<(m, k) -> (m)>
// expected-error@+1 {{expects a tile of 2 dimensions in lathe.decisions, got 1}}
lathe.kernel @rank(%x: tensor<8x64xf32>) -> (tensor<8xf32>) input_dims [[]] result_dims [[]]
    attributes {lathe.decisions = {tile = array<i64: 8>}} {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<8xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<8xf32>) -> tensor<8xf32>
  %0 = linalg.generic {indexing_maps = [#row, #sum], iterator_types = ["parallel", "reduction"]}
      ins(%x : tensor<8x64xf32>) outs(%f : tensor<8xf32>) {
  ^bb0(%a: f32, %o: f32):
    %s = arith.addf %o, %a : f32
    linalg.yield %s : f32
  } -> tensor<8xf32>
  lathe.yield %0 : tensor<8xf32>
}

// -----

#row = affine_map<(m, k) -> (m, k)>
#sum = affine_map<(m, k) -> (m)>
// expected-error@+1 {{expects dimension 1 to be whole in lathe.decisions, got tiles of 32}}
lathe.kernel @reduction(%x: tensor<8x64xf32>) -> (tensor<8xf32>) input_dims [[]] result_dims [[]]
    attributes {lathe.decisions = {tile = array<i64: 0, 32>}} {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<8xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<8xf32>) -> tensor<8xf32>
  %0 = linalg.generic {indexing_maps = [#row, #sum], iterator_types = ["parallel", "reduction"]}
      ins(%x : tensor<8x64xf32>) outs(%f : tensor<8xf32>) {
  ^bb0(%a: f32, %o: f32):
    %s = arith.addf %o, %a : f32
    linalg.yield %s : f32
  } -> tensor<8xf32>
  lathe.yield %0 : tensor<8xf32>
}

// -----

#row = affine_map<(m, k) -> (m, k)>
#sum = affine_map<(m, k) -> (m)>
// expected-error@+1 {{expects a dimension as slowest in lathe.decisions}}
lathe.kernel @slowest(%x: tensor<8x64xf32>) -> (tensor<8xf32>) input_dims [[]] result_dims [[]]
    attributes {lathe.decisions = {tile = array<i64: 4, 0>, slowest = 2 : i64}} {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<8xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<8xf32>) -> tensor<8xf32>
  %0 = linalg.generic {indexing_maps = [#row, #sum], iterator_types = ["parallel", "reduction"]}
      ins(%x : tensor<8x64xf32>) outs(%f : tensor<8xf32>) {
  ^bb0(%a: f32, %o: f32):
    %s = arith.addf %o, %a : f32
    linalg.yield %s : f32
  } -> tensor<8xf32>
  lathe.yield %0 : tensor<8xf32>
}

// -----

#row = affine_map<(m, k) -> (m, k)>
#sum = affine_map<(m, k) -> (m)>
// expected-error@+1 {{expects an array of nests in lathe.decisions}}
lathe.kernel @no_nests(%x: tensor<8x64xf32>) -> (tensor<8xf32>) input_dims [[]] result_dims [[]]
    attributes {lathe.decisions = {nests = 1 : i64}} {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<8xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<8xf32>) -> tensor<8xf32>
  %0 = linalg.generic {indexing_maps = [#row, #sum], iterator_types = ["parallel", "reduction"]}
      ins(%x : tensor<8x64xf32>) outs(%f : tensor<8xf32>) {
  ^bb0(%a: f32, %o: f32):
    %s = arith.addf %o, %a : f32
    linalg.yield %s : f32
  } -> tensor<8xf32>
  lathe.yield %0 : tensor<8xf32>
}

// -----

#row = affine_map<(m, k) -> (m, k)>
#sum = affine_map<(m, k) -> (m)>
// expected-error@+1 {{expects lanes, vectors and pairs of blocks of a nest in lathe.decisions}}
lathe.kernel @odd_blocks(%x: tensor<8x64xf32>) -> (tensor<8xf32>) input_dims [[]] result_dims [[]]
    attributes {lathe.decisions = {nests = [{lanes = 0 : i64, vectors = 1 : i64, blocks = array<i64: 0>}]}} {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<8xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<8xf32>) -> tensor<8xf32>
  %0 = linalg.generic {indexing_maps = [#row, #sum], iterator_types = ["parallel", "reduction"]}
      ins(%x : tensor<8x64xf32>) outs(%f : tensor<8xf32>) {
  ^bb0(%a: f32, %o: f32):
    %s = arith.addf %o, %a : f32
    linalg.yield %s : f32
  } -> tensor<8xf32>
  lathe.yield %0 : tensor<8xf32>
}

// -----

#row = affine_map<(m, k) -> (m, k)>
#sum = affine_map<(m, k) -> (m)>
// expected-error@+1 {{expects lanes, vectors and pairs of blocks of a nest in lathe.decisions}}
lathe.kernel @no_vectors(%x: tensor<8x64xf32>) -> (tensor<8xf32>) input_dims [[]] result_dims [[]]
    attributes {lathe.decisions = {nests = [{lanes = 0 : i64, vectors = 0 : i64, blocks = array<i64>}]}} {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<8xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<8xf32>) -> tensor<8xf32>
  %0 = linalg.generic {indexing_maps = [#row, #sum], iterator_types = ["parallel", "reduction"]}
      ins(%x : tensor<8x64xf32>) outs(%f : tensor<8xf32>) {
  ^bb0(%a: f32, %o: f32):
    %s = arith.addf %o, %a : f32
    linalg.yield %s : f32
  } -> tensor<8xf32>
  lathe.yield %0 : tensor<8xf32>
}
