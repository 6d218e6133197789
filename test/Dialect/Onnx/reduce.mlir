// RUN: lathe-opt %s | lathe-opt | FileCheck %s

// CHECK-LABEL: func @reducel1(
// CHECK: onnx.ReduceL1 
func.func @reducel1(%x: tensor<2x?xf32>, %axes: tensor<1xi64>) {
  %r = onnx.ReduceL1 %x, %axes
      : (tensor<2x?xf32>, tensor<1xi64>)
     -> tensor<2x1xf32>
  return
}

// CHECK-LABEL: func @reducel2(
// CHECK: onnx.ReduceL2 
func.func @reducel2(%x: tensor<2x?xf32>, %axes: tensor<1xi64>) {
  %r = onnx.ReduceL2 %x, %axes
      : (tensor<2x?xf32>, tensor<1xi64>)
     -> tensor<2x1xf32>
  return
}

// CHECK-LABEL: func @reduce_log_sum(
// CHECK: onnx.ReduceLogSum 
func.func @reduce_log_sum(%x: tensor<2x?xf32>, %axes: tensor<1xi64>) {
  %r = onnx.ReduceLogSum %x, %axes
      : (tensor<2x?xf32>, tensor<1xi64>)
     -> tensor<2x1xf32>
  return
}

// CHECK-LABEL: func @reduce_log_sum_exp(
// CHECK: onnx.ReduceLogSumExp 
func.func @reduce_log_sum_exp(%x: tensor<2x?xf32>, %axes: tensor<1xi64>) {
  %r = onnx.ReduceLogSumExp %x, %axes
      : (tensor<2x?xf32>, tensor<1xi64>)
     -> tensor<2x1xf32>
  return
}

// CHECK-LABEL: func @reduce_max(
// CHECK: onnx.ReduceMax 
func.func @reduce_max(%x: tensor<2x?xf32>, %axes: tensor<1xi64>) {
  %r = onnx.ReduceMax %x, %axes
      : (tensor<2x?xf32>, tensor<1xi64>)
     -> tensor<2x1xf32>
  return
}

// CHECK-LABEL: func @reduce_mean(
// CHECK: onnx.ReduceMean 
func.func @reduce_mean(%x: tensor<2x?xf32>, %axes: tensor<1xi64>) {
  %r = onnx.ReduceMean %x, %axes
      : (tensor<2x?xf32>, tensor<1xi64>)
     -> tensor<2x1xf32>
  return
}

// CHECK-LABEL: func @reduce_min(
// CHECK: onnx.ReduceMin 
func.func @reduce_min(%x: tensor<2x?xf32>, %axes: tensor<1xi64>) {
  %r = onnx.ReduceMin %x, %axes
      : (tensor<2x?xf32>, tensor<1xi64>)
     -> tensor<2x1xf32>
  return
}

// CHECK-LABEL: func @reduce_prod(
// CHECK: onnx.ReduceProd 
func.func @reduce_prod(%x: tensor<2x?xf32>, %axes: tensor<1xi64>) {
  %r = onnx.ReduceProd %x, %axes
      : (tensor<2x?xf32>, tensor<1xi64>)
     -> tensor<2x1xf32>
  return
}

// CHECK-LABEL: func @reduce_sum(
// CHECK: onnx.ReduceSum 
func.func @reduce_sum(%x: tensor<2x?xf32>, %axes: tensor<1xi64>) {
  %r = onnx.ReduceSum %x, %axes
      : (tensor<2x?xf32>, tensor<1xi64>)
     -> tensor<2x1xf32>
  return
}

// CHECK-LABEL: func @reduce_sum_square(
// CHECK: onnx.ReduceSumSquare 
func.func @reduce_sum_square(%x: tensor<2x?xf32>, %axes: tensor<1xi64>) {
  %r = onnx.ReduceSumSquare %x, %axes
      : (tensor<2x?xf32>, tensor<1xi64>)
     -> tensor<2x1xf32>
  return
}

// CHECK-LABEL: func @arg_max(
// CHECK: onnx.ArgMax 
func.func @arg_max(%x: tensor<2x?xf32>) {
  %r = onnx.ArgMax %x {axis = 1 : i64}
      : (tensor<2x?xf32>)
     -> tensor<2x1xi64>
  return
}

// CHECK-LABEL: func @arg_min(
// CHECK: onnx.ArgMin 
func.func @arg_min(%x: tensor<2x?xf32>) {
  %r = onnx.ArgMin %x {axis = 1 : i64}
      : (tensor<2x?xf32>)
     -> tensor<2x1xi64>
  return
}
