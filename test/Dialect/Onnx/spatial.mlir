// RUN: lathe-opt %s | lathe-opt | FileCheck %s

// CHECK-LABEL: func @affine_grid(
// CHECK: onnx.AffineGrid
func.func @affine_grid(%theta: tensor<2x2x3xf32>, %size: tensor<4xi64>) {
  %g = onnx.AffineGrid %theta, %size : (tensor<2x2x3xf32>, tensor<4xi64>) -> tensor<2x5x6x2xf32>
  return
}

// CHECK-LABEL: func @grid_sample(
// CHECK: onnx.GridSample
func.func @grid_sample(%x: tensor<1x3x4x4xf32>, %grid: tensor<1x6x6x2xf32>) {
  %y = onnx.GridSample %x, %grid : (tensor<1x3x4x4xf32>, tensor<1x6x6x2xf32>) -> tensor<1x3x6x6xf32>
  return
}

// CHECK-LABEL: func @col2_im(
// CHECK: onnx.Col2Im
func.func @col2_im(%x: tensor<1x5x5xf32>, %image: tensor<2xi64>, %block: tensor<2xi64>) {
  %y = onnx.Col2Im %x, %image, %block : (tensor<1x5x5xf32>, tensor<2xi64>, tensor<2xi64>) -> tensor<1x1x5x5xf32>
  return
}

// CHECK-LABEL: func @roi_align(
// CHECK: onnx.RoiAlign
func.func @roi_align(%x: tensor<1x3x10x10xf32>, %rois: tensor<7x4xf32>, %batch: tensor<7xi64>) {
  %y = onnx.RoiAlign %x, %rois, %batch {output_height = 5 : i64, output_width = 5 : i64} : (tensor<1x3x10x10xf32>, tensor<7x4xf32>, tensor<7xi64>) -> tensor<7x3x5x5xf32>
  return
}

// CHECK-LABEL: func @max_roi_pool(
// CHECK: onnx.MaxRoiPool
func.func @max_roi_pool(%x: tensor<1x3x10x10xf32>, %rois: tensor<7x5xf32>) {
  %y = onnx.MaxRoiPool %x, %rois {pooled_shape = array<i64: 2, 2>} : (tensor<1x3x10x10xf32>, tensor<7x5xf32>) -> tensor<7x3x2x2xf32>
  return
}

// CHECK-LABEL: func @max_unpool(
// CHECK: onnx.MaxUnpool
func.func @max_unpool(%x: tensor<1x1x2x2xf32>, %i: tensor<1x1x2x2xi64>) {
  %none = onnx.None : () -> none
  %y = onnx.MaxUnpool %x, %i, %none {kernel_shape = array<i64: 2, 2>, strides = array<i64: 2, 2>} : (tensor<1x1x2x2xf32>, tensor<1x1x2x2xi64>, none) -> tensor<1x1x4x4xf32>
  return
}

// CHECK-LABEL: func @deform_conv(
// CHECK: onnx.DeformConv
func.func @deform_conv(%x: tensor<1x1x3x3xf32>, %w: tensor<1x1x2x2xf32>, %offset: tensor<1x8x2x2xf32>) {
  %none = onnx.None : () -> none
  %y = onnx.DeformConv %x, %w, %offset, %none, %none : (tensor<1x1x3x3xf32>, tensor<1x1x2x2xf32>, tensor<1x8x2x2xf32>, none, none) -> tensor<1x1x2x2xf32>
  return
}
