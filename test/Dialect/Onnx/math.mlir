// RUN: lathe-opt %s | lathe-opt | FileCheck %s

// CHECK-LABEL: func @abs(
// CHECK: onnx.Abs 
func.func @abs(%x: tensor<2x?xf32>) {
  %y = onnx.Abs %x
      : (tensor<2x?xf32>)
     -> tensor<2x?xf32>
  return
}

// CHECK-LABEL: func @acos(
// CHECK: onnx.Acos 
func.func @acos(%x: tensor<2x?xf32>) {
  %y = onnx.Acos %x
      : (tensor<2x?xf32>)
     -> tensor<2x?xf32>
  return
}

// CHECK-LABEL: func @acosh(
// CHECK: onnx.Acosh 
func.func @acosh(%x: tensor<2x?xf32>) {
  %y = onnx.Acosh %x
      : (tensor<2x?xf32>)
     -> tensor<2x?xf32>
  return
}

// CHECK-LABEL: func @asin(
// CHECK: onnx.Asin 
func.func @asin(%x: tensor<2x?xf32>) {
  %y = onnx.Asin %x
      : (tensor<2x?xf32>)
     -> tensor<2x?xf32>
  return
}

// CHECK-LABEL: func @asinh(
// CHECK: onnx.Asinh 
func.func @asinh(%x: tensor<2x?xf32>) {
  %y = onnx.Asinh %x
      : (tensor<2x?xf32>)
     -> tensor<2x?xf32>
  return
}

// CHECK-LABEL: func @atan(
// CHECK: onnx.Atan 
func.func @atan(%x: tensor<2x?xf32>) {
  %y = onnx.Atan %x
      : (tensor<2x?xf32>)
     -> tensor<2x?xf32>
  return
}

// CHECK-LABEL: func @atanh(
// CHECK: onnx.Atanh 
func.func @atanh(%x: tensor<2x?xf32>) {
  %y = onnx.Atanh %x
      : (tensor<2x?xf32>)
     -> tensor<2x?xf32>
  return
}

// CHECK-LABEL: func @cos(
// CHECK: onnx.Cos 
func.func @cos(%x: tensor<2x?xf32>) {
  %y = onnx.Cos %x
      : (tensor<2x?xf32>)
     -> tensor<2x?xf32>
  return
}

// CHECK-LABEL: func @cosh(
// CHECK: onnx.Cosh 
func.func @cosh(%x: tensor<2x?xf32>) {
  %y = onnx.Cosh %x
      : (tensor<2x?xf32>)
     -> tensor<2x?xf32>
  return
}

// CHECK-LABEL: func @sin(
// CHECK: onnx.Sin 
func.func @sin(%x: tensor<2x?xf32>) {
  %y = onnx.Sin %x
      : (tensor<2x?xf32>)
     -> tensor<2x?xf32>
  return
}

// CHECK-LABEL: func @sinh(
// CHECK: onnx.Sinh 
func.func @sinh(%x: tensor<2x?xf32>) {
  %y = onnx.Sinh %x
      : (tensor<2x?xf32>)
     -> tensor<2x?xf32>
  return
}

// CHECK-LABEL: func @tan(
// CHECK: onnx.Tan 
func.func @tan(%x: tensor<2x?xf32>) {
  %y = onnx.Tan %x
      : (tensor<2x?xf32>)
     -> tensor<2x?xf32>
  return
}

// CHECK-LABEL: func @tanh(
// CHECK: onnx.Tanh 
func.func @tanh(%x: tensor<2x?xf32>) {
  %y = onnx.Tanh %x
      : (tensor<2x?xf32>)
     -> tensor<2x?xf32>
  return
}

// CHECK-LABEL: func @ceil(
// CHECK: onnx.Ceil 
func.func @ceil(%x: tensor<2x?xf32>) {
  %y = onnx.Ceil %x
      : (tensor<2x?xf32>)
     -> tensor<2x?xf32>
  return
}

// CHECK-LABEL: func @erf(
// CHECK: onnx.Erf 
func.func @erf(%x: tensor<2x?xf32>) {
  %y = onnx.Erf %x
      : (tensor<2x?xf32>)
     -> tensor<2x?xf32>
  return
}

