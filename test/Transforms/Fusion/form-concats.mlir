// RUN: lathe-opt %s -pass-pipeline='builtin.module(func.func(form-concats{explain=1 launch-bytes=0}))' -split-input-file | FileCheck %s
// RUN: lathe-opt %s -pass-pipeline='builtin.module(func.func(form-concats{explain=1 launch-bytes=0 row-bytes=1024}))' -split-input-file | FileCheck %s --check-prefix=ROWS
// RUN: lathe-opt %s -pass-pipeline='builtin.module(func.func(form-concats{explain=1}))' -split-input-file | FileCheck %s --check-prefix=LAUNCH
// RUN: lathe-opt %s -pass-pipeline='builtin.module(func.func(form-concats{explain=1 launch-bytes=0 cache-bytes=0 max-readers=1}))' -split-input-file | FileCheck %s --check-prefix=READERS

// CHECK-LABEL: @computed
// CHECK: %[[A:.*]] = linalg.exp
// CHECK: %[[B:.*]] = linalg.sqrt
// CHECK: lathe.concat %[[A]], %[[B]] axis 1 {lathe.node = 2 : i64} : (tensor<8x16xf32>, tensor<8x32xf32>) -> tensor<8x48xf32>
// CHECK-NOT: insert_slice
// ROWS-LABEL: @computed
// ROWS: insert_slice
// ROWS: lathe.apart = ["'input' and 'concat': its rows are too short to be stored one by one",
// LAUNCH-LABEL: @computed
// LAUNCH: lathe.concat
func.func @computed(%x: tensor<8x16xf32>, %y: tensor<8x32xf32>) -> tensor<8x48xf32> {
  %e0 = tensor.empty() : tensor<8x16xf32>
  %e1 = tensor.empty() : tensor<8x32xf32>
  %a = linalg.exp {lathe.node = 0} ins(%x : tensor<8x16xf32>) outs(%e0 : tensor<8x16xf32>) -> tensor<8x16xf32>
  %b = linalg.sqrt {lathe.node = 1} ins(%y : tensor<8x32xf32>) outs(%e1 : tensor<8x32xf32>) -> tensor<8x32xf32>
  %e = tensor.empty() : tensor<8x48xf32>
  %0 = tensor.insert_slice %a into %e[0, 0] [8, 16] [1, 1] {lathe.node = 2} : tensor<8x16xf32> into tensor<8x48xf32>
  %1 = tensor.insert_slice %b into %0[0, 16] [8, 32] [1, 1] {lathe.node = 2} : tensor<8x32xf32> into tensor<8x48xf32>
  return %1 : tensor<8x48xf32>
}

// -----

// What the sizes are is not needed; they move to where the program begins.
// CHECK-LABEL: @symbolic
// CHECK-DAG: lathe.symbol "n"
// CHECK-DAG: lathe.symbol "k"
// CHECK: %[[SUM:.*]] = affine.apply
// CHECK: linalg.exp
// CHECK: lathe.concat %{{.*}}, %{{.*}} dims[%{{.*}}, %[[SUM]]] axis 1
func.func @symbolic(%x: tensor<?x?xf32> {lathe.dims = ["n", "k"]}, %y: tensor<?x32xf32> {lathe.dims = ["n", ""]}) -> tensor<?x?xf32> {
  %n = lathe.symbol "n"
  %k = lathe.symbol "k"
  %e0 = tensor.empty(%n, %k) : tensor<?x?xf32>
  %e1 = tensor.empty(%n) : tensor<?x32xf32>
  %a = linalg.exp ins(%x : tensor<?x?xf32>) outs(%e0 : tensor<?x?xf32>) -> tensor<?x?xf32>
  %b = linalg.sqrt ins(%y : tensor<?x32xf32>) outs(%e1 : tensor<?x32xf32>) -> tensor<?x32xf32>
  %sum = affine.apply affine_map<()[s0] -> (s0 + 32)>()[%k]
  %e = tensor.empty(%n, %sum) : tensor<?x?xf32>
  %0 = tensor.insert_slice %a into %e[0, 0] [%n, %k] [1, 1] : tensor<?x?xf32> into tensor<?x?xf32>
  %1 = tensor.insert_slice %b into %0[0, %k] [%n, 32] [1, 1] : tensor<?x32xf32> into tensor<?x?xf32>
  return %1 : tensor<?x?xf32>
}

