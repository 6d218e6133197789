// RUN: lathe-opt %s --split-input-file --pass-pipeline='builtin.module(lathe.kernel(cpu-vectorize{cpu=icelake-server}))' | FileCheck %s --check-prefixes=CHECK,BYTES
// RUN: lathe-opt %s --split-input-file --pass-pipeline='builtin.module(lathe.kernel(cpu-vectorize{cpu=x86-64-v3}))' | FileCheck %s --check-prefixes=CHECK,PAIRS
// RUN: lathe-opt %s --split-input-file --pass-pipeline='builtin.module(lathe.kernel(cpu-vectorize{cpu=cortex-a76}))' | FileCheck %s --check-prefixes=CHECK,WORDS
// RUN: lathe-opt %s --split-input-file --pass-pipeline='builtin.module(lathe.kernel(cpu-vectorize{cpu=cooperlake}))' | FileCheck %s --check-prefix=BF16

#a = affine_map<(m, n, k) -> (m, k)>
#b = affine_map<(m, n, k) -> (n floordiv 32, k floordiv 4, n mod 32, k mod 4)>
#c = affine_map<(m, n, k) -> (m, n)>
// Four bytes of a row meet four of each column.
// CHECK-LABEL: lathe.kernel @bytes
// CHECK: %[[FOUR:.+]] = arith.constant 4 : index
// CHECK: scf.for {{.+}} step %{{.+}} iter_args(
// CHECK: vector.load {{.+}} vector<4xi8>
// CHECK: vector.bitcast %{{.+}} : vector<4xi8> to vector<1xi32>
// BYTES: vector.load {{.+}} vector<64xi8>
// BYTES: llvm.call_intrinsic "llvm.x86.avx512.vpdpbusd.512"
// PAIRS: vector.load {{.+}} vector<32xi8>
// PAIRS: llvm.call_intrinsic "llvm.x86.avx2.pmadd.wd"
// PAIRS: llvm.call_intrinsic "llvm.x86.avx2.pmadd.wd"
// WORDS: vector.load {{.+}} vector<16xi8>
// WORDS-COUNT-4: arith.muli {{.+}} vector<4xi32>
// WORDS-NOT: call_intrinsic
lathe.kernel @bytes(%a: memref<8x64xi8>, %b: memref<2x16x32x4xi8>, %c: memref<8x64xi32>)
    -> (tensor<8x64xi32>) input_dims [[], []] result_dims [[]] {
  linalg.generic {indexing_maps = [#a, #b, #c],
      iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%a, %b : memref<8x64xi8>, memref<2x16x32x4xi8>)
      outs(%c : memref<8x64xi32>) {
  ^bb0(%x: i8, %y: i8, %o: i32):
    %u = arith.extui %x : i8 to i32
    %v = arith.extsi %y : i8 to i32
    %p = arith.muli %u, %v : i32
    %s = arith.addi %o, %p : i32
    linalg.yield %s : i32
  }
  lathe.yield
}

// -----

#a = affine_map<(m, n, k) -> (m, k)>
#b = affine_map<(m, n, k) -> (n floordiv 32, k, n mod 32)>
#c = affine_map<(m, n, k) -> (m, n)>
// Weights that are not packed so are read one step at a time.
// CHECK-LABEL: lathe.kernel @other_layout
// CHECK-NOT: call_intrinsic
// CHECK: arith.muli
lathe.kernel @other_layout(%a: memref<8x63xi8>, %b: memref<2x63x32xi8>, %c: memref<8x64xi32>)
    -> (tensor<8x64xi32>) input_dims [[], []] result_dims [[]] {
  linalg.generic {indexing_maps = [#a, #b, #c],
      iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%a, %b : memref<8x63xi8>, memref<2x63x32xi8>)
      outs(%c : memref<8x64xi32>) {
  ^bb0(%x: i8, %y: i8, %o: i32):
    %u = arith.extui %x : i8 to i32
    %v = arith.extsi %y : i8 to i32
    %p = arith.muli %u, %v : i32
    %s = arith.addi %o, %p : i32
    linalg.yield %s : i32
  }
  lathe.yield
}

// -----

#a = affine_map<(m, n, k) -> (m, k)>
#b = affine_map<(m, n, k) -> (n floordiv 32, k floordiv 2, n mod 32, k mod 2)>
#c = affine_map<(m, n, k) -> (m, n)>
// Two numbers of a row meet two of each column, with an instruction for it.
// CHECK-LABEL: lathe.kernel @pairs
// CHECK-NOT: call_intrinsic
// BF16-LABEL: lathe.kernel @pairs
// BF16: vector.load {{.+}} vector<2xbf16>
// BF16: vector.bitcast %{{.+}} : vector<2xbf16> to vector<1xi32>
// BF16: vector.load {{.+}} vector<32xbf16>
// BF16: llvm.call_intrinsic "llvm.x86.avx512bf16.dpbf16ps.512"
// BF16-NOT: arith.extf
lathe.kernel @pairs(%a: memref<8x64xbf16>, %b: memref<2x32x32x2xbf16>, %c: memref<8x64xf32>)
    -> (tensor<8x64xf32>) input_dims [[], []] result_dims [[]] {
  linalg.generic {indexing_maps = [#a, #b, #c],
      iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%a, %b : memref<8x64xbf16>, memref<2x32x32x2xbf16>)
      outs(%c : memref<8x64xf32>) {
  ^bb0(%x: bf16, %y: bf16, %o: f32):
    %u = arith.extf %x : bf16 to f32
    %v = arith.extf %y : bf16 to f32
    %p = arith.mulf %u, %v : f32
    %s = arith.addf %o, %p : f32
    linalg.yield %s : f32
  }
  lathe.yield
}
