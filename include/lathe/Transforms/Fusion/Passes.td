// Part of the Lathe project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef LATHE_TRANSFORMS_FUSION_PASSES_TD
#define LATHE_TRANSFORMS_FUSION_PASSES_TD

include "mlir/Pass/PassBase.td"

def FoldMoves : Pass<"fold-moves", "::mlir::func::FuncOp"> {
  let summary = "Lets readers of transposes read the source";
  let description = [{
    Drops a `linalg.generic` that only moves rows of elements, if all that read
    it are structured ops that can read its source at other places instead.
    Writes on the last of them, for statistics, which operands were moved
    (`lathe.moved`). With `cross-node` off only moves that belong to the ONNX
    node of their readers are dropped.
  }];
  let options = [
    Option<"crossNode", "cross-node", "bool", "true",
           "Drop moves of other ONNX nodes than their readers'">
  ];
  let statistics = [
    Statistic<"numMoves", "num-moves", "Moves that became reads">
  ];
}

def FormKernels : Pass<"form-kernels", "::mlir::func::FuncOp"> {
  let summary = "Decides which ops of a program share a kernel";
  let description = [{
    Writes `lathe.group` (an integer) on every op that computes. Groups grow
    from consumers to producers; a producer joins when its tiles match those of
    the group, so that a tile of the group computes each of its elements once.

    The kinds of fusion, each with a switch (`disabled` lists names):
    - `elementwise`: an elementwise producer of an elementwise op;
    - `epilogue`: an elementwise op after a contraction, pooling or reduction;
    - `prologue`: an elementwise producer of a reduction;
    - `row`: a reduction and what broadcasts its result back over the row
      (softmax, normalizations);
    - `pad`: padding of the input of a convolution or pooling;
    - `attention`: a contraction that reads what another one made, by way of ops
      over the row, if `attention` is set;
    - `depthwise-pointwise`: a depthwise convolution or a pooling whose pixels a
      convolution of 1x1 reads, if they would leave a cache of `cache-bytes` on
      the way while the weights stay there;
    - `multi-output`: a producer that is read outside of the group too.

    Ops of one ONNX node (`lathe.node`) may always join; with `cross-node` off
    only they do, which is what an unfused build is. A producer that joined
    across nodes says how in `lathe.fused`.
  }];
  let options = [
    Option<"crossNode", "cross-node", "bool", "true",
           "Let ops of different ONNX nodes share a kernel">,
    ListOption<"disabled", "disabled", "std::string",
               "Kinds of fusion that stay off between ONNX nodes">,
    Option<"attention", "attention", "bool", "true",
           "Let a kernel have the two contractions of an attention">,
    Option<"cacheBytes", "cache-bytes", "int64_t", "0",
           "Size of the cache that one core has for itself; 0: pixels are not "
           "computed where a contraction reads them">,
    Option<"explain", "explain", "bool", "false",
           "Write on producers why they did not join (`lathe.apart`)">,
    Option<"maxOps", "max-ops", "unsigned", "256",
           "Ops up to which a kernel takes in those of other nodes: compiling it "
           "takes time that grows with their square">,
    Option<"maxWholeOps", "max-whole-ops", "unsigned", "64",
           "Ops up to which a kernel of one tile takes in others of its node: "
           "analyzing its buffers takes time that grows with their cube">
  ];
  let statistics = [
    Statistic<"numFused", "num-fused", "Producers that joined a consumer's kernel">,
    Statistic<"numGroups", "num-groups", "Kernels formed">
  ];
}

def FormSlices : Pass<"form-slices", "::mlir::func::FuncOp"> {
  let summary = "Reads contiguous slices where they lie";
  let description = [{
    A slice whose elements lie one after the other becomes a `lathe.slice`, which
    costs nothing. Not one of what a loop carries or changes in place: the slice
    keeps the elements of before.

    ```mlir
    %0 = tensor.extract_slice %x[%i, 0] [4, 64] [1, 1] : tensor<?x64xf32> to tensor<4x64xf32>
    // becomes
    %o = affine.apply affine_map<()[s0] -> (s0 * 64)>()[%i]
    %0 = lathe.slice %x [%o] : tensor<?x64xf32> to tensor<4x64xf32>
    ```
  }];
  let dependentDialects = ["::lathe::LatheDialect",
    "::mlir::affine::AffineDialect", "::mlir::arith::ArithDialect"];
  let statistics = [
    Statistic<"numFormed", "num-formed", "Slices that move nothing any more">
  ];
}

