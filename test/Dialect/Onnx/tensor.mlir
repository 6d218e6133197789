// RUN: lathe-opt %s | lathe-opt | FileCheck %s

// CHECK-LABEL: func @constant(
// CHECK: onnx.Constant
func.func @constant() {
  %0 = onnx.Constant {value = dense<[1, 2]> : tensor<2xi64>}
      : ()
     -> tensor<2xi64>
  return
}

// CHECK-LABEL: func @none(
// CHECK: onnx.None
func.func @none() {
  %none = onnx.None
      : ()
     -> none
  return
}

// CHECK-LABEL: func @constant_of_shape(
// CHECK: onnx.ConstantOfShape 
func.func @constant_of_shape(%x: tensor<2xi64>) {
  %y = onnx.ConstantOfShape %x
      : (tensor<2xi64>)
     -> tensor<?x4xf32>
  return
}

// CHECK-LABEL: func @eye_like(
// CHECK: onnx.EyeLike 
func.func @eye_like(%x: tensor<3x4xf32>) {
  %y = onnx.EyeLike %x
      : (tensor<3x4xf32>)
     -> tensor<3x4xf32>
  return
}

// CHECK-LABEL: func @range(
// CHECK: onnx.Range 
func.func @range(%start: tensor<i64>, %limit: tensor<i64>, %delta: tensor<i64>) {
  %y = onnx.Range %start, %limit, %delta
      : (tensor<i64>, tensor<i64>, tensor<i64>)
     -> tensor<?xi64>
  return
}

// CHECK-LABEL: func @shape(
// CHECK: onnx.Shape 
func.func @shape(%x: tensor<2x?xf32>) {
  %y = onnx.Shape %x
      : (tensor<2x?xf32>)
     -> tensor<2xi64>
  return
}

// CHECK-LABEL: func @size(
// CHECK: onnx.Size 
func.func @size(%x: tensor<2x?xf32>) {
  %y = onnx.Size %x
      : (tensor<2x?xf32>)
     -> tensor<i64>
  return
}

// CHECK-LABEL: func @reshape(
// CHECK: onnx.Reshape 
func.func @reshape(%x: tensor<2x3xf32>, %shape: tensor<1xi64>) {
  %y = onnx.Reshape %x, %shape
      : (tensor<2x3xf32>, tensor<1xi64>)
     -> tensor<6xf32>
  return
}

// CHECK-LABEL: func @flatten(
// CHECK: onnx.Flatten 
func.func @flatten(%x: tensor<2x3x4xf32>) {
  %y = onnx.Flatten %x
      : (tensor<2x3x4xf32>)
     -> tensor<2x12xf32>
  return
}

// CHECK-LABEL: func @squeeze(
// CHECK: onnx.Squeeze 
func.func @squeeze(%x: tensor<2x1xf32>, %axes: tensor<1xi64>) {
  %y = onnx.Squeeze %x, %axes
      : (tensor<2x1xf32>, tensor<1xi64>)
     -> tensor<2xf32>
  return
}

// CHECK-LABEL: func @unsqueeze(
// CHECK: onnx.Unsqueeze 
func.func @unsqueeze(%x: tensor<2xf32>, %axes: tensor<1xi64>) {
  %y = onnx.Unsqueeze %x, %axes
      : (tensor<2xf32>, tensor<1xi64>)
     -> tensor<2x1xf32>
  return
}

// CHECK-LABEL: func @expand(
// CHECK: onnx.Expand 
func.func @expand(%x: tensor<2x1xf32>, %shape: tensor<2xi64>) {
  %y = onnx.Expand %x, %shape
      : (tensor<2x1xf32>, tensor<2xi64>)
     -> tensor<2x5xf32>
  return
}

// CHECK-LABEL: func @transpose(
// CHECK: onnx.Transpose 
func.func @transpose(%x: tensor<2x?xf32>) {
  %y = onnx.Transpose %x {perm = array<i64: 1, 0>}
      : (tensor<2x?xf32>)
     -> tensor<?x2xf32>
  return
}

// CHECK-LABEL: func @concat(
// CHECK: onnx.Concat 
func.func @concat(%a: tensor<2x?xf32>, %b: tensor<3x?xf32>) {
  %y = onnx.Concat %a, %b {axis = 0 : i64}
      : (tensor<2x?xf32>, tensor<3x?xf32>)
     -> tensor<5x?xf32>
  return
}

// CHECK-LABEL: func @split(
// CHECK: onnx.Split 
func.func @split(%x: tensor<2x4xf32>, %none: none) {
  %y:2 = onnx.Split %x, %none {axis = 1 : i64, num_outputs = 2 : i64}
      : (tensor<2x4xf32>, none)
     -> (tensor<2x2xf32>, tensor<2x2xf32>)
  return
}

// CHECK-LABEL: func @slice(
// CHECK: onnx.Slice 
func.func @slice(%x: tensor<2x8xf32>, %starts: tensor<1xi64>, %ends: tensor<1xi64>, %axes: tensor<1xi64>, %none: none) {
  %y = onnx.Slice %x, %starts, %ends, %axes, %none
      : (tensor<2x8xf32>, tensor<1xi64>, tensor<1xi64>, tensor<1xi64>, none)
     -> tensor<2x3xf32>
  return
}