// -----

// CHECK-LABEL: @no_size_of_data
// CHECK: lathe.apart = ["'input' and 'concat': its sizes are not known when the program is entered"]
func.func @no_size_of_data(%x: tensor<?x16xf32> {lathe.dims = ["n", ""]}, %i: index) -> tensor<?x32xf32> {
  %n = lathe.bind "n" = %i
  %e0 = tensor.empty(%n) : tensor<?x16xf32>
  %a = linalg.exp ins(%x : tensor<?x16xf32>) outs(%e0 : tensor<?x16xf32>) -> tensor<?x16xf32>
  %b = linalg.sqrt ins(%x : tensor<?x16xf32>) outs(%e0 : tensor<?x16xf32>) -> tensor<?x16xf32>
  %e = tensor.empty(%n) : tensor<?x32xf32>
  %0 = tensor.insert_slice %a into %e[0, 0] [%n, 16] [1, 1] : tensor<?x16xf32> into tensor<?x32xf32>
  %1 = tensor.insert_slice %b into %0[0, 16] [%n, 16] [1, 1] : tensor<?x16xf32> into tensor<?x32xf32>
  return %1 : tensor<?x32xf32>
}

// -----

// An input is copied, as is what is read in another shape, what the program
// returns, and what is there already.
// CHECK-LABEL: @copied
// CHECK-SAME: (%[[X:.*]]: tensor<8x16xf32>)
// CHECK: %[[A:.*]] = linalg.exp
// CHECK: %[[B:.*]] = linalg.sqrt
// CHECK: %[[C:.*]] = linalg.abs
// CHECK-DAG: %[[CX:.*]] = linalg.copy {lathe.apart = ["'input' and 'concat': no kernel makes it"], lathe.node = 2 : i64} ins(%[[X]]
// CHECK-DAG: %[[CB:.*]] = linalg.copy {lathe.apart = ["'input' and 'concat': something other than a kernel reads it"], lathe.node = 2 : i64} ins(%[[B]]
// CHECK-DAG: %[[CC:.*]] = linalg.copy {lathe.apart = ["'input' and 'concat': it has a place as a result"], lathe.node = 2 : i64} ins(%[[C]]
// CHECK-DAG: %[[AA:.*]] = linalg.copy {lathe.apart = ["'input' and 'concat': it is another part, too"], lathe.node = 2 : i64} ins(%[[A]]
// CHECK: lathe.concat %[[A]], %[[CX]], %[[CB]], %[[CC]], %[[AA]] axis 1
// LAUNCH-LABEL: @copied
// LAUNCH-NOT: lathe.concat
// LAUNCH: 'input' and 'concat': copying the other parts takes longer
func.func @copied(%x: tensor<8x16xf32>) -> (tensor<8x80xf32>, tensor<8x16xf32>, tensor<128xf32>) {
  %e0 = tensor.empty() : tensor<8x16xf32>
  %a = linalg.exp ins(%x : tensor<8x16xf32>) outs(%e0 : tensor<8x16xf32>) -> tensor<8x16xf32>
  %b = linalg.sqrt ins(%x : tensor<8x16xf32>) outs(%e0 : tensor<8x16xf32>) -> tensor<8x16xf32>
  %c = linalg.abs ins(%x : tensor<8x16xf32>) outs(%e0 : tensor<8x16xf32>) -> tensor<8x16xf32>
  %v = lathe.view %b : tensor<8x16xf32> to tensor<128xf32>
  %e1 = tensor.empty() : tensor<128xf32>
  %w = linalg.exp ins(%v : tensor<128xf32>) outs(%e1 : tensor<128xf32>) -> tensor<128xf32>
  %e = tensor.empty() : tensor<8x80xf32>
  %0 = tensor.insert_slice %a into %e[0, 0] [8, 16] [1, 1] {lathe.node = 2} : tensor<8x16xf32> into tensor<8x80xf32>
  %1 = tensor.insert_slice %x into %0[0, 16] [8, 16] [1, 1] {lathe.node = 2} : tensor<8x16xf32> into tensor<8x80xf32>
  %2 = tensor.insert_slice %b into %1[0, 32] [8, 16] [1, 1] {lathe.node = 2} : tensor<8x16xf32> into tensor<8x80xf32>
  %3 = tensor.insert_slice %c into %2[0, 48] [8, 16] [1, 1] {lathe.node = 2} : tensor<8x16xf32> into tensor<8x80xf32>
  %4 = tensor.insert_slice %a into %3[0, 64] [8, 16] [1, 1] {lathe.node = 2} : tensor<8x16xf32> into tensor<8x80xf32>
  return %4, %c, %w : tensor<8x80xf32>, tensor<8x16xf32>, tensor<128xf32>
}

