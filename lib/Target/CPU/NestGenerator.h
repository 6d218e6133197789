// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The state of one nest while its loops are emitted. NestVersions.cpp chooses
// how often that is, NestGenerator.cpp emits loops and blocks, NestSegments.cpp
// cuts dimensions into blocks, NestReduction.cpp emits what sums up,
// NestMatrix*.cpp what does so in registers of matrices, NestPrefetch.cpp what
// is fetched early.

#ifndef LATHE_LIB_TARGET_CPU_NESTGENERATOR_H
#define LATHE_LIB_TARGET_CPU_NESTGENERATOR_H

#include "Nest.h"
#include "NestBody.h"

#include "mlir/Dialect/Arith/Utils/Utils.h"

namespace lathe::cpu {

/// Blocks of `factor` points from `begin` to `end`.
struct Segment {
  mlir::OpFoldResult begin, end;
  unsigned factor;
  /// The last vector may reach past `end`.
  bool masked = false;
  /// No point of it reads padding.
  bool inside = false;
  /// Vectors of half the width.
  bool narrow = false;
  /// One block of up to `factor` points.
  bool partial = false;
};

class NestGenerator {
public:
  NestGenerator(mlir::OpBuilder &builder, Nest &nest, const Target &target,
                const NestDecision *decided,
                llvm::SmallVectorImpl<NestDecision> *others)
      : builder(builder), nest(nest), loc(nest.getMain().getLoc()),
        target(target), decided(decided), others(others) {}

  std::string run();

private:
  mlir::Value toValue(mlir::OpFoldResult ofr) {
    return mlir::getValueOrCreateConstantIndexOp(builder, loc, ofr);
  }
  /// Emits the loops by the plan, or, where either of two dimensions may be too
  /// short for blocks, once with blocks along each.
  void emitRivals(llvm::ArrayRef<int64_t> bounds);
  /// Emits the loops by the plan.
  void emitNest();
  llvm::SmallVector<Segment> getVectorSegments();
  llvm::SmallVector<Segment> getBlockSegments(unsigned dim, unsigned factor);
  /// Emits blocks along `dim`, whose extent is known at run time only: full
  /// ones, then what is left over by code for just as many points.
  void emitUnknownBlocks(
      unsigned dim, unsigned factor,
      llvm::function_ref<void(const Segment &, mlir::Value)> body);
  llvm::SmallVector<Segment> getSharedSegments(unsigned dim, unsigned factor);
  llvm::SmallVector<Segment> splitAtEdges(unsigned dim,
                                          llvm::ArrayRef<Segment> segments);
  /// Where in its padded dimension a point reads, if that is a constant.
  std::optional<int64_t> getPosition(const PaddedDim &dim, unsigned parallel,
                                     int64_t reduction);
  /// Whether the point reads no padding that is told apart now.
  bool isLive(const Coords &coords);
  /// Whether some point of the block reads padding along `dim` at some step,
  /// all of them known now.
  bool isEdge(const PaddedDim &dim);
  Segment getInside(const PaddedDim &dim);
  void emitParallel(llvm::ArrayRef<unsigned> order);
  void emitBlock();
  void emitPrefetches(uint64_t parallel);
  void emitReduction(unsigned depth,
                     llvm::SmallVector<mlir::Value> &accumulators);
  void emitUnrolled(unsigned depth,
                    llvm::SmallVector<mlir::Value> &accumulators);
  /// One step of the reduction at the current base: the new accumulators.
  llvm::SmallVector<mlir::Value>
  emitStep(llvm::ArrayRef<mlir::Value> accumulators);
  /// Whether each matrix of a batch has panels of its own.
  bool readsBatchOfPanels();
  void emitPanelPrefetches();

  llvm::SmallVector<Segment> getMatrixSegments(unsigned dim);
  /// What all blocks of matrices share, before and after their loops.
  void beginMatrices();
  void endMatrices();
  /// Gives registers the shapes for left matrices of that many rows.
  void configureMatrices(mlir::OpFoldResult rows);
  /// Products of bytes moved up by 128 have more than those of signed bytes:
  /// the sums of that, for the columns of the block.
  void emitMatrixOffsets();
  void emitMatrixBlock();
  unsigned countLeftMatrices();
  /// Rows of a matrix of a block of that many.
  mlir::Value getPartialRows(mlir::Value number);
  /// The column of the block at which the second right matrix begins.
  int64_t getSecondColumn();
  /// The products of one step, or of what is left after all of them.
  void emitMatrixStep(mlir::OpFoldResult blockRows,
                      mlir::OpFoldResult matrixRows, bool rest);
  /// Later stages on `number` rows of results; of the block's second point
  /// along the neighbours' dimension, if `neighbour` is 1.
  void emitMatrixResults(unsigned neighbour, mlir::OpFoldResult number);
  void emitMatrixCall(llvm::StringRef name, llvm::ArrayRef<unsigned> registers,
                      mlir::ValueRange operands = {});
  /// The loops over the dot product's reductions; the one in groups is
  /// innermost and goes by `step`. `rest` is called at what is left after that.
  void
  emitGroups(llvm::SmallVector<mlir::Value> &accumulators, int64_t step,
             llvm::function_ref<void(llvm::SmallVector<mlir::Value> &)> body,
             llvm::function_ref<void()> rest = {});
  /// A loop over `segment`, whose body gets the index and accumulators.
  void emitLoop(
      const Segment &segment, unsigned step,
      llvm::SmallVector<mlir::Value> &accumulators,
      llvm::function_ref<void(mlir::Value, llvm::SmallVector<mlir::Value> &)>
          body);
  mlir::Value foldLanes(unsigned output, mlir::Value value);
  mlir::Value combine(unsigned output, mlir::Value lhs, mlir::Value rhs);
  /// Calls `visit` for all coordinates of the block, the dimensions in `dims`
  /// running.
  void forEachCoords(uint64_t dims,
                     llvm::function_ref<void(const Coords &)> visit);

  mlir::OpBuilder &builder;
  Nest &nest;
  mlir::Location loc;
  const Target &target;
  const NestDecision *decided;
  llvm::SmallVectorImpl<NestDecision> *others;
  NestPlan plan;
  BlockState block;
  llvm::SmallVector<mlir::OpFoldResult> extents;
  llvm::SmallVector<int64_t> staticExtents;
  llvm::SmallVector<unsigned> reductions;
  /// Reductions, as bits, whose step is a constant at the moment.
  uint64_t unrolledNow = 0;
  struct {
    /// What registers are configured by, and where results are left.
    mlir::Value config, results;
    mlir::Value leftStride, rightStride; ///< In bytes.
    /// Where the number of rows is not known: whether they fill a block.
    mlir::Value hasWhole;
    llvm::SmallVector<mlir::Value> offsets; ///< Per vector of the block.
  } matrices;
  /// Which (output, coordinates) each accumulator belongs to.
  llvm::SmallVector<std::pair<unsigned, Coords>> accumulatorKeys;
};

} // namespace lathe::cpu

#endif // LATHE_LIB_TARGET_CPU_NESTGENERATOR_H
