// Part of the Lathe project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef LATHE_DIALECT_LATHE_IR_LATHEOPS_TD
#define LATHE_DIALECT_LATHE_IR_LATHEOPS_TD

include "mlir/IR/AttrTypeBase.td"
include "mlir/IR/OpBase.td"
include "mlir/IR/OpAsmInterface.td"
include "mlir/IR/SymbolInterfaces.td"
include "mlir/Interfaces/InferTypeOpInterface.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

def Lathe_Dialect : Dialect {
  let name = "lathe";
  let cppNamespace = "::lathe";
  let summary = "Programs of kernel launches over symbolic shapes";
  let description = [{
    The mid level of Lathe. A *program* is a `func.func` whose body launches
    *kernels* (`lathe.kernel`), reads *weights* and computes sizes from
    *symbols*; control flow between launches is `scf.if` and `scf.while`.
    Discardable attributes of this dialect:

    - `lathe.node` (integer, on ops of level 3): index of the ONNX node that
      the op came from, in the order of import.
    - `lathe.name` (string, on program arguments and results): ONNX name.
    - `lathe.symbols` (strings, on the program): names of the symbols in the
      order of the maps in `lathe.shapes`.
    - `lathe.shapes` (dictionary, on `onnx` ops): see `annotate-shapes`.
  }];
  let useDefaultAttributePrinterParser = 1;
  let useDefaultTypePrinterParser = 1;
  let hasConstantMaterializer = 0;
}

class Lathe_Op<string mnemonic, list<Trait> traits = []>
    : Op<Lathe_Dialect, mnemonic, traits>;

class Lathe_Attr<string name, string attrMnemonic> : AttrDef<Lathe_Dialect, name> {
  let mnemonic = attrMnemonic;
}

//===----------------------------------------------------------------------===//
// Weights' recipes
//===----------------------------------------------------------------------===//

def Lathe_PermuteStep : Lathe_Attr<"PermuteStep", "permute"> {
  let summary = "Permutes the dimensions of a weight";
  let description = "Dimension `i` of the result is dimension `perm[i]` of the operand.";
  let parameters = (ins ArrayRefParameter<"int64_t">:$perm);
  let assemblyFormat = "`<` `[` $perm `]` `>`";
}

def Lathe_ReshapeStep : Lathe_Attr<"ReshapeStep", "reshape"> {
  let summary = "Gives a weight another shape, in row-major order";
  let parameters = (ins ArrayRefParameter<"int64_t">:$shape);
  let assemblyFormat = "`<` `[` $shape `]` `>`";
}

def Lathe_SliceStep : Lathe_Attr<"SliceStep", "slice"> {
  let summary = "Keeps the elements of `shape` from a linear position on";
  let description = "One of several matrices that a model packs in one tensor.";
  let parameters = (ins "int64_t":$offset, ArrayRefParameter<"int64_t">:$shape);
  let assemblyFormat = "`<` $offset `,` `[` $shape `]` `>`";
}

def Lathe_StrideStep : Lathe_Attr<"StrideStep", "stride"> {
  let summary = "Keeps every `step`-th index of an axis, from `start` on";
  let description = [{
    `count` of them; a negative step goes backwards. The kernel of one phase of a
    transposed convolution.
  }];
  let parameters = (ins "int64_t":$axis, "int64_t":$start, "int64_t":$step,
                        "int64_t":$count);
  let assemblyFormat = "`<` $axis `,` $start `,` $step `,` $count `>`";
}

def Lathe_PanelStep : Lathe_Attr<"PanelStep", "panel"> {
  let summary = "Splits the last dimension into panels and moves them outermost";
  let description = [{
    `A x B x ... x N` becomes `ceil(N / width) x A x B x ... x width`; what is
    past `N` in the last panel is zero. The packed layout of BLIS's micro-kernels
    (Van Zee and van de Geijn, ACM TOMS 41(3), 2015).
  }];
  let parameters = (ins "int64_t":$width);
  let assemblyFormat = "`<` $width `>`";
}

