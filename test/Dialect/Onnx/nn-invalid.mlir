// RUN: lathe-opt %s --split-input-file --onnx-infer-shapes --verify-diagnostics

func.func @batch_norm_without_channels(%x: tensor<3xf32>, %s: tensor<3xf32>) {
  // expected-error @below {{expects operand #0 of rank at least 2, got rank 1}}
  %0, %1, %2 = onnx.BatchNormalization %x, %s, %s, %s, %s : (tensor<3xf32>, tensor<3xf32>, tensor<3xf32>, tensor<3xf32>, tensor<3xf32>) -> (tensor<3xf32>, tensor<3xf32>, tensor<3xf32>)
  return
}

// -----

func.func @instance_norm_of_a_scalar(%x: tensor<f32>, %s: tensor<1xf32>) {
  // expected-error @below {{expects operand #0 of rank at least 2, got rank 0}}
  %0 = onnx.InstanceNormalization %x, %s, %s : (tensor<f32>, tensor<1xf32>, tensor<1xf32>) -> tensor<f32>
  return
}

// -----

func.func @instance_norm_scale_of_other_channels(%x: tensor<1x3x4xf32>, %s: tensor<5xf32>, %b: tensor<3xf32>) {
  // expected-error @below {{expects 3 channels in operand #1, got 5}}
  %0 = onnx.InstanceNormalization %x, %s, %b : (tensor<1x3x4xf32>, tensor<5xf32>, tensor<3xf32>) -> tensor<1x3x4xf32>
  return
}

// -----

func.func @group_norm_of_unequal_groups(%x: tensor<1x3x4xf32>, %s: tensor<3xf32>) {
  // expected-error @below {{expects channels in 2 groups of one size, got 3}}
  %0 = onnx.GroupNormalization %x, %s, %s {num_groups = 2 : i64} : (tensor<1x3x4xf32>, tensor<3xf32>, tensor<3xf32>) -> tensor<1x3x4xf32>
  return
}

// -----

func.func @group_norm_scale_of_rank_2(%x: tensor<1x4x4xf32>, %s: tensor<2x2xf32>) {
  // expected-error @below {{expects operand #1 of rank 1, got rank 2}}
  %0 = onnx.GroupNormalization %x, %s, %s {num_groups = 2 : i64} : (tensor<1x4x4xf32>, tensor<2x2xf32>, tensor<2x2xf32>) -> tensor<1x4x4xf32>
  return
}

// -----

func.func @layer_norm_scale_wider_than_the_data(%x: tensor<2x1xf32>, %s: tensor<8xf32>, %none: none) {
  // expected-error @below {{expects operand #1 to broadcast to operand #0, got size 8 over 1}}
  %0, %1, %2 = onnx.LayerNormalization %x, %s, %none : (tensor<2x1xf32>, tensor<8xf32>, none) -> (tensor<2x1xf32>, tensor<2x1xf32>, tensor<2x1xf32>)
  return
}

// -----

func.func @rms_norm_scale_of_higher_rank(%x: tensor<8xf32>, %s: tensor<1x8xf32>) {
  // expected-error @below {{expects operand #1 of rank at most 1, got rank 2}}
  %0 = onnx.RMSNormalization %x, %s : (tensor<8xf32>, tensor<1x8xf32>) -> tensor<8xf32>
  return
}

// -----

func.func @mean_variance_over_an_axis_twice(%x: tensor<2x3xf32>) {
  // expected-error @below {{expects distinct axes, got -1 twice}}
  %0 = onnx.MeanVarianceNormalization %x {axes = array<i64: 1, -1>} : (tensor<2x3xf32>) -> tensor<2x3xf32>
  return
}

// -----

func.func @lrn_without_channels(%x: tensor<3xf32>) {
  // expected-error @below {{expects operand #0 of rank at least 2, got rank 1}}
  %0 = onnx.LRN %x {size = 3 : i64} : (tensor<3xf32>) -> tensor<3xf32>
  return
}
