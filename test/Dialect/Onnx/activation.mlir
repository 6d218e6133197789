// RUN: lathe-opt %s | lathe-opt | FileCheck %s

// CHECK-LABEL: func @celu(
// CHECK: onnx.Celu 
func.func @celu(%x: tensor<2x?xf32>) {
  %y = onnx.Celu %x
      : (tensor<2x?xf32>)
     -> tensor<2x?xf32>
  return
}

// CHECK-LABEL: func @elu(
// CHECK: onnx.Elu 
func.func @elu(%x: tensor<2x?xf32>) {
  %y = onnx.Elu %x
      : (tensor<2x?xf32>)
     -> tensor<2x?xf32>
  return
}

// CHECK-LABEL: func @gelu(
// CHECK: onnx.Gelu 
func.func @gelu(%x: tensor<2x?xf32>) {
  %y = onnx.Gelu %x
      : (tensor<2x?xf32>)
     -> tensor<2x?xf32>
  return
}

// CHECK-LABEL: func @hard_sigmoid(
// CHECK: onnx.HardSigmoid 
func.func @hard_sigmoid(%x: tensor<2x?xf32>) {
  %y = onnx.HardSigmoid %x
      : (tensor<2x?xf32>)
     -> tensor<2x?xf32>
  return
}

// CHECK-LABEL: func @hard_swish(
// CHECK: onnx.HardSwish 
func.func @hard_swish(%x: tensor<2x?xf32>) {
  %y = onnx.HardSwish %x
      : (tensor<2x?xf32>)
     -> tensor<2x?xf32>
  return
}

// CHECK-LABEL: func @leaky_relu(
// CHECK: onnx.LeakyRelu 
func.func @leaky_relu(%x: tensor<2x?xf32>) {
  %y = onnx.LeakyRelu %x
      : (tensor<2x?xf32>)
     -> tensor<2x?xf32>
  return
}

// CHECK-LABEL: func @mish(
// CHECK: onnx.Mish 
func.func @mish(%x: tensor<2x?xf32>) {
  %y = onnx.Mish %x
      : (tensor<2x?xf32>)
     -> tensor<2x?xf32>
  return
}

// CHECK-LABEL: func @relu(
// CHECK: onnx.Relu 
func.func @relu(%x: tensor<2x?xf32>) {
  %y = onnx.Relu %x
      : (tensor<2x?xf32>)
     -> tensor<2x?xf32>
  return
}

// CHECK-LABEL: func @selu(
// CHECK: onnx.Selu 
func.func @selu(%x: tensor<2x?xf32>) {
  %y = onnx.Selu %x
      : (tensor<2x?xf32>)
     -> tensor<2x?xf32>
  return
}

// CHECK-LABEL: func @shrink(
// CHECK: onnx.Shrink 
func.func @shrink(%x: tensor<2x?xf32>) {
  %y = onnx.Shrink %x
      : (tensor<2x?xf32>)
     -> tensor<2x?xf32>
  return
}

// CHECK-LABEL: func @sigmoid(
// CHECK: onnx.Sigmoid 
func.func @sigmoid(%x: tensor<2x?xf32>) {
  %y = onnx.Sigmoid %x
      : (tensor<2x?xf32>)
     -> tensor<2x?xf32>
  return
}

// CHECK-LABEL: func @softplus(
// CHECK: onnx.Softplus 
func.func @softplus(%x: tensor<2x?xf32>) {
  %y = onnx.Softplus %x
      : (tensor<2x?xf32>)
     -> tensor<2x?xf32>
  return
}

// CHECK-LABEL: func @softsign(
// CHECK: onnx.Softsign 
func.func @softsign(%x: tensor<2x?xf32>) {
  %y = onnx.Softsign %x
      : (tensor<2x?xf32>)
     -> tensor<2x?xf32>
  return
}

// CHECK-LABEL: func @swish(
// CHECK: onnx.Swish 
func.func @swish(%x: tensor<2x?xf32>) {
  %y = onnx.Swish %x
      : (tensor<2x?xf32>)
     -> tensor<2x?xf32>
  return
}

// CHECK-LABEL: func @thresholded_relu(
// CHECK: onnx.ThresholdedRelu 
func.func @thresholded_relu(%x: tensor<2x?xf32>) {
  %y = onnx.ThresholdedRelu %x
      : (tensor<2x?xf32>)
     -> tensor<2x?xf32>
  return
}

// CHECK-LABEL: func @p_relu(
// CHECK: onnx.PRelu 
func.func @p_relu(%a: tensor<2x?xf32>, %b: tensor<f32>) {
  %c = onnx.PRelu %a, %b
      : (tensor<2x?xf32>, tensor<f32>)
     -> tensor<2x?xf32>
  return
}

// CHECK-LABEL: func @swiglu(
// CHECK: onnx.SwiGLU 
func.func @swiglu(%a: tensor<2x?xf32>, %b: tensor<f32>) {
  %c = onnx.SwiGLU %a, %b
      : (tensor<2x?xf32>, tensor<f32>)
     -> tensor<2x?xf32>
  return
}