def Lathe_ScaleStep : Lathe_Attr<"ScaleStep", "scale"> {
  let summary = "Multiplies a float weight by one factor per index of an axis";
  let parameters = (ins "int64_t":$axis, "::mlir::ElementsAttr":$factors);
  let assemblyFormat = "`<` $axis `,` $factors `>`";
}

def Lathe_ConvertStep : Lathe_Attr<"ConvertStep", "convert"> {
  let summary = "Rounds the elements of a weight to a narrower float";
  let description = [{
    From `f32` to `bf16` or `f16`, to the nearest, ties to even. A number that is
    finite and too large for the type is an error.
  }];
  let parameters = (ins "::mlir::Type":$element);
  let assemblyFormat = "`<` $element `>`";
}

def Lathe_WinogradStep : Lathe_Attr<"WinogradStep", "winograd"> {
  let summary = "Transforms filters for a minimal filtering algorithm";
  let description = [{
    The last two dimensions, the taps of a filter `g`, become `G g G^T` of the
    algorithm F(tile x tile, r x s): `A x ... x r x s` becomes
    `A x ... x (tile + r - 1) x (tile + s - 1)`. Computed in double, rounded once.
  }];
  let parameters = (ins "int64_t":$tile);
  let assemblyFormat = "`<` $tile `>`";
}

//===----------------------------------------------------------------------===//
// Storage of a program's values, written by memory planning
//===----------------------------------------------------------------------===//

def Lathe_ArenaAttr : Lathe_Attr<"Arena", "arena"> {
  let summary = "A slot of the arena";
  let parameters = (ins "int64_t":$slot);
  let assemblyFormat = "`<` $slot `>`";
}

def Lathe_OutputAttr : Lathe_Attr<"Output", "output"> {
  let summary = "The caller's buffer of a program result";
  let parameters = (ins "int64_t":$index);
  let assemblyFormat = "`<` $index `>`";
}

def Lathe_GrowableAttr : Lathe_Attr<"Growable", "growable"> {
  let summary = "Memory of its own that grows when its size is known";
  let description = [{
    For what has no upper bound when the program is entered. Slots are numbered
    from 0, apart from the arena's.
  }];
  let parameters = (ins "int64_t":$slot);
  let assemblyFormat = "`<` $slot `>`";
}

//===----------------------------------------------------------------------===//
// Program
//===----------------------------------------------------------------------===//

def Lathe_SymbolOp : Lathe_Op<"symbol", [Pure]> {
  let summary = "Reads a symbolic dimension of the program";
  let description = [{
    The value of a named size, bound when the program is entered. Never
    negative. A size that depends on data is the result of `lathe.bind`.

    ```mlir
    %b = lathe.symbol "batch"
    ```
  }];
  let arguments = (ins StrAttr:$name);
  let results = (outs Index:$result);
  let assemblyFormat = "$name attr-dict";
}

def Lathe_BindOp : Lathe_Op<"bind"> {
  let summary = "Binds a symbolic dimension that depends on data";
  let description = [{
    From here on symbol `name` is `value`, which the program has computed, and
    all that is a function of it is computed anew. The run fails, naming the
    node of the op's location, where `value` is negative or above `max`. A `max`
    that is known when the program is entered gives values of this size a place
    in the arena.

    ```mlir
    %n = lathe.bind "nonzero_d1" = %count max %all
    ```
  }];
  let arguments = (ins StrAttr:$name, Index:$value, Optional<Index>:$max);
  let results = (outs Index:$result);
  let assemblyFormat = "$name `=` $value (`max` $max^)? attr-dict";
}

def Lathe_WeightOp : Lathe_Op<"weight", [Pure]> {
  let summary = "Names a constant tensor of the model";
  let description = [{
    `value` is the tensor as the model stores it; `recipe` lists the steps that
    turn it into the tensor the program reads. Steps run when the artifact is
    written, streaming, so a weight never exists twice in memory.

    ```mlir
    %w = lathe.weight dense_resource<fc1> : tensor<10x64xf32>
           recipe [#lathe.permute<[1, 0]>, #lathe.panel<32>] : tensor<1x64x32xf32>
    ```
  }];
  let arguments = (ins ElementsAttr:$value,
                       DefaultValuedAttr<ArrayAttr, "{}">:$recipe);
  let results = (outs AnyStaticShapeTensor:$result);
  let assemblyFormat = "$value (`recipe` $recipe^)? attr-dict `:` type($result)";
  let hasVerifier = 1;
}