// -----

// What lies in one piece may be read in another shape, and be a view.
// CHECK-LABEL: @blocks
// CHECK: lathe.concat %{{.*}}, %{{.*}} axis 0
func.func @blocks(%x: tensor<8x16xf32>) -> (tensor<16x16xf32>, tensor<128xf32>) {
  %e0 = tensor.empty() : tensor<8x16xf32>
  %a = linalg.exp ins(%x : tensor<8x16xf32>) outs(%e0 : tensor<8x16xf32>) -> tensor<8x16xf32>
  %v = lathe.view %a : tensor<8x16xf32> to tensor<128xf32>
  %e1 = tensor.empty() : tensor<128xf32>
  %w = linalg.exp ins(%v : tensor<128xf32>) outs(%e1 : tensor<128xf32>) -> tensor<128xf32>
  %b = linalg.sqrt ins(%w : tensor<128xf32>) outs(%e1 : tensor<128xf32>) -> tensor<128xf32>
  %u = lathe.view %b : tensor<128xf32> to tensor<8x16xf32>
  %e = tensor.empty() : tensor<16x16xf32>
  %0 = tensor.insert_slice %a into %e[0, 0] [8, 16] [1, 1] : tensor<8x16xf32> into tensor<16x16xf32>
  %1 = tensor.insert_slice %u into %0[8, 0] [8, 16] [1, 1] : tensor<8x16xf32> into tensor<16x16xf32>
  return %1, %w : tensor<16x16xf32>, tensor<128xf32>
}

// -----

// What begins as another concatenation has that one as a part.
// CHECK-LABEL: @growing
// CHECK: %[[A:.*]] = linalg.exp
// CHECK: %[[B:.*]] = linalg.sqrt
// CHECK: %[[C:.*]] = linalg.abs
// CHECK: %[[AB:.*]] = lathe.concat %[[A]], %[[B]] axis 1
// CHECK: %[[ABC:.*]] = lathe.concat %[[AB]], %[[C]] axis 1
// CHECK: return %[[ABC]]
func.func @growing(%x: tensor<8x16xf32>) -> (tensor<8x48xf32>, tensor<8x32xf32>) {
  %e0 = tensor.empty() : tensor<8x16xf32>
  %a = linalg.exp ins(%x : tensor<8x16xf32>) outs(%e0 : tensor<8x16xf32>) -> tensor<8x16xf32>
  %b = linalg.sqrt ins(%x : tensor<8x16xf32>) outs(%e0 : tensor<8x16xf32>) -> tensor<8x16xf32>
  %c = linalg.abs ins(%x : tensor<8x16xf32>) outs(%e0 : tensor<8x16xf32>) -> tensor<8x16xf32>
  %e1 = tensor.empty() : tensor<8x32xf32>
  %0 = tensor.insert_slice %a into %e1[0, 0] [8, 16] [1, 1] {lathe.node = 3} : tensor<8x16xf32> into tensor<8x32xf32>
  %1 = tensor.insert_slice %b into %0[0, 16] [8, 16] [1, 1] {lathe.node = 3} : tensor<8x16xf32> into tensor<8x32xf32>
  %r = linalg.exp ins(%1 : tensor<8x32xf32>) outs(%e1 : tensor<8x32xf32>) -> tensor<8x32xf32>
  %e2 = tensor.empty() : tensor<8x48xf32>
  %2 = tensor.insert_slice %a into %e2[0, 0] [8, 16] [1, 1] {lathe.node = 4} : tensor<8x16xf32> into tensor<8x48xf32>
  %3 = tensor.insert_slice %b into %2[0, 16] [8, 16] [1, 1] {lathe.node = 4} : tensor<8x16xf32> into tensor<8x48xf32>
  %4 = tensor.insert_slice %c into %3[0, 32] [8, 16] [1, 1] {lathe.node = 4} : tensor<8x16xf32> into tensor<8x48xf32>
  return %4, %r : tensor<8x48xf32>, tensor<8x32xf32>
}