// CHECK-LABEL: func @tile(
// CHECK: onnx.Tile 
func.func @tile(%x: tensor<2x3xf32>, %repeats: tensor<2xi64>) {
  %y = onnx.Tile %x, %repeats
      : (tensor<2x3xf32>, tensor<2xi64>)
     -> tensor<4x3xf32>
  return
}

// CHECK-LABEL: func @pad(
// CHECK: onnx.Pad 
func.func @pad(%x: tensor<2x3xf32>, %pads: tensor<4xi64>, %none: none) {
  %y = onnx.Pad %x, %pads, %none, %none
      : (tensor<2x3xf32>, tensor<4xi64>, none, none)
     -> tensor<4x3xf32>
  return
}

// CHECK-LABEL: func @trilu(
// CHECK: onnx.Trilu 
func.func @trilu(%x: tensor<3x3xf32>, %none: none) {
  %y = onnx.Trilu %x, %none
      : (tensor<3x3xf32>, none)
     -> tensor<3x3xf32>
  return
}

// CHECK-LABEL: func @depth_to_space(
// CHECK: onnx.DepthToSpace 
func.func @depth_to_space(%x: tensor<1x8x2x3xf32>) {
  %y = onnx.DepthToSpace %x {blocksize = 2 : i64}
      : (tensor<1x8x2x3xf32>)
     -> tensor<1x2x4x6xf32>
  return
}

// CHECK-LABEL: func @space_to_depth(
// CHECK: onnx.SpaceToDepth 
func.func @space_to_depth(%x: tensor<1x2x4x6xf32>) {
  %y = onnx.SpaceToDepth %x {blocksize = 2 : i64}
      : (tensor<1x2x4x6xf32>)
     -> tensor<1x8x2x3xf32>
  return
}

// CHECK-LABEL: func @resize(
// CHECK: onnx.Resize 
func.func @resize(%x: tensor<1x1x2x2xf32>, %none: none, %scales: tensor<4xf32>) {
  %y = onnx.Resize %x, %none, %scales, %none
      : (tensor<1x1x2x2xf32>, none, tensor<4xf32>, none)
     -> tensor<1x1x4x4xf32>
  return
}

// CHECK-LABEL: func @gather(
// CHECK: onnx.Gather 
func.func @gather(%x: tensor<5x?xf32>, %i: tensor<3xi64>) {
  %y = onnx.Gather %x, %i
      : (tensor<5x?xf32>, tensor<3xi64>)
     -> tensor<3x?xf32>
  return
}

// CHECK-LABEL: func @gather_elements(
// CHECK: onnx.GatherElements 
func.func @gather_elements(%x: tensor<5x2xf32>, %i: tensor<3x2xi64>) {
  %y = onnx.GatherElements %x, %i
      : (tensor<5x2xf32>, tensor<3x2xi64>)
     -> tensor<3x2xf32>
  return
}

// CHECK-LABEL: func @gathernd(
// CHECK: onnx.GatherND 
func.func @gathernd(%x: tensor<5x2xf32>, %i: tensor<3x1xi64>) {
  %y = onnx.GatherND %x, %i
      : (tensor<5x2xf32>, tensor<3x1xi64>)
     -> tensor<3x2xf32>
  return
}

// CHECK-LABEL: func @scatter_elements(
// CHECK: onnx.ScatterElements 
func.func @scatter_elements(%x: tensor<5x2xf32>, %i: tensor<3x2xi64>, %u: tensor<3x2xf32>) {
  %y = onnx.ScatterElements %x, %i, %u
      : (tensor<5x2xf32>, tensor<3x2xi64>, tensor<3x2xf32>)
     -> tensor<5x2xf32>
  return
}

// CHECK-LABEL: func @scatternd(
// CHECK: onnx.ScatterND 
func.func @scatternd(%x: tensor<5x2xf32>, %i: tensor<3x1xi64>, %u: tensor<3x2xf32>) {
  %y = onnx.ScatterND %x, %i, %u
      : (tensor<5x2xf32>, tensor<3x1xi64>, tensor<3x2xf32>)
     -> tensor<5x2xf32>
  return
}

// CHECK-LABEL: func @one_hot(
// CHECK: onnx.OneHot 
func.func @one_hot(%i: tensor<3xi64>, %depth: tensor<i64>, %values: tensor<2xf32>) {
  %y = onnx.OneHot %i, %depth, %values
      : (tensor<3xi64>, tensor<i64>, tensor<2xf32>)
     -> tensor<3x?xf32>
  return
}

// CHECK-LABEL: func @topk(
// CHECK: onnx.TopK 
func.func @topk(%x: tensor<2x9xf32>, %k: tensor<1xi64>) {
  %v, %i = onnx.TopK %x, %k
      : (tensor<2x9xf32>, tensor<1xi64>)
     -> (tensor<2x?xf32>, tensor<2x?xi64>)
  return
}

// CHECK-LABEL: func @non_zero(
// CHECK: onnx.NonZero 
func.func @non_zero(%x: tensor<2x3xf32>) {
  %y = onnx.NonZero %x
      : (tensor<2x3xf32>)
     -> tensor<2x?xi64>
  return
}
