// RUN: lathe-opt %s --split-input-file --onnx-raise-group-norm | FileCheck %s

// CHECK-LABEL: @groups
// CHECK-DAG: %[[S:.+]] = onnx.Constant {{.*}}value = dense<[1.000000e+00, 1.000000e+00, 2.000000e+00, 2.000000e+00]>
// CHECK-DAG: %[[B:.+]] = onnx.Constant {{.*}}value = dense<[0.000000e+00, 0.000000e+00, 5.000000e-01, 5.000000e-01]>
// CHECK: %[[Y:.+]] = onnx.GroupNormalization %arg0, %[[S]], %[[B]] {epsilon = 1.000000e-03 : f32, num_groups = 2 : i64}
// CHECK-NOT: onnx.InstanceNormalization
// CHECK: return %[[Y]]
func.func @groups(%x: tensor<?x4x3x3xf32>) -> tensor<?x4x3x3xf32> {
  %grouped = onnx.Constant {value = dense<[0, 2, -1]> : tensor<3xi64>} : () -> tensor<3xi64>
  %scale = onnx.Constant {value = dense<[1.0, 2.0]> : tensor<2xf32>} : () -> tensor<2xf32>
  %b = onnx.Constant {value = dense<[0.0, 0.5]> : tensor<2xf32>} : () -> tensor<2xf32>
  %0 = onnx.Reshape %x, %grouped : (tensor<?x4x3x3xf32>, tensor<3xi64>) -> tensor<?x2x18xf32>
  %1 = onnx.InstanceNormalization %0, %scale, %b {epsilon = 1.0e-3 : f32} : (tensor<?x2x18xf32>, tensor<2xf32>, tensor<2xf32>) -> tensor<?x2x18xf32>
  %shape = onnx.Shape %x : (tensor<?x4x3x3xf32>) -> tensor<4xi64>
  %2 = onnx.Reshape %1, %shape : (tensor<?x2x18xf32>, tensor<4xi64>) -> tensor<?x4x3x3xf32>
  return %2 : tensor<?x4x3x3xf32>
}

// -----

// Another shape at the end, or a batch that becomes channels.
// CHECK-LABEL: @others
// CHECK-COUNT-2: onnx.InstanceNormalization
func.func @others(%x: tensor<2x4x3x3xf32>) -> (tensor<2x4x9xf32>, tensor<2x4x3x3xf32>) {
  %grouped = onnx.Constant {value = dense<[0, 2, -1]> : tensor<3xi64>} : () -> tensor<3xi64>
  %mixed = onnx.Constant {value = dense<[4, 2, -1]> : tensor<3xi64>} : () -> tensor<3xi64>
  %scale = onnx.Constant {value = dense<1.0> : tensor<2xf32>} : () -> tensor<2xf32>
  %b = onnx.Constant {value = dense<0.0> : tensor<2xf32>} : () -> tensor<2xf32>
  %0 = onnx.Reshape %x, %grouped : (tensor<2x4x3x3xf32>, tensor<3xi64>) -> tensor<2x2x18xf32>
  %1 = onnx.InstanceNormalization %0, %scale, %b : (tensor<2x2x18xf32>, tensor<2xf32>, tensor<2xf32>) -> tensor<2x2x18xf32>
  %flat = onnx.Constant {value = dense<[2, 4, 9]> : tensor<3xi64>} : () -> tensor<3xi64>
  %2 = onnx.Reshape %1, %flat : (tensor<2x2x18xf32>, tensor<3xi64>) -> tensor<2x4x9xf32>
  %3 = onnx.Reshape %x, %mixed : (tensor<2x4x3x3xf32>, tensor<3xi64>) -> tensor<4x2x9xf32>
  %4 = onnx.InstanceNormalization %3, %scale, %b : (tensor<4x2x9xf32>, tensor<2xf32>, tensor<2xf32>) -> tensor<4x2x9xf32>
  %shape = onnx.Constant {value = dense<[2, 4, 3, 3]> : tensor<4xi64>} : () -> tensor<4xi64>
  %5 = onnx.Reshape %4, %shape : (tensor<4x2x9xf32>, tensor<4xi64>) -> tensor<2x4x3x3xf32>
  return %2, %5 : tensor<2x4x9xf32>, tensor<2x4x3x3xf32>
}

// -----

// The size of a group is supposed, and has to be checked.
// CHECK-LABEL: @supposed
// CHECK: onnx.InstanceNormalization
func.func @supposed(%x: tensor<?x4x?x3xf32>) -> tensor<?x4x?x3xf32> {
  %grouped = onnx.Constant {value = dense<[0, 2, 18]> : tensor<3xi64>} : () -> tensor<3xi64>
  %scale = onnx.Constant {value = dense<[1.0, 2.0]> : tensor<2xf32>} : () -> tensor<2xf32>
  %b = onnx.Constant {value = dense<[0.0, 0.5]> : tensor<2xf32>} : () -> tensor<2xf32>
  %0 = onnx.Reshape %x, %grouped : (tensor<?x4x?x3xf32>, tensor<3xi64>) -> tensor<?x2x18xf32>
  %1 = onnx.InstanceNormalization %0, %scale, %b : (tensor<?x2x18xf32>, tensor<2xf32>, tensor<2xf32>) -> tensor<?x2x18xf32>
  %shape = onnx.Shape %x : (tensor<?x4x?x3xf32>) -> tensor<4xi64>
  %2 = onnx.Reshape %1, %shape : (tensor<?x2x18xf32>, tensor<4xi64>) -> tensor<?x4x?x3xf32>
  return %2 : tensor<?x4x?x3xf32>
}
