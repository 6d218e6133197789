// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Nests as the generator of vector code sees them.

#ifndef LATHE_LIB_TARGET_CPU_NEST_H
#define LATHE_LIB_TARGET_CPU_NEST_H

#include "Decisions.h"
#include "lathe/Target/CPU/CPU.h"
#include "lathe/Target/Kernel/Nest.h"
#include "lathe/Transforms/Layout/GroupedProduct.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/SmallVector.h"
#include <optional>

namespace lathe::cpu {

/// A dimension of an operand along which a window moves over padding: position
/// `start + stride * p + dilation * r` of the source, at point `p` of the
/// parallel and `r` of the reduction dimension, holds something where it lies
/// in [0, bound).
struct PaddedDim {
  unsigned parallel, reduction;
  int64_t stride, dilation;
  /// Which dimension of the operand.
  unsigned position;
  mlir::OpFoldResult bound;
};

/// An operand of the first stage that is a copy of `source` with padding
/// around, made by `pad`. Padding adds nothing to the result, so the nest reads
/// the source and leaves out what lies outside.
struct PaddedOperand {
  unsigned number;
  mlir::linalg::LinalgOp pad;
  mlir::Value source;
  /// Per dimension, where in the source the operand begins. Filled in when the
  /// nest is generated.
  llvm::SmallVector<mlir::Value> starts;
  llvm::SmallVector<PaddedDim> dims;
  /// Whether the nest reads the copy, and only leaves out steps of a reduction
  /// along `dims`.
  bool copied = false;
};

struct Nest {
  /// The first stage defines the iteration space; only it may reduce.
  llvm::SmallVector<NestStage> stages;
  std::optional<PaddedOperand> padded;
  /// Per output of the first stage: the scalar it starts from, or null where it
  /// starts from what is in the buffer.
  llvm::SmallVector<mlir::Value> initial;

  mlir::linalg::LinalgOp getMain() { return stages.front().op; }
};

/// The coefficient of `variable`, a dimension or a symbol, in `expr`, if it is
/// linear in it.
std::optional<int64_t> getCoefficient(mlir::AffineExpr expr,
                                      mlir::AffineExpr variable,
                                      unsigned numDims,
                                      unsigned numSymbols = 0);

/// `w` where `expr` is dimension `dim` divided by it, or the rest of that.
std::optional<int64_t> getDivisor(mlir::AffineExpr expr,
                                  mlir::AffineExprKind kind, unsigned dim);

/// Whether the result of `map`, an `affine.apply`, grows by one with operand
/// `number`.
bool growsByOne(mlir::AffineMap map, unsigned number);

/// How the lanes of a vector see an operand. `Spread`: in runs that share an
/// element each, where it is known now at which lane each run begins.
enum class LaneAccess { Invariant, Contiguous, Spread, Strided };

/// The access of `operand` by lanes along dimension `dim` of its op.
/// `lanes` consecutive points start at a multiple of `lanes`; the first of all
/// vectors of a block at one of `unit`, or at the beginning, where that is 0.
LaneAccess classifyAccess(mlir::OpOperand &operand, unsigned dim,
                          unsigned lanes, unsigned unit);

/// An operand that is read at the quotient of one dimension.
struct SpreadAccess {
  int64_t divisor;   ///< Points that share an element.
  unsigned position; ///< Which dimension of the operand.
  /// Whether vectors that begin at multiples of `unit`, as above, know their
  /// runs.
  bool isKnown(unsigned lanes, unsigned unit) const {
    return divisor % lanes == 0 || unit % divisor == 0;
  }
};
std::optional<SpreadAccess> matchSpread(mlir::OpOperand &operand, unsigned dim);

/// What a vector of such an operand takes.
struct SpreadCost {
  double loads, permutations;
};
SpreadCost getSpreadCost(mlir::OpOperand &operand, const SpreadAccess &spread,
                         unsigned lanes);

/// The dimension of its op along which neighbours of `operand` lie together,
/// where `dim` is another one that moves it: lanes along `dim` are read as rows
/// along this one and turned in registers. `dim` is one for which the access is
/// strided.
std::optional<unsigned> findRowDim(mlir::OpOperand &operand, unsigned dim);

/// Per dimension of an elementwise op, how many neighbouring points share what
/// it computes, 0 where they do not: points of one quotient by which operands
/// are read, or all points of a short dimension that no operand has, if the
/// body selects by the index.
llvm::SmallVector<unsigned> findShared(mlir::linalg::LinalgOp op);

/// A sum of products of narrow numbers whose right operand is packed so that a
/// vector holds, for each column, those of a group of steps of the reduction.
struct DotProduct {
  GroupedProduct product;
  unsigned columns; ///< The dimension of the lanes.
  unsigned lanes;
  /// Whether columns lie in panels, the last of which is full.
  bool panelled;
  /// What a processor multiplies at once: all of a group, or pairs of 16 bits,
  /// or 32-bit words, of bytes.
  enum Kind { Groups, Pairs, Words } kind;
};

/// Matches the op whose dimensions have `extents`.
std::optional<DotProduct> matchDotProduct(mlir::linalg::LinalgOp op,
                                          llvm::ArrayRef<int64_t> extents,
                                          const Target &target);

/// How a dot product is computed in registers that hold matrices (AMX): up to
/// two matrices of the left operand, whose rows are points along `rows`, meet
/// up to two of the right one, 16 columns each.
struct MatrixPlan {
  unsigned rows;
  /// The dimension of whose points a block takes two, with a matrix each; if
  /// none, the two are halves of one row of points.
  std::optional<unsigned> neighbours;
  unsigned blockRows;  ///< Points along `rows` in a block, at most.
  unsigned matrixRows; ///< Rows of a matrix in all blocks but a last one.
  unsigned columns;    ///< Columns of a matrix of results.
  /// Bytes along the reduction: of a step, and what is left after all of them.
  int64_t stepBytes, restBytes;
};

/// The choices for one nest.
struct NestPlan {
  /// The dimension along which lanes run, or -1 for scalar code.
  int vectorDim = -1;
  unsigned lanes = 1;
  /// Whether `vectorDim` is a reduction: lanes hold partial results.
  bool horizontal = false;
  /// Vectors side by side along `vectorDim`.
  unsigned vectors = 1;
  /// Whether what is left of `vectorDim` fills at most half of a vector and is
  /// computed in one of half the width.
  bool narrowRest = false;
  /// Blocks begin along `vectorDim` at multiples of this; 0: at the beginning.
  unsigned unit = 1;
  /// Parallel dimensions blocked in registers, outermost first, with the number
  /// of points in a full block.
  RegisterBlocks blocks;
  /// The parallel dimensions, outermost loop first.
  llvm::SmallVector<unsigned> order;
  /// Per dimension: points, from a multiple of as many on, that share what the
  /// op computes and reads, so that a block holds all of them; 0: none.
  llvm::SmallVector<unsigned> shared;
  /// Reduction dimensions, as bits, whose points follow each other without a
  /// loop, so that neighbours share what windows read in common.
  uint64_t unrolled = 0;
  /// Whether what is read later is asked for early.
  bool prefetches = true;

