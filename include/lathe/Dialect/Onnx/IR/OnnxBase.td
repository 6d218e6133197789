// Part of the Lathe project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The `onnx` dialect itself, its types, and the classes that make an op cheap
// to write: each op class names the shape rule of its ops.

#ifndef LATHE_DIALECT_ONNX_IR_ONNXBASE_TD
#define LATHE_DIALECT_ONNX_IR_ONNXBASE_TD

include "lathe/Dialect/Onnx/IR/OnnxInterfaces.td"
include "mlir/IR/AttrTypeBase.td"
include "mlir/IR/OpBase.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

def Onnx_Dialect : Dialect {
  let name = "onnx";
  let cppNamespace = "::lathe::onnx";
  let summary = "The operators of ONNX, in their newest form";
  let description = [{
    `onnx.Foo` is the operator `Foo` of the domain `ai.onnx`, `onnx.ml.Foo` that
    of `ai.onnx.ml`, and `onnx.ms.Foo` that of `com.microsoft`. Operands are positional, an omitted optional one is
    the value of `onnx.None`; attributes keep ONNX's names and defaults; all
    results are always present. A result whose type is not inferred yet has the
    type `tensor<*x!onnx.unknown>`.
  }];
  let useDefaultTypePrinterParser = 1;
  let hasConstantMaterializer = 1;
  let extraClassDeclaration = [{
  private:
    void registerTypes();
    void registerActivationOps();
    void registerContribAttentionOps();
    void registerContribOps();
    void registerContribQuantOps();
    void registerControlOps();
    void registerLogicOps();
    void registerMathOps();
    void registerMlMapOps();
    void registerMlModelOps();
    void registerMlOps();
    void registerNnOps();
    void registerQuantOps();
    void registerRandomOps();
    void registerRecurrentOps();
    void registerReduceOps();
    void registerSelectOps();
    void registerSequenceOps();
    void registerSignalOps();
    void registerSpatialOps();
    void registerTensorOps();
    void registerTextOps();
    void registerTrainingOps();

  public:
  }];
}

//===----------------------------------------------------------------------===//
// Types
//===----------------------------------------------------------------------===//

class Onnx_Type<string name, string typeMnemonic> : TypeDef<Onnx_Dialect, name> {
  let mnemonic = typeMnemonic;
}

def Onnx_StringType : Onnx_Type<"String", "string"> {
  let summary = "Text, an element of a tensor";
}

def Onnx_UnknownType : Onnx_Type<"Unknown", "unknown"> {
  let summary = "Element type that is not inferred yet";
}

def Onnx_SequenceType : Onnx_Type<"Sequence", "seq"> {
  let summary = "List of values of one kind";
  let description = [{
    `length` is how many there are, where that is known, else -1:
    `!onnx.seq<tensor<?x3xf32>>`, `!onnx.seq<tensor<?x3xf32>, 2>`. A shape in the
    type of the elements is one that all of them have.
  }];
  let parameters = (ins "::mlir::Type":$element,
                        DefaultValuedParameter<"int64_t", "-1">:$length);
  let assemblyFormat = "`<` $element (`,` $length^)? `>`";
}

def Onnx_MapType : Onnx_Type<"Map", "map"> {
  let summary = "Values by keys, which are whole numbers or text";
  let parameters = (ins "::mlir::Type":$key, "::mlir::Type":$value);
  let assemblyFormat = "`<` $key `,` $value `>`";
}

def Onnx_OptionalType : Onnx_Type<"Optional", "opt"> {
  let summary = "A value or nothing";
  let parameters = (ins "::mlir::Type":$element);
  let assemblyFormat = "`<` $element `>`";
}

// Tensors whose elements are one of `elements`, or not inferred yet.
class Onnx_TensorOf<list<Type> elements>
    : TensorOf<!listconcat(elements, [Onnx_UnknownType])>;

