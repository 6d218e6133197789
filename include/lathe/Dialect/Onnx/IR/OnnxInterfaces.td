// Part of the Lathe project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef LATHE_DIALECT_ONNX_IR_ONNXINTERFACES_TD
#define LATHE_DIALECT_ONNX_IR_ONNXINTERFACES_TD

include "mlir/IR/OpBase.td"

def ShapeInferenceOpInterface : OpInterface<"ShapeInferenceOpInterface"> {
  let cppNamespace = "::lathe::onnx";
  let description = [{
    The one rule of an op for the element types, the symbolic dimensions and,
    where they are small integer tensors, the contents of its results.
  }];
  let methods = [
    InterfaceMethod<[{
      Computes what is known of the results from what is known of the operands,
      both through `ctx`. Reports a contradiction on the op.
    }], "::llvm::LogicalResult", "inferShapes",
    (ins "::lathe::onnx::ShapeContext &":$ctx)>
  ];
}

def OperatorSchemaOpInterface : OpInterface<"OperatorSchemaOpInterface"> {
  let cppNamespace = "::lathe::onnx";
  let description = [{
    An op whose operator the ONNX library has no schema of. The op classes in
    OnnxBase.td read it off the op's own arguments and results.
  }];
  let methods = [
    StaticInterfaceMethod<"Inputs, results and attributes of the operator.",
                          "::lathe::onnx::OperatorSchema", "getSchema">
  ];
}

#endif // LATHE_DIALECT_ONNX_IR_ONNXINTERFACES_TD
