// RUN: lathe-opt %s -pass-pipeline='builtin.module(func.func(form-kernels{explain}))' -split-input-file | FileCheck %s
// RUN: lathe-opt %s -pass-pipeline='builtin.module(func.func(form-kernels{explain max-whole-ops=1}))' -split-input-file | FileCheck %s --check-prefix=WHOLE
// RUN: lathe-opt %s -pass-pipeline='builtin.module(func.func(form-kernels),outline-kernels)' -split-input-file | FileCheck %s --check-prefix=OUTLINED

#id = affine_map<(d0) -> (d0)>

// What comes first joins what comes last, so what lies between and reads it
// has to wait for both. Its own producer must not: the last op reads that, too.

// CHECK-LABEL: @moved
// CHECK: lathe.apart = ["'w' and 'other': the kernels would wait for each other"], lathe.group = 2
// CHECK: lathe.fused = "elementwise", lathe.group = 0
// CHECK: lathe.group = 1
// CHECK: lathe.group = 0
// OUTLINED-LABEL: @moved
// OUTLINED: %[[W:.+]] = lathe.launch @{{.+}}(%arg1)
// OUTLINED: %[[V:.+]] = lathe.view %[[W]]
// OUTLINED: %[[FIRST:.+]]:2 = lathe.launch
// OUTLINED: lathe.launch @{{.+}}(%[[FIRST]]#0, %[[W]])
func.func @moved(%x: tensor<8xf32>, %y: tensor<8xf32>) -> (tensor<8xf32>, tensor<8xf32>) {
  %e = tensor.empty() : tensor<8xf32>
  %w = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]}
      ins(%y : tensor<8xf32>) outs(%e : tensor<8xf32>) attrs = {lathe.node = 0} {
  ^bb0(%a: f32, %b: f32):
    %r = math.exp %a : f32
    linalg.yield %r : f32
  } -> tensor<8xf32> loc("w")
  %first = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]}
      ins(%x : tensor<8xf32>) outs(%e : tensor<8xf32>) attrs = {lathe.node = 1} {
  ^bb0(%a: f32, %b: f32):
    %r = math.exp %a : f32
    linalg.yield %r : f32
  } -> tensor<8xf32> loc("first")
  %other = linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = ["parallel"]}
      ins(%first, %w : tensor<8xf32>, tensor<8xf32>) outs(%e : tensor<8xf32>) attrs = {lathe.node = 2} {
  ^bb0(%a: f32, %b: f32, %c: f32):
    %r = arith.mulf %a, %b : f32
    linalg.yield %r : f32
  } -> tensor<8xf32> loc("other")
  %v = lathe.view %w : tensor<8xf32> to tensor<2x4xf32>
  %u = lathe.view %v : tensor<2x4xf32> to tensor<8xf32>
  %last = linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = ["parallel"]}
      ins(%first, %u : tensor<8xf32>, tensor<8xf32>) outs(%e : tensor<8xf32>) attrs = {lathe.node = 3} {
  ^bb0(%a: f32, %b: f32, %c: f32):
    %r = arith.addf %a, %b : f32
    linalg.yield %r : f32
  } -> tensor<8xf32> loc("last")
  return %last, %other : tensor<8xf32>, tensor<8xf32>
}

// -----

// A kernel of one tile takes in more of its node only as long as it is small,
// but finishes the tensor that it has begun.

// CHECK-LABEL: @whole
// CHECK-COUNT-4: lathe.group = 0
// WHOLE-LABEL: @whole
// WHOLE: lathe.group = 1
// WHOLE: lathe.apart = ["'put' and 'put': the kernel has as many ops as are compiled together"], lathe.group = 1
// WHOLE: lathe.group = 0
// WHOLE: lathe.group = 0
func.func @whole(%x: tensor<4xf32>) -> tensor<12xf32> {
  %e = tensor.empty() : tensor<8xf32>
  %f = tensor.empty() : tensor<12xf32>
  %0 = tensor.insert_slice %x into %e[0] [4] [1] {lathe.node = 0} : tensor<4xf32> into tensor<8xf32> loc("put")
  %1 = tensor.insert_slice %x into %0[4] [4] [1] {lathe.node = 0} : tensor<4xf32> into tensor<8xf32> loc("put")
  %2 = tensor.insert_slice %1 into %f[0] [8] [1] {lathe.node = 0} : tensor<8xf32> into tensor<12xf32> loc("put")
  %3 = tensor.insert_slice %x into %2[8] [4] [1] {lathe.node = 0} : tensor<4xf32> into tensor<12xf32> loc("put")
  return %3 : tensor<12xf32>
}