def Lathe_ViewOp : Lathe_Op<"view", [Pure,
    DeclareOpInterfaceMethods<ReifyRankedShapedTypeOpInterface,
        ["reifyResultShapes"]>]> {
  let summary = "Gives a contiguous tensor another shape, moving nothing";
  let description = [{
    Same elements in row-major order. `dims` are the result's dynamic sizes in
    order; the number of elements must be equal, which the producer guarantees.

    ```mlir
    %1 = lathe.view %0 [%b] : tensor<?x4x4xf32> to tensor<?x16xf32>
    ```
  }];
  let arguments = (ins AnyRankedTensor:$source, Variadic<Index>:$dims);
  let results = (outs AnyRankedTensor:$result);
  let assemblyFormat =
    "$source (`[` $dims^ `]`)? attr-dict `:` type($source) `to` type($result)";
  let hasVerifier = 1;
  let hasFolder = 1;
}

def Lathe_SliceOp : Lathe_Op<"slice", [Pure]> {
  let summary = "Reads a contiguous part of a tensor, moving nothing";
  let description = [{
    The elements from linear position `offset` on, in row-major order, as a
    tensor of their own: the step of a sequence, one of several packed states.

    ```mlir
    %1 = lathe.slice %0 [%o] : tensor<16x1x64xf32> to tensor<1x64xf32>
    ```
  }];
  let arguments = (ins AnyRankedTensor:$source, Index:$offset,
                       Variadic<Index>:$dims);
  let results = (outs AnyRankedTensor:$result);
  let assemblyFormat = [{
    $source `[` $offset `]` (`dims` `[` $dims^ `]`)? attr-dict `:`
    type($source) `to` type($result)
  }];
}

def Lathe_CheckOp : Lathe_Op<"check"> {
  let summary = "Ends the program with an error unless a condition holds";
  let description = [{
    The error names the node of the op's location. Launches after it do nothing.

    ```mlir
    lathe.check %ok, "expects a length of 512"
    ```
  }];
  let arguments = (ins I1:$ok, StrAttr:$message);
  let assemblyFormat = "$ok `,` $message attr-dict";
}

def Lathe_InsertOp : Lathe_Op<"insert", [Pure, TypesMatchWith<
    "the result has the type of the destination", "dest", "result", "$_self">]> {
  let summary = "Replaces a contiguous part of a tensor that a loop carries";
  let description = [{
    `dest` with the elements of `source` from linear position `offset` on.
    Happens in place: `dest` must have no later use, as the lowering that makes it guarantees.
    With `grows`, what a loop carries gets longer: the memory of `dest` is made
    large enough for the part.

    ```mlir
    %1 = lathe.insert %h into %y [%o] : tensor<1x64xf32> into tensor<16x1x64xf32>
    ```
  }];
  let arguments = (ins AnyRankedTensor:$source, AnyRankedTensor:$dest,
                       Index:$offset, UnitAttr:$grows);
  let results = (outs AnyRankedTensor:$result);
  let assemblyFormat = [{
    $source `into` $dest `[` $offset `]` (`grows` $grows^)? attr-dict `:`
    type($source) `into` type($dest)
  }];
}