// CHECK-LABEL: func @exp(
// CHECK: onnx.Exp 
func.func @exp(%x: tensor<2x?xf32>) {
  %y = onnx.Exp %x
      : (tensor<2x?xf32>)
     -> tensor<2x?xf32>
  return
}

// CHECK-LABEL: func @floor(
// CHECK: onnx.Floor 
func.func @floor(%x: tensor<2x?xf32>) {
  %y = onnx.Floor %x
      : (tensor<2x?xf32>)
     -> tensor<2x?xf32>
  return
}

// CHECK-LABEL: func @identity(
// CHECK: onnx.Identity 
func.func @identity(%x: tensor<2x?xf32>) {
  %y = onnx.Identity %x
      : (tensor<2x?xf32>)
     -> tensor<2x?xf32>
  return
}

// CHECK-LABEL: func @log(
// CHECK: onnx.Log 
func.func @log(%x: tensor<2x?xf32>) {
  %y = onnx.Log %x
      : (tensor<2x?xf32>)
     -> tensor<2x?xf32>
  return
}

// CHECK-LABEL: func @neg(
// CHECK: onnx.Neg 
func.func @neg(%x: tensor<2x?xf32>) {
  %y = onnx.Neg %x
      : (tensor<2x?xf32>)
     -> tensor<2x?xf32>
  return
}

// CHECK-LABEL: func @reciprocal(
// CHECK: onnx.Reciprocal 
func.func @reciprocal(%x: tensor<2x?xf32>) {
  %y = onnx.Reciprocal %x
      : (tensor<2x?xf32>)
     -> tensor<2x?xf32>
  return
}

// CHECK-LABEL: func @round(
// CHECK: onnx.Round 
func.func @round(%x: tensor<2x?xf32>) {
  %y = onnx.Round %x
      : (tensor<2x?xf32>)
     -> tensor<2x?xf32>
  return
}

// CHECK-LABEL: func @sign(
// CHECK: onnx.Sign 
func.func @sign(%x: tensor<2x?xf32>) {
  %y = onnx.Sign %x
      : (tensor<2x?xf32>)
     -> tensor<2x?xf32>
  return
}

// CHECK-LABEL: func @sqrt(
// CHECK: onnx.Sqrt 
func.func @sqrt(%x: tensor<2x?xf32>) {
  %y = onnx.Sqrt %x
      : (tensor<2x?xf32>)
     -> tensor<2x?xf32>
  return
}

// CHECK-LABEL: func @clip(
// CHECK: onnx.Clip 
func.func @clip(%x: tensor<2x?xf32>, %lo: tensor<f32>, %none: none) {
  %y = onnx.Clip %x, %lo, %none
      : (tensor<2x?xf32>, tensor<f32>, none)
     -> tensor<2x?xf32>
  return
}

// CHECK-LABEL: func @add(
// CHECK: onnx.Add 
func.func @add(%a: tensor<2x?xf32>, %b: tensor<f32>) {
  %c = onnx.Add %a, %b
      : (tensor<2x?xf32>, tensor<f32>)
     -> tensor<2x?xf32>
  return
}

// CHECK-LABEL: func @div(
// CHECK: onnx.Div 
func.func @div(%a: tensor<2x?xf32>, %b: tensor<f32>) {
  %c = onnx.Div %a, %b
      : (tensor<2x?xf32>, tensor<f32>)
     -> tensor<2x?xf32>
  return
}

// CHECK-LABEL: func @mod(
// CHECK: onnx.Mod 
func.func @mod(%a: tensor<2x?xf32>, %b: tensor<f32>) {
  %c = onnx.Mod %a, %b
      : (tensor<2x?xf32>, tensor<f32>)
     -> tensor<2x?xf32>
  return
}

// CHECK-LABEL: func @mul(
// CHECK: onnx.Mul 
func.func @mul(%a: tensor<2x?xf32>, %b: tensor<f32>) {
  %c = onnx.Mul %a, %b
      : (tensor<2x?xf32>, tensor<f32>)
     -> tensor<2x?xf32>
  return
}

// CHECK-LABEL: func @pow(
// CHECK: onnx.Pow 
func.func @pow(%x: tensor<2x?xf32>, %y: tensor<i64>) {
  %z = onnx.Pow %x, %y
      : (tensor<2x?xf32>, tensor<i64>)
     -> tensor<2x?xf32>
  return
}

