// RUN: lathe-opt %s --split-input-file | lathe-opt --split-input-file | FileCheck %s

// CHECK-LABEL: func @call(
// CHECK: lathe.literal dense<["a", "b"]> : tensor<2x!onnx.string>
// CHECK: lathe.literal unit
// CHECK: lathe.call "sequence_at"(%{{.*}}, %{{.*}}) dims[%{{.*}}] {types = [none, i64, f32]} : (!lathe.value, tensor<i64>) -> tensor<?x3xf32>
// CHECK: lathe.value_size %{{.*}}[0]
func.func @call(%s: !lathe.value, %i: tensor<i64>, %n: index) -> index {
  %0 = lathe.literal dense<["a", "b"]> : tensor<2x!onnx.string>
  %1 = lathe.literal unit
  %2 = lathe.call "sequence_at"(%s, %i) dims [%n] {types = [none, i64, f32]} : (!lathe.value, tensor<i64>) -> tensor<?x3xf32>
  %3 = lathe.call "string_reshape"(%0) sizes [%n, %n] {types = [none, none]} : (!lathe.value) -> !lathe.value
  %4 = lathe.value_size %3[0]
  return %4 : index
}
