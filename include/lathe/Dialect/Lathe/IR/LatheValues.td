// Part of the Lathe project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Values of the program that are not tensors of numbers, and the library
// functions of the runtime that make and read them.

#ifndef LATHE_DIALECT_LATHE_IR_LATHEVALUES_TD
#define LATHE_DIALECT_LATHE_IR_LATHEVALUES_TD

def Lathe_Value : TypeDef<Lathe_Dialect, "Value"> {
  let mnemonic = "value";
  let summary = "A host value: strings, a sequence, a map, an optional";
  let description = [{
    A handle with value semantics: what is shared is never changed. Also a tensor
    whose rank is not known. Lives on the host, never in the arena; kernels do not
    see it.
  }];
}

def Lathe_LiteralOp : Lathe_Op<"literal", [Pure]> {
  let summary = "Names a constant that library functions read";
  let description = [{
    A tensor of strings or numbers, or (`unit`) the absence of an operand.

    ```mlir
    %0 = lathe.literal dense<["a", "b"]> : tensor<2x!onnx.string>
    %1 = lathe.literal unit
    ```
  }];
  let arguments = (ins AnyAttr:$value);
  let results = (outs Lathe_Value:$result);
  let assemblyFormat = "$value attr-dict";
  let hasVerifier = 1;
}

def Lathe_CallOp : Lathe_Op<"call", [AttrSizedOperandSegments,
    DeclareOpInterfaceMethods<ReifyRankedShapedTypeOpInterface,
        ["reifyResultShapes"]>]> {
  let summary = "Calls a library function of the runtime";
  let description = [{
    `function` names the C function `lathe_rt_lib_<function>`. It reads values and
    tensors and makes values, or writes tensors where the program wants them;
    then `dims` are their dynamic sizes, in order, and the function fails where
    its result has another type or shape. So `identity` from a value to a tensor
    is a checked cast. `ints` are what the compiler knows, `sizes` what is known
    when the program runs. `types` are the element types in ONNX of the inputs and
    the results, `none` for values.

    [C1] `types` has one entry per input and result.
    [C2] There is one size in `dims` per dynamic dimension of the results.

    ```mlir
    %0 = lathe.call "sequence_at"(%s, %i) {types = [none, i64, f32]} : (!lathe.value, tensor<i64>) -> tensor<2x3xf32>
    ```
  }];
  let arguments = (ins StrAttr:$function,
                       Variadic<AnyTypeOf<[Lathe_Value, AnyRankedTensor]>>:$inputs,
                       Variadic<Index>:$sizes, Variadic<Index>:$dims,
                       DefaultValuedAttr<DenseI64ArrayAttr, "{}">:$ints,
                       TypeArrayAttr:$types);
  let results = (outs Res<Variadic<AnyTypeOf<[Lathe_Value, AnyRankedTensor]>>,
                          "what the function makes", [MemAlloc]>:$results);
  let assemblyFormat = [{
    $function `(` $inputs `)` (`sizes` `[` $sizes^ `]`)? (`dims` `[` $dims^ `]`)?
    attr-dict `:` functional-type($inputs, $results)
  }];
  let hasVerifier = 1;
}

def Lathe_ValueSizeOp : Lathe_Op<"value_size", [Pure]> {
  let summary = "Reads a size of a value";
  let description = [{
    Dimension `dim` of a tensor or of strings, -1 where there is none; with `dim`
    -1 the number of elements of any value.

    ```mlir
    %n = lathe.value_size %v[0]
    ```
  }];
  let arguments = (ins Lathe_Value:$value, I64Attr:$dim);
  let results = (outs Index:$result);
  let assemblyFormat = "$value `[` $dim `]` attr-dict";
}

#endif // LATHE_DIALECT_LATHE_IR_LATHEVALUES_TD