def Lathe_ConcatOp : Lathe_Op<"concat", [Pure, AttrSizedOperandSegments,
    DeclareOpInterfaceMethods<ReifyRankedShapedTypeOpInterface,
        ["reifyResultShapes"]>]> {
  let summary = "Shows parts that lie one after the other as one tensor";
  let description = [{
    Moves nothing: every part is computed where it lies in the result, with the
    result's strides, those of the outermost one where the result is a part
    itself. Kernels that write and read parts know their strides
    (`lathe.within`). `dims` are the result's dynamic sizes, which are known when
    the program is entered.

    [C1] Parts have the result's element type, and its sizes but along `axis`,
    where theirs add up to its.
    [C2] A part is made in the block of the op, and lies in one `lathe.concat`;
    what reads it at its strides are kernels, as the pass that makes the op
    guarantees.

    ```mlir
    %2 = lathe.concat %0, %1 dims [%n] axis 1
           : (tensor<?x16xf32>, tensor<?x32xf32>) -> tensor<?x48xf32>
    ```
  }];
  let arguments = (ins Variadic<AnyRankedTensor>:$parts, Variadic<Index>:$dims,
                       I64Attr:$axis);
  let results = (outs AnyRankedTensor:$result);
  let assemblyFormat = [{
    $parts (`dims` `[` $dims^ `]`)? `axis` $axis attr-dict `:`
    functional-type($parts, $result)
  }];
  let hasVerifier = 1;
}

def Lathe_GridOp : Lathe_Op<"grid", [AttrSizedOperandSegments, SingleBlock,
    RecursiveMemoryEffects, DeclareOpInterfaceMethods<
        ReifyRankedShapedTypeOpInterface, ["reifyResultShapes"]>]> {
  let summary = "Runs code for each point of a grid";
  let description = [{
    For what is no loop nest over elements: sorting, walking trees, scattering.
    The body gets the point and, for each result, the *part* of it that belongs
    to the point; it yields those parts, written. Dimension `d` of result `r` is
    cut by the loop `loops[r][d]` into parts of size one, or is whole where that
    is -1. Parts start undefined, points run in any order, and no point reads
    what another writes. Tensors are read from around the op. `dims` are the
    results' dynamic sizes.

    Becomes a kernel of its own, one tile per point.

    [C1] The body's arguments are one index per extent and one tensor per result.
    [C2] `loops[r]` has one entry per dimension, a loop or -1, and a dimension
    with a loop has the size 1 in the part.
    [C3] The yielded types are those of the parts.
    [C4] There is one size in `dims` per dynamic dimension of the results.

    ```mlir
    %y = lathe.grid [%n] dims [%n] loops [array<i64: 0, -1>] {
    ^bb0(%i: index, %row: tensor<1x4xf32>):
      ...
      lathe.yield %written : tensor<1x4xf32>
    } : tensor<?x4xf32>
    ```
  }];
  let arguments = (ins Variadic<Index>:$extents, Variadic<Index>:$dims,
                       ArrayAttr:$loops);
  let results = (outs Variadic<AnyRankedTensor>:$results);
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = [{
    `[` $extents `]` (`dims` `[` $dims^ `]`)? `loops` $loops $body attr-dict
    `:` type($results)
  }];
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    /// The loops that cut the dimensions of result `i`.
    ::llvm::ArrayRef<int64_t> getResultLoops(unsigned i);
    /// The sizes of result `i`.
    ::llvm::SmallVector<::mlir::OpFoldResult> getResultSizes(unsigned i);
  }];
}

//===----------------------------------------------------------------------===//
// Kernels
//===----------------------------------------------------------------------===//