// CHECK-LABEL: func @sub(
// CHECK: onnx.Sub 
func.func @sub(%a: tensor<2x?xf32>, %b: tensor<f32>) {
  %c = onnx.Sub %a, %b
      : (tensor<2x?xf32>, tensor<f32>)
     -> tensor<2x?xf32>
  return
}

// CHECK-LABEL: func @max(
// CHECK: onnx.Max 
func.func @max(%a: tensor<2x?xf32>, %b: tensor<f32>) {
  %r = onnx.Max %a, %b
      : (tensor<2x?xf32>, tensor<f32>)
     -> tensor<2x?xf32>
  return
}

// CHECK-LABEL: func @mean(
// CHECK: onnx.Mean 
func.func @mean(%a: tensor<2x?xf32>, %b: tensor<f32>) {
  %r = onnx.Mean %a, %b
      : (tensor<2x?xf32>, tensor<f32>)
     -> tensor<2x?xf32>
  return
}

// CHECK-LABEL: func @min(
// CHECK: onnx.Min 
func.func @min(%a: tensor<2x?xf32>, %b: tensor<f32>) {
  %r = onnx.Min %a, %b
      : (tensor<2x?xf32>, tensor<f32>)
     -> tensor<2x?xf32>
  return
}

// CHECK-LABEL: func @sum(
// CHECK: onnx.Sum 
func.func @sum(%a: tensor<2x?xf32>, %b: tensor<f32>) {
  %r = onnx.Sum %a, %b
      : (tensor<2x?xf32>, tensor<f32>)
     -> tensor<2x?xf32>
  return
}

// CHECK-LABEL: func @bitwise_and(
// CHECK: onnx.BitwiseAnd 
func.func @bitwise_and(%a: tensor<2x?xi32>, %b: tensor<i32>) {
  %c = onnx.BitwiseAnd %a, %b
      : (tensor<2x?xi32>, tensor<i32>)
     -> tensor<2x?xi32>
  return
}

// CHECK-LABEL: func @bitwise_or(
// CHECK: onnx.BitwiseOr 
func.func @bitwise_or(%a: tensor<2x?xi32>, %b: tensor<i32>) {
  %c = onnx.BitwiseOr %a, %b
      : (tensor<2x?xi32>, tensor<i32>)
     -> tensor<2x?xi32>
  return
}

// CHECK-LABEL: func @bitwise_xor(
// CHECK: onnx.BitwiseXor 
func.func @bitwise_xor(%a: tensor<2x?xi32>, %b: tensor<i32>) {
  %c = onnx.BitwiseXor %a, %b
      : (tensor<2x?xi32>, tensor<i32>)
     -> tensor<2x?xi32>
  return
}

// CHECK-LABEL: func @bitwise_not(
// CHECK: onnx.BitwiseNot 
func.func @bitwise_not(%x: tensor<2x?xi32>) {
  %y = onnx.BitwiseNot %x
      : (tensor<2x?xi32>)
     -> tensor<2x?xi32>
  return
}

// CHECK-LABEL: func @bit_shift(
// CHECK: onnx.BitShift 
func.func @bit_shift(%a: tensor<2x?xui32>, %b: tensor<ui32>) {
  %c = onnx.BitShift %a, %b {direction = "LEFT"}
      : (tensor<2x?xui32>, tensor<ui32>)
     -> tensor<2x?xui32>
  return
}

// CHECK-LABEL: func @cum_sum(
// CHECK: onnx.CumSum 
func.func @cum_sum(%x: tensor<2x?xf32>, %axis: tensor<i64>) {
  %y = onnx.CumSum %x, %axis
      : (tensor<2x?xf32>, tensor<i64>)
     -> tensor<2x?xf32>
  return
}

// CHECK-LABEL: func @cum_prod(
// CHECK: onnx.CumProd 
func.func @cum_prod(%x: tensor<2x?xf32>, %axis: tensor<i64>) {
  %y = onnx.CumProd %x, %axis
      : (tensor<2x?xf32>, tensor<i64>)
     -> tensor<2x?xf32>
  return
}

// CHECK-LABEL: func @det(
// CHECK: onnx.Det
func.func @det(%x: tensor<2x3x3xf32>) {
  %y = onnx.Det %x : (tensor<2x3x3xf32>) -> tensor<2xf32>
  return
}
