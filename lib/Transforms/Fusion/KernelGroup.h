// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A kernel while it grows: its ops, and the tiles that they compute.

#ifndef LATHE_LIB_TRANSFORMS_FUSION_KERNELGROUP_H
#define LATHE_LIB_TRANSFORMS_FUSION_KERNELGROUP_H

#include "mlir/IR/Operation.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/SetVector.h"
#include "llvm/ADT/SmallVector.h"

namespace lathe {

/// What an op does, as far as fusion cares.
enum class Role {
  Elementwise,
  Reduction,
  Contraction,
  Window,
  Pad,
  Fill,
  Other
};

Role getRole(mlir::Operation *op);

/// Whether an op with this role adds up products or windows.
inline bool isHeavy(Role role) {
  return role == Role::Contraction || role == Role::Window;
}

/// The ONNX node that `op` belongs to.
std::optional<int64_t> getNode(mlir::Operation *op);

/// The shape of what `op` makes.
llvm::ArrayRef<int64_t> getShape(mlir::Operation *op);

/// For each tile dimension of the group, the op's iteration dimension, or -1.
using TileDims = llvm::SmallVector<int64_t>;

/// What decides about producers beside those that read them.
struct GroupTraits {
  bool hasContraction = false;
  bool hasReduction = false;
  bool sharesPoints = false; ///< Has an op of which `sharesPoints` holds.
  bool isWhole = false;     ///< One tile: has ops without iteration dimensions.
  bool isAttention = false; ///< Its contraction reads what it computes.
  bool hasScores = false;   ///< And the contraction that this comes from.
  unsigned numShrunk = 0;   ///< How often tile dimensions were given up.

  bool operator==(const GroupTraits &other) const;
};

struct KernelGroup {
  /// A group for what `root` makes.
  KernelGroup(int64_t id, mlir::Operation *root);

  bool contains(mlir::Operation *op) const { return ops.contains(op); }
  mlir::Operation *getRoot() const { return ops.front(); }

  int64_t id;
  GroupTraits traits;
  llvm::SetVector<mlir::Operation *> ops;
  llvm::DenseMap<mlir::Operation *, TileDims> tiles;
  /// What computes the pixels that its contraction reads.
  llvm::SetVector<mlir::Operation *> pixelChain;
};

/// Iteration dimensions of `op` that its result is indexed by, or failure.
llvm::FailureOr<llvm::SmallVector<int64_t>> getResultDims(mlir::Operation *op,
                                                          unsigned result);

/// The indexing map of what a structured op reads, with reductions of one step
/// left out: a window of one point moves as its point does.
mlir::AffineMap getReadMap(mlir::OpOperand &use);

/// The tile that the readers in `group` ask of `producer`: a dimension on which
/// they differ stays whole. Nothing where none of them has a tile; failure
/// where the producer's tiles cannot follow theirs.
llvm::FailureOr<std::optional<TileDims>> agreeOnTile(mlir::Operation *producer,
                                                     const KernelGroup &group);

/// How many dimensions of the tile space remain if a producer with tile
/// `agreed` joins, and how many there are.
std::pair<unsigned, unsigned> countTileDims(const TileDims &agreed,
                                            const KernelGroup &group);

/// Gives up the tile dimensions that `agreed` does not have.
void shrinkTiles(const TileDims &agreed, KernelGroup &group);

} // namespace lathe

#endif // LATHE_LIB_TRANSFORMS_FUSION_KERNELGROUP_H