// -----

// The first has the part, the second copies it.
// CHECK-LABEL: @shared
// CHECK: %[[A:.*]] = linalg.exp
// CHECK: %[[B:.*]] = linalg.sqrt
// CHECK: %[[C:.*]] = linalg.abs
// CHECK: lathe.concat %[[A]], %[[B]] axis 1
// CHECK: %[[COPY:.*]] = linalg.copy {lathe.apart = ["'input' and 'concat': another concatenation has it"]} ins(%[[A]]
// CHECK: lathe.concat %[[C]], %[[COPY]] axis 1
func.func @shared(%x: tensor<8x16xf32>) -> (tensor<8x32xf32>, tensor<8x32xf32>) {
  %e0 = tensor.empty() : tensor<8x16xf32>
  %a = linalg.exp ins(%x : tensor<8x16xf32>) outs(%e0 : tensor<8x16xf32>) -> tensor<8x16xf32>
  %b = linalg.sqrt ins(%x : tensor<8x16xf32>) outs(%e0 : tensor<8x16xf32>) -> tensor<8x16xf32>
  %c = linalg.abs ins(%x : tensor<8x16xf32>) outs(%e0 : tensor<8x16xf32>) -> tensor<8x16xf32>
  %e = tensor.empty() : tensor<8x32xf32>
  %0 = tensor.insert_slice %a into %e[0, 0] [8, 16] [1, 1] : tensor<8x16xf32> into tensor<8x32xf32>
  %1 = tensor.insert_slice %b into %0[0, 16] [8, 16] [1, 1] : tensor<8x16xf32> into tensor<8x32xf32>
  %2 = tensor.insert_slice %c into %e[0, 0] [8, 16] [1, 1] : tensor<8x16xf32> into tensor<8x32xf32>
  %3 = tensor.insert_slice %a into %2[0, 16] [8, 16] [1, 1] : tensor<8x16xf32> into tensor<8x32xf32>
  return %1, %3 : tensor<8x32xf32>, tensor<8x32xf32>
}

// -----

// A loop that goes on in its memory would write over the parts.
// CHECK-LABEL: @no_start_of_a_loop
// CHECK: lathe.apart = ["'input' and 'concat': it is changed in place"]
func.func @no_start_of_a_loop(%x: tensor<8x16xf32>) -> tensor<8x32xf32> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c9 = arith.constant 9 : index
  %e0 = tensor.empty() : tensor<8x16xf32>
  %a = linalg.exp ins(%x : tensor<8x16xf32>) outs(%e0 : tensor<8x16xf32>) -> tensor<8x16xf32>
  %b = linalg.sqrt ins(%x : tensor<8x16xf32>) outs(%e0 : tensor<8x16xf32>) -> tensor<8x16xf32>
  %e = tensor.empty() : tensor<8x32xf32>
  %0 = tensor.insert_slice %a into %e[0, 0] [8, 16] [1, 1] : tensor<8x16xf32> into tensor<8x32xf32>
  %1 = tensor.insert_slice %b into %0[0, 16] [8, 16] [1, 1] : tensor<8x16xf32> into tensor<8x32xf32>
  %2 = scf.for %i = %c0 to %c9 step %c1 iter_args(%s = %1) -> tensor<8x32xf32> {
    %t = linalg.exp ins(%s : tensor<8x32xf32>) outs(%e : tensor<8x32xf32>) -> tensor<8x32xf32>
    scf.yield %t : tensor<8x32xf32>
  }
  return %2 : tensor<8x32xf32>
}

// -----

// CHECK-LABEL: @no_gap
// CHECK-NOT: lathe.concat
func.func @no_gap(%x: tensor<8x16xf32>) -> tensor<8x48xf32> {
  %e0 = tensor.empty() : tensor<8x16xf32>
  %a = linalg.exp ins(%x : tensor<8x16xf32>) outs(%e0 : tensor<8x16xf32>) -> tensor<8x16xf32>
  %e = tensor.empty() : tensor<8x48xf32>
  %0 = tensor.insert_slice %a into %e[0, 0] [8, 16] [1, 1] : tensor<8x16xf32> into tensor<8x48xf32>
  %1 = tensor.insert_slice %a into %0[0, 32] [8, 16] [1, 1] : tensor<8x16xf32> into tensor<8x48xf32>
  return %1 : tensor<8x48xf32>
}