def FormConcats : Pass<"form-concats", "::mlir::func::FuncOp"> {
  let summary = "Lets the parts of concatenations be computed where they lie";
  let description = [{
    Slices that are inserted one after the other along an axis, until they fill
    the tensor, become a `lathe.concat`, which moves nothing. A part whose readers
    are kernels, that has no other place already, and whose rows are long enough,
    is computed in place; other parts are copied. Where that saves nothing, all
    stays as it is, as what depends on data does.

    A run of parts that is another concatenation reads that one, so that
    concatenations which grow (DenseNet) lie in one tensor.

    ```mlir
    %e = tensor.empty() : tensor<1x8x48xf32>
    %0 = tensor.insert_slice %a into %e[0, 0, 0] [1, 8, 16] [1, 1, 1] ...
    %1 = tensor.insert_slice %x into %0[0, 0, 16] [1, 8, 32] [1, 1, 1] ...
    // becomes, where %x is an input
    %b = linalg.copy ins(%x ...) outs(...)
    %1 = lathe.concat %a, %b axis 2
    ```
  }];
  let options = [
    Option<"explain", "explain", "bool", "false",
           "Write on copies of parts why those are copied (`lathe.apart`)">,
    Option<"rowBytes", "row-bytes", "int64_t", "64",
           "Shortest rows of a part that are written in place: a line of a cache">,
    Option<"launchBytes", "launch-bytes", "int64_t", "32768",
           "What is copied in the time that one more launch takes (some 2 us)">,
    Option<"maxReaders", "max-readers", "unsigned", "2",
           "Other kernels that read a part which leaves a cache: reading it at other "
           "strides takes each longer by some 40 % of the copy (pooling, measured)">,
    Option<"cacheBytes", "cache-bytes", "int64_t", "1048576",
           "What stays in a cache until it is read">
  ];
  let dependentDialects = ["::lathe::LatheDialect", "::mlir::linalg::LinalgDialect",
    "::mlir::tensor::TensorDialect", "::mlir::affine::AffineDialect",
    "::mlir::arith::ArithDialect"];
  let statistics = [
    Statistic<"numPlaced", "num-placed", "Parts that are computed in place">,
    Statistic<"numCopied", "num-copied", "Parts that are copied">
  ];
}

def OwnResults : Pass<"own-results", "::mlir::func::FuncOp"> {
  let summary = "Gives every result of a program an op that computes it";
  let description = [{
    A result that is an argument, a constant, or another result as well is
    copied, so that each result can live in the caller's buffer. The same goes
    for what branches and loops yield, and for the initial values of loops, which
    the loop overwrites; a carried value that is passed on, or changed in place by
    `lathe.insert`, stays. Sizes move out of branches and loops where they can.
  }];
  let dependentDialects = ["::mlir::linalg::LinalgDialect",
    "::mlir::tensor::TensorDialect", "::lathe::LatheDialect"];
}

def OutlineKernels : Pass<"outline-kernels", "::mlir::ModuleOp"> {
  let summary = "Moves each group of ops into a kernel and launches it";
  let description = [{
    Makes one `lathe.kernel` per distinct group (equal groups, apart from
    locations and operands, share one) and a `lathe.launch` in its place.
    Constants that are not weights are copied into the kernel, sizes become its
    arguments. A `lathe.grid` becomes an `scf.forall`, one tile per point; it is
    the only op of its kernel. What fusion saved stands on the launch as `lathe.fusions`. Needs
    the module because it adds symbols.
  }];
  let dependentDialects = ["::lathe::LatheDialect", "::mlir::scf::SCFDialect",
    "::mlir::tensor::TensorDialect"];
  let statistics = [
    Statistic<"numKernels", "num-kernels", "Distinct kernels">,
    Statistic<"numLaunches", "num-launches", "Launches">
  ];
}

def MergeLaunches : Pass<"merge-launches", "::mlir::ModuleOp"> {
  let summary = "Makes one launch of several that do not wait for each other";
  let description = [{
    Horizontal fusion, of kernels in buffer form. A launch moves up to an earlier
    one that it does not wait for, if neither has tiles enough to fill the
    device; the kernel of both goes through the tiles of one and then of the
    other, so they need not have anything in common.

    ```mlir
    %q = lathe.launch @k0(%x, %wq) : (...) -> tensor<16x64xf32>
    %k = lathe.launch @k0(%x, %wk) : (...) -> tensor<16x64xf32>
    // becomes
    %q, %k = lathe.launch @k0_and_others(%x, %wq, %x, %wk) : (...)
    ```

    Launches do not move over checks, control flow, or what changes memory. Not
    merged: kernels with scratch memory. Needs the module because it adds symbols.
  }];
  let options = [
    Option<"maxTiles", "max-tiles", "int64_t", "128",
           "A kernel with as many tiles fills the device; unknown sizes are taken to be 64">,
    Option<"maxParameters", "max-parameters", "int64_t", "256",
           "Inputs, results and sizes of a kernel">,
    Option<"maxSharedBytes", "max-shared-bytes", "int64_t", "45056",
           "Bytes that the tiles of a kernel have in common">,
    Option<"maxOps", "max-ops", "int64_t", "2048",
           "Ops of a kernel: a compiler's time grows faster than they do">,
    Option<"explains", "explain", "bool", "false",
           "Say on launches that read the same why they are apart">
  ];
  let dependentDialects = ["::lathe::LatheDialect",
    "::mlir::affine::AffineDialect", "::mlir::arith::ArithDialect",
    "::mlir::scf::SCFDialect"];
  let statistics = [
    Statistic<"numMerged", "num-merged", "Launches that another one took in">
  ];
}

#endif // LATHE_TRANSFORMS_FUSION_PASSES_TD