def Lathe_KernelOp : Lathe_Op<"kernel", [IsolatedFromAbove,
    AutomaticAllocationScope, Symbol,
    SingleBlock, OpAsmOpInterface]> {
  let summary = "Defines a kernel: a grid of independent tiles";
  let description = [{
    Level 3 (*tensor form*): block arguments are the inputs (ranked tensors)
    and then the sizes (`index`); the terminator yields the results.
    Level 4 (*buffer form*): block arguments are inputs, outputs (memrefs, of
    identity layout but where `lathe.within` says) and sizes; the terminator
    yields nothing.

    `input_dims` and `result_dims` hold, for each input and each result, the
    positions among the sizes of its dynamic dimensions, in order. So equal
    dimensions are one SSA value, and no `tensor.dim` of an argument is needed.

    [C1] The number of block arguments is inputs + (buffer form: results) + sizes.
    [C2] `input_dims[i]` has one entry per dynamic dimension of input `i`.
    [C3] `result_dims[i]` has one entry per dynamic dimension of result `i`.
    [C4] Every entry is a valid position among the sizes.

    ```mlir
    lathe.kernel @relu(%x: tensor<?x64xf32>, %b: index) -> (tensor<?x64xf32>)
        input_dims [[0]] result_dims [[0]] {
      ...
      lathe.yield %r : tensor<?x64xf32>
    }
    ```
  }];
  let arguments = (ins SymbolNameAttr:$sym_name,
                       OptionalAttr<StrAttr>:$sym_visibility,
                       TypeArrayAttr:$result_types,
                       ArrayAttr:$input_dims, ArrayAttr:$result_dims);
  let regions = (region SizedRegion<1>:$body);
  let hasCustomAssemblyFormat = 1;
  let hasRegionVerifier = 1;
  let extraClassDeclaration = [{
    ::mlir::Block &getBlock() { return getBody().front(); }
    unsigned getNumInputs() { return getInputDims().size(); }
    unsigned getNumOutputs() { return getResultDims().size(); }
    bool isBufferForm();
    ::llvm::ArrayRef<::mlir::BlockArgument> getInputs();
    /// Buffer form only: the output buffers.
    ::llvm::ArrayRef<::mlir::BlockArgument> getOutputs();
    ::llvm::ArrayRef<::mlir::BlockArgument> getSizes();
    /// The values (among the size arguments) of the dynamic dimensions of
    /// argument `arg`, which is an input or an output.
    ::llvm::SmallVector<::mlir::Value> getDynamicDims(::mlir::BlockArgument arg);
    ::mlir::RankedTensorType getResultType(unsigned i);
    static ::llvm::StringRef getDefaultDialect() { return ""; }
  }];
}

def Lathe_YieldOp : Lathe_Op<"yield", [Pure, Terminator,
    ParentOneOf<["KernelOp", "GridOp"]>]> {
  let summary = "Ends a kernel, or a point of a grid";
  let description = [{
    Its operands are what the kernel or the point computes, one per result.

    ```mlir
    lathe.yield %0 : tensor<?x4xf32>
    ```
  }];
  let arguments = (ins Variadic<AnyType>:$results);
  let assemblyFormat = "attr-dict ($results^ `:` type($results))?";
  let builders = [OpBuilder<(ins), [{ build($_builder, $_state, ::mlir::ValueRange()); }]>];
}

def Lathe_LaunchOp : Lathe_Op<"launch", [AttrSizedOperandSegments,
    DeclareOpInterfaceMethods<SymbolUserOpInterface>,
    DeclareOpInterfaceMethods<ReifyRankedShapedTypeOpInterface,
        ["reifyResultShapes"]>]> {
  let summary = "Runs a kernel over its whole grid";
  let description = [{
    `inputs` and `sizes` are the kernel's inputs and sizes. Results have the
    kernel's result types. `nodes` are the ONNX nodes the kernel computes;
    `storage`, set by memory planning, says where each result lives.

    Two equal launches are not one: what a loop changes in place is its own.

    ```mlir
    %r = lathe.launch @relu(%x) [%b] : (tensor<?x64xf32>) -> tensor<?x64xf32>
    ```
  }];
  let arguments = (ins FlatSymbolRefAttr:$kernel,
                       Variadic<AnyRankedTensor>:$inputs,
                       Variadic<Index>:$sizes,
                       OptionalAttr<StrArrayAttr>:$nodes);
  let results = (outs Res<Variadic<AnyRankedTensor>, "what the kernel makes",
                          [MemAlloc]>:$results);
  let assemblyFormat = [{
    $kernel `(` $inputs `)` (`[` $sizes^ `]`)? attr-dict `:`
    functional-type($inputs, $results)
  }];
}

include "lathe/Dialect/Lathe/IR/LatheValues.td"

#endif // LATHE_DIALECT_LATHE_IR_LATHEOPS_TD