  /// Whether lanes of 32 bits can change places by a computed vector.
  bool permutes = false;

  /// Set where the nest is such a sum; its reduction goes from group to group.
  std::optional<DotProduct> dot;
  /// Set where a dot product is one of matrices; otherwise, where the target
  /// has registers for them, the reason.
  std::optional<MatrixPlan> matrix;
  llvm::StringRef notMatrix;

  /// How lanes see an operand of the first stage.
  LaneAccess getAccess(mlir::OpOperand &operand) const {
    if (dot && operand.getOperandNumber() == dot->product.right)
      return LaneAccess::Contiguous;
    return classifyAccess(operand, vectorDim, lanes, unit);
  }

  /// How many points along `dim` share what they read, or 0.
  unsigned getShared(unsigned dim) const {
    return dim < shared.size() ? shared[dim] : 0;
  }

  /// Whether points along `dim` are blocked in registers.
  bool isBlocked(unsigned dim) const {
    return llvm::any_of(blocks, [&](auto block) { return block.first == dim; });
  }
};

/// Matches input `number` of `op` with the op that pads it, if `op` reads all
/// of what that makes, and nothing else does, and padding adds nothing to the
/// result.
std::optional<PaddedOperand> matchPadding(mlir::linalg::LinalgOp op,
                                          unsigned number);

/// Emits where the padded operand begins in its source, per dimension.
void emitPaddingStarts(mlir::OpBuilder &builder, PaddedOperand &padded);

/// Whether all edges of the padding can be told apart when the nest is
/// generated: blocks along padded dimensions begin at constants.
bool canSkipPadding(const PaddedOperand &padded, const NestPlan &plan,
                    llvm::ArrayRef<int64_t> extents);

/// Keeps the dimensions along which whole steps of the reduction of `op` can be
/// left out, at places that are known at run time only; what no step reads is
/// not copied either. Whether there are any.
bool keepSteps(PaddedOperand &padded, mlir::linalg::LinalgOp op,
               const NestPlan &plan);

/// Whether vectors of half the width are worth it for what is left along
/// `plan.vectorDim`.
bool hasNarrowRest(mlir::linalg::LinalgOp op, const NestPlan &plan,
                   llvm::ArrayRef<int64_t> extents, const Target &target);

/// Chooses a plan from shapes and the target, and what `decided` says of what
/// is possible. Extents that are not known are `ShapedType::kDynamic`; `bounds`
/// are extents that none is larger than.
NestPlan planNest(Nest &nest, llvm::ArrayRef<int64_t> extents,
                  llvm::ArrayRef<int64_t> bounds, const Target &target,
                  const NestDecision *decided);

/// Other plans that sum up in the same order and that the model does not hold
/// much worse than its own, for a nest that has blocks in registers.
llvm::SmallVector<NestDecision> proposeNests(Nest &nest,
                                             llvm::ArrayRef<int64_t> extents,
                                             llvm::ArrayRef<int64_t> bounds,
                                             const Target &target);

/// Whether there is something that a plan may ask for early.
bool canPrefetch(Nest &nest, const NestPlan &plan);

/// Chooses registers of matrices for the dot product of `plan`, if the target
/// has them and they are faster, or gives the reason in `plan`.
void chooseMatrix(mlir::linalg::LinalgOp op, llvm::ArrayRef<int64_t> extents,
                  llvm::ArrayRef<int64_t> bounds, const Target &target,
                  NestPlan &plan);

/// Emits the loops at `builder`'s insertion point, by what is decided, if
/// anything. `others`, if it is wanted, gets what else could have been. Returns
/// what sums up products in them, for people, or nothing where the nest is no
/// dot product.
std::string generateNest(mlir::OpBuilder &builder, Nest &nest,
                         const Target &target,
                         const NestDecision *decided = nullptr,
                         llvm::SmallVectorImpl<NestDecision> *others = nullptr);

} // namespace lathe::cpu

#endif // LATHE_LIB_TARGET_CPU_NEST_H