defvar Onnx_Floats = [F16, BF16, F32, F64];
defvar Onnx_Signed = [I8, I16, I32, I64];
defvar Onnx_Unsigned = [UI8, UI16, UI32, UI64];
defvar Onnx_Ints = !listconcat(Onnx_Signed, Onnx_Unsigned);
defvar Onnx_Numbers = !listconcat(Onnx_Floats, Onnx_Ints);

def Onnx_FloatTensor : Onnx_TensorOf<Onnx_Floats>;
def Onnx_IntTensor : Onnx_TensorOf<Onnx_Ints>;
def Onnx_UnsignedTensor : Onnx_TensorOf<Onnx_Unsigned>;
def Onnx_NumberTensor : Onnx_TensorOf<Onnx_Numbers>;
def Onnx_SignedNumberTensor
    : Onnx_TensorOf<!listconcat(Onnx_Floats, Onnx_Signed)>;
// What matrix products take: floats and the wide integers.
def Onnx_WideNumberTensor
    : Onnx_TensorOf<!listconcat(Onnx_Floats, [I32, I64, UI32, UI64])>;
def Onnx_BoolTensor : Onnx_TensorOf<[I1]>;
def Onnx_IndexTensor : Onnx_TensorOf<[I32, I64]>;
def Onnx_I64Tensor : Onnx_TensorOf<[I64]>;
def Onnx_AnyTensor : Type<IsTensorTypePred, "tensor", "::mlir::TensorType">;
def Onnx_StringTensor : Onnx_TensorOf<[Onnx_StringType]>;
// What is not inferred yet has the type of a tensor.
def Onnx_Sequence
    : AnyTypeOf<[Onnx_SequenceType, Onnx_TensorOf<[]>], "sequence">;
def Onnx_Map : AnyTypeOf<[Onnx_MapType, Onnx_TensorOf<[]>], "map">;
def Onnx_AnyValue
    : AnyTypeOf<[Onnx_AnyTensor, Onnx_SequenceType, Onnx_MapType,
                 Onnx_OptionalType], "tensor, sequence, map or optional">;

// An operand that may be omitted.
class Onnx_Optional<Type type>
    : AnyTypeOf<[type, NoneType], type.summary # " or none">;

//===----------------------------------------------------------------------===//
// Attributes
//===----------------------------------------------------------------------===//

class Onnx_Int<string value> : DefaultValuedAttr<I64Attr, value>;
// A flag that ONNX stores as an integer.
class Onnx_Flag<string value>
    : DefaultValuedAttr<ConfinedAttr<I64Attr, [IntMinValue<0>, IntMaxValue<1>]>,
                        value>;
