// RUN: lathe-opt %s --pass-pipeline='builtin.module(func.func(onnx-infer-shapes))' --split-input-file --verify-diagnostics

func.func @affine_grid_of_four_dimensions_of_space(%t: tensor<1x4x5xf32>) {
  %s = onnx.Constant {value = dense<[1, 1, 2, 2, 2, 2]> : tensor<6xi64>} : () -> tensor<6xi64>
  // expected-error @below {{expects a size of 4 or 5 numbers, got 6}}
  %g = onnx.AffineGrid %t, %s : (tensor<1x4x5xf32>, tensor<6xi64>) -> tensor<*xf32>
  return
}

// -----

func.func @grid_sample_cubic_volume(%x: tensor<1x1x4x4x4xf32>, %g: tensor<1x2x2x2x3xf32>) {
  // expected-error @below {{expects cubic mode with two dimensions of space, got 3}}
  %y = onnx.GridSample %x, %g {mode = "cubic"} : (tensor<1x1x4x4x4xf32>, tensor<1x2x2x2x3xf32>) -> tensor<*xf32>
  return
}

// -----

func.func @grid_sample_positions_of_three_numbers(%x: tensor<1x1x4x4xf32>, %g: tensor<1x2x2x3xf32>) {
  // expected-error @below {{expects positions of 2 numbers in operand #1, got 3}}
  %y = onnx.GridSample %x, %g : (tensor<1x1x4x4xf32>, tensor<1x2x2x3xf32>) -> tensor<*xf32>
  return
}

// -----

func.func @col2im_blocks(%x: tensor<1x5x6xf32>) {
  %i = onnx.Constant {value = dense<5> : tensor<2xi64>} : () -> tensor<2xi64>
  %b = onnx.Constant {value = dense<[1, 5]> : tensor<2xi64>} : () -> tensor<2xi64>
  // expected-error @below {{expects 5 blocks in operand #0, got 6}}
  %y = onnx.Col2Im %x, %i, %b : (tensor<1x5x6xf32>, tensor<2xi64>, tensor<2xi64>) -> tensor<*xf32>
  return
}

// -----

func.func @roi_align_regions(%x: tensor<1x3x10x10xf32>, %r: tensor<7x5xf32>, %b: tensor<7xi64>) {
  // expected-error @below {{expects regions of 4 numbers, got 5}}
  %y = onnx.RoiAlign %x, %r, %b : (tensor<1x3x10x10xf32>, tensor<7x5xf32>, tensor<7xi64>) -> tensor<*xf32>
  return
}

// -----

func.func @max_roi_pool_bins(%x: tensor<1x3x10x10xf32>, %r: tensor<7x5xf32>) {
  // expected-error @below {{expects 2 numbers in pooled_shape, got 3}}
  %y = onnx.MaxRoiPool %x, %r {pooled_shape = array<i64: 2, 2, 2>} : (tensor<1x3x10x10xf32>, tensor<7x5xf32>) -> tensor<*xf32>
  return
}

// -----

func.func @max_unpool_positions(%x: tensor<1x1x2x2xf32>, %i: tensor<1x1x2x3xi64>) {
  %none = onnx.None : () -> none
  // expected-error @below {{expects 2 positions in dimension 3, got 3}}
  %y = onnx.MaxUnpool %x, %i, %none {kernel_shape = array<i64: 2, 2>} : (tensor<1x1x2x2xf32>, tensor<1x1x2x3xi64>, none) -> tensor<*xf32>
  return
}

// -----

func.func @deform_conv_offsets(%x: tensor<1x1x3x3xf32>, %w: tensor<1x1x2x2xf32>, %o: tensor<1x4x2x2xf32>) {
  %none = onnx.None : () -> none
  // expected-error @below {{expects size 8 in operand #2, got 4}}
  %y = onnx.DeformConv %x, %w, %o, %none, %none : (tensor<1x1x3x3xf32>, tensor<1x1x2x2xf32>, tensor<1x4x2x2xf32>, none, none) -> tensor<*xf32>
  return
}