// -----

// CHECK-LABEL: @no_fill_around
// CHECK-NOT: lathe.concat
func.func @no_fill_around(%x: tensor<8x16xf32>) -> tensor<8x32xf32> {
  %zero = arith.constant 0.0 : f32
  %e0 = tensor.empty() : tensor<8x16xf32>
  %a = linalg.exp ins(%x : tensor<8x16xf32>) outs(%e0 : tensor<8x16xf32>) -> tensor<8x16xf32>
  %e = tensor.empty() : tensor<8x32xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<8x32xf32>) -> tensor<8x32xf32>
  %0 = tensor.insert_slice %a into %f[0, 0] [8, 16] [1, 1] : tensor<8x16xf32> into tensor<8x32xf32>
  %1 = tensor.insert_slice %a into %0[0, 16] [8, 16] [1, 1] : tensor<8x16xf32> into tensor<8x32xf32>
  return %1 : tensor<8x32xf32>
}

// -----

// One kernel reads the first part beside the concatenation, two the second.
// CHECK-LABEL: @readers
// CHECK: lathe.concat
// READERS-LABEL: @readers
// READERS: %[[A:.*]] = linalg.exp
// READERS: %[[B:.*]] = linalg.sqrt
// READERS: %[[COPY:.*]] = linalg.copy {lathe.apart = ["'input' and 'concat': its other readers would lose more than a copy takes"]} ins(%[[B]]
// READERS: lathe.concat %[[A]], %[[COPY]]
func.func @readers(%x: tensor<8x16xf32>) -> (tensor<8x32xf32>, tensor<8x16xf32>, tensor<8x16xf32>) {
  %e0 = tensor.empty() : tensor<8x16xf32>
  %a = linalg.exp ins(%x : tensor<8x16xf32>) outs(%e0 : tensor<8x16xf32>) -> tensor<8x16xf32>
  %b = linalg.sqrt ins(%x : tensor<8x16xf32>) outs(%e0 : tensor<8x16xf32>) -> tensor<8x16xf32>
  %e = tensor.empty() : tensor<8x32xf32>
  %0 = tensor.insert_slice %a into %e[0, 0] [8, 16] [1, 1] : tensor<8x16xf32> into tensor<8x32xf32>
  %1 = tensor.insert_slice %b into %0[0, 16] [8, 16] [1, 1] : tensor<8x16xf32> into tensor<8x32xf32>
  %c = linalg.add ins(%a, %b : tensor<8x16xf32>, tensor<8x16xf32>) outs(%e0 : tensor<8x16xf32>) -> tensor<8x16xf32>
  %d = linalg.abs ins(%b : tensor<8x16xf32>) outs(%e0 : tensor<8x16xf32>) -> tensor<8x16xf32>
  return %1, %c, %d : tensor<8x32xf32>, tensor<8x16xf32>, tensor<8x16xf32>
}

// -----

// The sizes of the parts depend on data, that of all does not.
// CHECK-LABEL: @no_place_by_data
// CHECK: lathe.apart = ["'input' and 'concat': its sizes are not known when the program is entered"]
func.func @no_place_by_data(%x: tensor<?x16xf32> {lathe.dims = ["n", ""]}, %i: index) -> tensor<48x16xf32> {
  %n = lathe.bind "n" = %i
  %m = affine.apply affine_map<()[s0] -> (48 - s0)>()[%n]
  %e0 = tensor.empty(%n) : tensor<?x16xf32>
  %e1 = tensor.empty(%m) : tensor<?x16xf32>
  %zero = arith.constant 0.0 : f32
  %a = linalg.exp ins(%x : tensor<?x16xf32>) outs(%e0 : tensor<?x16xf32>) -> tensor<?x16xf32>
  %b = linalg.fill ins(%zero : f32) outs(%e1 : tensor<?x16xf32>) -> tensor<?x16xf32>
  %e = tensor.empty() : tensor<48x16xf32>
  %0 = tensor.insert_slice %a into %e[0, 0] [%n, 16] [1, 1] : tensor<?x16xf32> into tensor<48x16xf32>
  %1 = tensor.insert_slice %b into %0[%n, 0] [%m, 16] [1, 1] : tensor<?x16xf32> into tensor<48x16xf32>
  return %1 : tensor<48x16xf32>
}