class Onnx_Float<string value> : DefaultValuedAttr<F32Attr, value>;
// One of the words `cases`.
class Onnx_Word<list<string> cases>
    : ConfinedAttr<StrAttr, [AttrConstraint<
          Or<!foreach(word, cases,
             CPred<"::llvm::cast<::mlir::StringAttr>($_self).getValue() == \""
                   # word # "\"">)>,
          "one of " # !interleave(cases, ", ")>]>;
class Onnx_DefaultWord<list<string> cases, string value>
    : DefaultValuedStrAttr<Onnx_Word<cases>, value>;
def Onnx_AutoPad
    : Onnx_DefaultWord<["NOTSET", "SAME_UPPER", "SAME_LOWER", "VALID"],
                       "NOTSET">;
def Onnx_OptInts : OptionalAttr<DenseI64ArrayAttr>;
def Onnx_OptFloats : OptionalAttr<DenseF32ArrayAttr>;

//===----------------------------------------------------------------------===//
// Op classes
//===----------------------------------------------------------------------===//

// Gives its first operand another shape or order, no other elements.
def Onnx_RearrangesOperand : NativeOpTrait<"RearrangesOperand"> {
  let cppNamespace = "::lathe::onnx";
}

// The method that calls the shape rule `rule`; nothing where it is empty.
class Onnx_RuleCode<string rule> {
  string text = !if(!empty(rule), "",
      "::llvm::LogicalResult $cppClass::inferShapes("
      # "::lathe::onnx::ShapeContext &ctx) { return ::lathe::onnx::rule::"
      # rule # "; }");
}

// An op whose shape rule is the call `rule` on `ctx`, or, where `rule` is
// empty, the method `inferShapes` that the family's source file defines.
class Onnx_BaseOp<string mnemonic, string rule, list<Trait> traits = []>
    : Op<Onnx_Dialect, mnemonic,
         traits # [DeclareOpInterfaceMethods<ShapeInferenceOpInterface>]> {
  let assemblyFormat =
      "operands attr-dict `:` functional-type(operands, results)";
  let extraClassDefinition = Onnx_RuleCode<rule>.text;
}

class Onnx_Op<string mnemonic, string rule = "", list<Trait> traits = []>
    : Onnx_BaseOp<mnemonic, rule, traits # [Pure]>;

// The C++ code that adds argument or result `name` to a schema.
class Onnx_SchemaEntry<Constraint constraint, string name, string to> {
  string arity = !cond(!isa<Variadic>(constraint) : "Variadic",
                       !isa<Onnx_Optional>(constraint) : "Optional",
                       true : "Single");
  string text = !if(
      !isa<Attr>(constraint),
      "schema.addAttribute<" # !cast<Attr>(constraint).storageType # ">(\""
      # name # "\", /*isRequired=*/"
      # !if(!or(!cast<Attr>(constraint).isOptional,
                !initialized(!cast<Attr>(constraint).defaultValue)),
            "false", "true") # ");",
      "schema." # to # ".push_back({\"" # name
      # "\", ::lathe::onnx::OperatorSchema::Arity::" # arity # "});");
}

class Onnx_SchemaCode<dag formals, string to> {
  string text = !foldl(
      "", !range(!size(formals)), all, i,
      all # "\n  " # Onnx_SchemaEntry<!getdagarg<Constraint>(formals, i),
                                     !getdagname(formals, i), to>.text);
}

// An op of an operator that the ONNX library has no schema of: the op is the
// schema.
class Onnx_OwnSchemaOp<string mnemonic, string rule = "",
                       list<Trait> traits = []>
    : Onnx_Op<mnemonic, rule,
              traits # [DeclareOpInterfaceMethods<OperatorSchemaOpInterface>]> {
  let extraClassDefinition = [{
    ::lathe::onnx::OperatorSchema $cppClass::getSchema() {
      ::lathe::onnx::OperatorSchema schema;}]
      # Onnx_SchemaCode<arguments, "inputs">.text
      # Onnx_SchemaCode<results, "results">.text # [{
      return schema;
    }
  }] # Onnx_RuleCode<rule>.text;
}

// An op of the domain com.microsoft.
class Onnx_MsOp<string mnemonic, string rule = "">
    : Onnx_OwnSchemaOp<"ms." # mnemonic, rule>;

// One operand, a result of its type. `attrs` are the op's attributes.
class Onnx_UnaryOp<string mnemonic, Type type, dag attrs = (ins),
                   string rule = "sameShape(ctx)", list<Trait> traits = []>
    : Onnx_Op<mnemonic, rule, traits> {
  let arguments = !con((ins type:$X), attrs);
  let results = (outs type:$Y);
}

// Two operands that broadcast, a result of their element type.
class Onnx_BinaryOp<string mnemonic, Type type, dag attrs = (ins),
                    string rule = "broadcast(ctx)"> : Onnx_Op<mnemonic, rule> {
  let arguments = !con((ins type:$A, type:$B), attrs);
  let results = (outs type:$C);
}

// At least one operand; all broadcast.
class Onnx_VariadicOp<string mnemonic, Type type,
                      string rule = "broadcast(ctx)"> : Onnx_Op<mnemonic, rule> {
  let arguments = (ins Variadic<type>:$inputs);
  let results = (outs type:$result);
}

#endif // LATHE_DIALECT_ONNX_IR_ONNXBASE_TD
