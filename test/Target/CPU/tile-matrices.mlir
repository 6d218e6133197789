// RUN: lathe-opt %s --pass-pipeline='builtin.module(lathe.kernel(cpu-tile-kernel{cpu=sapphirerapids}))' | FileCheck %s --check-prefix=MATRICES
// RUN: lathe-opt %s --pass-pipeline='builtin.module(lathe.kernel(cpu-tile-kernel{cpu=icelake-server}))' | FileCheck %s --check-prefix=VECTORS

#a = affine_map<(m, n, k) -> (m, k)>
#b = affine_map<(m, n, k) -> (n floordiv 32, k floordiv 4, n mod 32, k mod 4)>
#c = affine_map<(m, n, k) -> (m, n)>
// Tiles of matrices have more points, and whole blocks of rows.
// MATRICES: lathe.kernel @bytes
// MATRICES-SAME: lathe.grid
// MATRICES: scf.forall {{.+}} step (256, 64)
// VECTORS: lathe.kernel @bytes
// VECTORS: scf.forall {{.+}} step (32, 56)
lathe.kernel @bytes(%a: tensor<?x256xi8>, %b: tensor<32x64x32x4xi8>, %s: index)
    -> (tensor<?x1024xi32>) input_dims [[0], []] result_dims [[0]] {
  %zero = arith.constant 0 : i32
  %e = tensor.empty(%s) : tensor<?x1024xi32>
  %f = linalg.fill ins(%zero : i32) outs(%e : tensor<?x1024xi32>) -> tensor<?x1024xi32>
  %0 = linalg.generic {indexing_maps = [#a, #b, #c],
      iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%a, %b : tensor<?x256xi8>, tensor<32x64x32x4xi8>)
      outs(%f : tensor<?x1024xi32>) {
  ^bb0(%x: i8, %y: i8, %o: i32):
    %u = arith.extui %x : i8 to i32
    %v = arith.extsi %y : i8 to i32
    %p = arith.muli %u, %v : i32
    %r = arith.addi %o, %p : i32
    linalg.yield %r : i32
  } -> tensor<?x1024xi32>
  lathe.yield %0 : tensor<?x1024xi32>
}
