// RUN: lathe-opt %s | lathe-opt | FileCheck %s

// CHECK-LABEL: func @equal(
// CHECK: onnx.Equal 
func.func @equal(%a: tensor<2x?xf32>, %b: tensor<f32>) {
  %c = onnx.Equal %a, %b
      : (tensor<2x?xf32>, tensor<f32>)
     -> tensor<2x?xi1>
  return
}

// CHECK-LABEL: func @greater(
// CHECK: onnx.Greater 
func.func @greater(%a: tensor<2x?xf32>, %b: tensor<f32>) {
  %c = onnx.Greater %a, %b
      : (tensor<2x?xf32>, tensor<f32>)
     -> tensor<2x?xi1>
  return
}

// CHECK-LABEL: func @greater_or_equal(
// CHECK: onnx.GreaterOrEqual 
func.func @greater_or_equal(%a: tensor<2x?xf32>, %b: tensor<f32>) {
  %c = onnx.GreaterOrEqual %a, %b
      : (tensor<2x?xf32>, tensor<f32>)
     -> tensor<2x?xi1>
  return
}

// CHECK-LABEL: func @less(
// CHECK: onnx.Less 
func.func @less(%a: tensor<2x?xf32>, %b: tensor<f32>) {
  %c = onnx.Less %a, %b
      : (tensor<2x?xf32>, tensor<f32>)
     -> tensor<2x?xi1>
  return
}

// CHECK-LABEL: func @less_or_equal(
// CHECK: onnx.LessOrEqual 
func.func @less_or_equal(%a: tensor<2x?xf32>, %b: tensor<f32>) {
  %c = onnx.LessOrEqual %a, %b
      : (tensor<2x?xf32>, tensor<f32>)
     -> tensor<2x?xi1>
  return
}

// CHECK-LABEL: func @and(
// CHECK: onnx.And 
func.func @and(%a: tensor<2x?xi1>, %b: tensor<i1>) {
  %c = onnx.And %a, %b
      : (tensor<2x?xi1>, tensor<i1>)
     -> tensor<2x?xi1>
  return
}

// CHECK-LABEL: func @or(
// CHECK: onnx.Or 
func.func @or(%a: tensor<2x?xi1>, %b: tensor<i1>) {
  %c = onnx.Or %a, %b
      : (tensor<2x?xi1>, tensor<i1>)
     -> tensor<2x?xi1>
  return
}

// CHECK-LABEL: func @xor(
// CHECK: onnx.Xor 
func.func @xor(%a: tensor<2x?xi1>, %b: tensor<i1>) {
  %c = onnx.Xor %a, %b
      : (tensor<2x?xi1>, tensor<i1>)
     -> tensor<2x?xi1>
  return
}

// CHECK-LABEL: func @not(
// CHECK: onnx.Not 
func.func @not(%x: tensor<2x?xi1>) {
  %y = onnx.Not %x
      : (tensor<2x?xi1>)
     -> tensor<2x?xi1>
  return
}

// CHECK-LABEL: func @is_inf(
// CHECK: onnx.IsInf 
func.func @is_inf(%x: tensor<2x?xf32>) {
  %y = onnx.IsInf %x
      : (tensor<2x?xf32>)
     -> tensor<2x?xi1>
  return
}

// CHECK-LABEL: func @is_nan(
// CHECK: onnx.IsNaN 
func.func @is_nan(%x: tensor<2x?xf32>) {
  %y = onnx.IsNaN %x
      : (tensor<2x?xf32>)
     -> tensor<2x?xi1>
  return
}

// CHECK-LABEL: func @where(
// CHECK: onnx.Where 
func.func @where(%c: tensor<2x?xi1>, %x: tensor<f32>, %y: tensor<2x1xf32>) {
  %r = onnx.Where %c, %x, %y
      : (tensor<2x?xi1>, tensor<f32>, tensor<2x1xf32>)
     -> tensor<2x?xf32>
  return
}

// CHECK-LABEL: func @cast(
// CHECK: onnx.Cast 
func.func @cast(%x: tensor<2x?xi64>) {
  %y = onnx.Cast %x {to = 1 : i64}
      : (tensor<2x?xi64>)
     -> tensor<2x?xf32>
  return
}

// CHECK-LABEL: func @cast_like(
// CHECK: onnx.CastLike 
func.func @cast_like(%x: tensor<2x?xi64>, %t: tensor<f32>) {
  %y = onnx.CastLike %x, %t
      : (tensor<2x?xi64>, tensor<f32>)
     -> tensor<2x?xf32>
  return
}

// CHECK-LABEL: func @bit_cast(
// CHECK: onnx.BitCast 
func.func @bit_cast(%x: tensor<2x?xf32>) {
  %y = onnx.BitCast %x {to = 6 : i64}
      : (tensor<2x?xf32>)
     -> tensor<2x?xi32>
  return
}
