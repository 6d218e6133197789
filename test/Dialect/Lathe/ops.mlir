// RUN: lathe-opt %s | lathe-opt | FileCheck %s
// RUN: lathe-opt %s -emit-bytecode | lathe-opt | FileCheck %s
// RUN: lathe-opt %s -canonicalize | FileCheck %s --check-prefix=FOLD

// CHECK-LABEL: lathe.kernel @relu(
// CHECK-SAME: tensor<?x64xf32>, %{{.*}}: index) -> (tensor<?x64xf32>) input_dims {{\[\[0\]\]}} result_dims {{\[\[0\]\]}} attributes {lathe.cost = #{{.*}}}
// CHECK: lathe.yield
lathe.kernel @relu(%x: tensor<?x64xf32>, %b: index) -> (tensor<?x64xf32>)
    input_dims [[0]] result_dims [[0]] attributes {lathe.cost = affine_map<()[s0] -> (s0, s0)>} {
  lathe.yield %x : tensor<?x64xf32>
}

// Buffer form: outputs are arguments, nothing is yielded.
// CHECK-LABEL: lathe.kernel @copy(
// CHECK-SAME: memref<4xf32>, %{{.*}}: memref<4xf32>) -> (tensor<4xf32>) input_dims {{\[\[\]\]}} result_dims {{\[\[\]\]}}
// CHECK: lathe.yield
lathe.kernel @copy(%x: memref<4xf32>, %y: memref<4xf32>) -> (tensor<4xf32>) input_dims [[]] result_dims [[]] {
  memref.copy %x, %y : memref<4xf32> to memref<4xf32>
  lathe.yield
}

// CHECK-LABEL: func.func @program
// CHECK: %[[B:.*]] = lathe.symbol "batch"
// CHECK: lathe.weight dense<1.0{{.*}}> : tensor<3x2xf32> recipe [#lathe.permute<[1, 0]>, #lathe.reshape<[6]>, #lathe.slice<2, [4]>, #lathe.panel<2>, #lathe.scale<0, dense<2.0{{.*}}> : tensor<2xf32>>] : tensor<2x2xf32>
// CHECK: recipe [#lathe.panel<2>, #lathe.convert<bf16>] : tensor<1x3x2xbf16>
// CHECK: lathe.launch @relu(%{{.*}}) [%[[B]]] {nodes = ["relu"]} : (tensor<?x64xf32>) -> tensor<?x64xf32>
// CHECK: lathe.view %{{.*}}[%[[B]]] : tensor<?x64xf32> to tensor<?x8x8xf32>
// CHECK: lathe.slice %{{.*}}[%[[B]]] : tensor<?x64xf32> to tensor<64xf32>
// CHECK: lathe.insert %{{.*}} into %{{.*}}[%[[B]]] : tensor<64xf32> into tensor<?x64xf32>
func.func @program(%x: tensor<?x64xf32>) -> (tensor<?x8x8xf32>, tensor<?x64xf32>, tensor<2x2xf32>, tensor<1x3x2xbf16>) {
  %b = lathe.symbol "batch"
  %w = lathe.weight dense<1.0> : tensor<3x2xf32> recipe [#lathe.permute<[1, 0]>, #lathe.reshape<[6]>, #lathe.slice<2, [4]>, #lathe.panel<2>, #lathe.scale<0, dense<2.0> : tensor<2xf32>>] : tensor<2x2xf32>
  %h = lathe.weight dense<1.0> : tensor<3x2xf32> recipe [#lathe.panel<2>, #lathe.convert<bf16>] : tensor<1x3x2xbf16>
  %r = lathe.launch @relu(%x) [%b] {nodes = ["relu"]} : (tensor<?x64xf32>) -> tensor<?x64xf32>
  %v = lathe.view %r [%b] : tensor<?x64xf32> to tensor<?x8x8xf32>
  %s = lathe.slice %r [%b] : tensor<?x64xf32> to tensor<64xf32>
  %i = lathe.insert %s into %r [%b] : tensor<64xf32> into tensor<?x64xf32>
  return %v, %i, %w, %h : tensor<?x8x8xf32>, tensor<?x64xf32>, tensor<2x2xf32>, tensor<1x3x2xbf16>
}

// A view of a view reads the first source; one of the same shape is nothing.
// FOLD-LABEL: @views
// FOLD: %[[V:.*]] = lathe.view %arg0 : tensor<4x6xf32> to tensor<24xf32>
// FOLD: return %arg0, %[[V]]
func.func @views(%x: tensor<4x6xf32>) -> (tensor<4x6xf32>, tensor<24xf32>) {
  %0 = lathe.view %x : tensor<4x6xf32> to tensor<4x6xf32>
  %1 = lathe.view %x : tensor<4x6xf32> to tensor<2x12xf32>
  %2 = lathe.view %1 : tensor<2x12xf32> to tensor<24xf32>
  return %0, %2 : tensor<4x6xf32>, tensor<24xf32>
}

// CHECK-LABEL: @sizes_from_data
// CHECK: %[[N:.+]] = lathe.bind "n" = %{{.+}} max %{{.+}}
// CHECK: lathe.bind "m" = %[[N]]
// CHECK: lathe.insert %{{.+}} into %{{.+}}[%[[N]]] grows : tensor<4xf32> into tensor<?x4xf32>
func.func @sizes_from_data(%i: index, %max: index, %s: tensor<4xf32>, %d: tensor<?x4xf32>) -> tensor<?x4xf32> {
  %n = lathe.bind "n" = %i max %max
  %m = lathe.bind "m" = %n
  %0 = lathe.insert %s into %d[%n] grows : tensor<4xf32> into tensor<?x4xf32>
  return %0 : tensor<?x4xf32>
}

// CHECK-LABEL: @grid(
// CHECK: lathe.grid[%{{.+}}] dims[%{{.+}}] loops [array<i64: 0, -1>]
// CHECK: ^bb0(%{{.+}}: index, %{{.+}}: tensor<1x4xf32>):
func.func @grid(%n: index) -> tensor<?x4xf32> {
  %y = lathe.grid [%n] dims [%n] loops [array<i64: 0, -1>] {
  ^bb0(%i: index, %row: tensor<1x4xf32>):
    lathe.yield %row : tensor<1x4xf32>
  } : tensor<?x4xf32>
  return %y : tensor<?x4xf32>
}

// CHECK-LABEL: @concat
// CHECK: lathe.concat %{{.*}}, %{{.*}} dims[%[[N:.*]]] axis 1 : (tensor<?x3xf32>, tensor<?x4xf32>) -> tensor<?x7xf32>
// CHECK: lathe.concat %{{.*}}, %{{.*}} axis 0 : (tensor<2xf32>, tensor<3xf32>) -> tensor<5xf32>
func.func @concat(%a: tensor<?x3xf32>, %b: tensor<?x4xf32>, %c: tensor<2xf32>, %d: tensor<3xf32>, %n: index)
    -> (tensor<?x7xf32>, tensor<5xf32>) {
  %0 = lathe.concat %a, %b dims [%n] axis 1 : (tensor<?x3xf32>, tensor<?x4xf32>) -> tensor<?x7xf32>
  %1 = lathe.concat %c, %d axis 0 : (tensor<2xf32>, tensor<3xf32>) -> tensor<5xf32>
  return %0, %1 : tensor<?x7xf32>, tensor<5xf32>
}
