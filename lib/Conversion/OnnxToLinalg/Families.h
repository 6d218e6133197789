// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The families of lowerings, one per source file.

#ifndef LATHE_LIB_CONVERSION_ONNXTOLINALG_FAMILIES_H
#define LATHE_LIB_CONVERSION_ONNXTOLINALG_FAMILIES_H

namespace mlir {
class RewritePatternSet;
class TypeConverter;
} // namespace mlir

namespace lathe {

void populateActivationPatterns(mlir::RewritePatternSet &patterns,
                                const mlir::TypeConverter &types);
void populateContractionPatterns(mlir::RewritePatternSet &patterns,
                                 const mlir::TypeConverter &types);
void populateContribPatterns(mlir::RewritePatternSet &patterns,
                             const mlir::TypeConverter &types);
void populateContribAttentionPatterns(mlir::RewritePatternSet &patterns,
                                      const mlir::TypeConverter &types);
void populateContribQuantPatterns(mlir::RewritePatternSet &patterns,
                                  const mlir::TypeConverter &types);
void populateControlPatterns(mlir::RewritePatternSet &patterns,
                             const mlir::TypeConverter &types);
void populateConvolutionPatterns(mlir::RewritePatternSet &patterns,
                                 const mlir::TypeConverter &types);
void populateDeformPatterns(mlir::RewritePatternSet &patterns,
                            const mlir::TypeConverter &types);
void populateDetPatterns(mlir::RewritePatternSet &patterns,
                         const mlir::TypeConverter &types);
void populateElementwisePatterns(mlir::RewritePatternSet &patterns,
                                 const mlir::TypeConverter &types);
void populateGatherPatterns(mlir::RewritePatternSet &patterns,
                            const mlir::TypeConverter &types);
void populateLogicPatterns(mlir::RewritePatternSet &patterns,
                           const mlir::TypeConverter &types);
void populateMlPatterns(mlir::RewritePatternSet &patterns,
                        const mlir::TypeConverter &types);
void populateMlMapPatterns(mlir::RewritePatternSet &patterns,
                           const mlir::TypeConverter &types);
void populateMovementPatterns(mlir::RewritePatternSet &patterns,
                              const mlir::TypeConverter &types);
void populateNonMaxSuppressionPatterns(mlir::RewritePatternSet &patterns,
                                       const mlir::TypeConverter &types);
void populateNonZeroPatterns(mlir::RewritePatternSet &patterns,
                             const mlir::TypeConverter &types);
void populateNormalizationPatterns(mlir::RewritePatternSet &patterns,
                                   const mlir::TypeConverter &types);
void populatePoolingPatterns(mlir::RewritePatternSet &patterns,
                             const mlir::TypeConverter &types);
void populateQuantizePatterns(mlir::RewritePatternSet &patterns,
                              const mlir::TypeConverter &types);
void populateQuantizeProductPatterns(mlir::RewritePatternSet &patterns,
                                     const mlir::TypeConverter &types);
void populateRandomPatterns(mlir::RewritePatternSet &patterns,
                            const mlir::TypeConverter &types);
void populateRecurrentPatterns(mlir::RewritePatternSet &patterns,
                               const mlir::TypeConverter &types);
void populateReducePatterns(mlir::RewritePatternSet &patterns,
                            const mlir::TypeConverter &types);
void populateRegionPatterns(mlir::RewritePatternSet &patterns,
                            const mlir::TypeConverter &types);
void populateResizePatterns(mlir::RewritePatternSet &patterns,
                            const mlir::TypeConverter &types);
void populateRunningPatterns(mlir::RewritePatternSet &patterns,
                             const mlir::TypeConverter &types);
void populateSamplingPatterns(mlir::RewritePatternSet &patterns,
                              const mlir::TypeConverter &types);
void populateSelectPatterns(mlir::RewritePatternSet &patterns,
                            const mlir::TypeConverter &types);
void populateSequencePatterns(mlir::RewritePatternSet &patterns,
                              const mlir::TypeConverter &types);
void populateShapePatterns(mlir::RewritePatternSet &patterns,
                           const mlir::TypeConverter &types);
void populateSignalPatterns(mlir::RewritePatternSet &patterns,
                            const mlir::TypeConverter &types);
void populateSlicePatterns(mlir::RewritePatternSet &patterns,
                           const mlir::TypeConverter &types);
void populateSoftmaxPatterns(mlir::RewritePatternSet &patterns,
                             const mlir::TypeConverter &types);
void populateSvmPatterns(mlir::RewritePatternSet &patterns,
                         const mlir::TypeConverter &types);
void populateTextPatterns(mlir::RewritePatternSet &patterns,
                          const mlir::TypeConverter &types);
void populateTopKPatterns(mlir::RewritePatternSet &patterns,
                          const mlir::TypeConverter &types);
void populateTrainingPatterns(mlir::RewritePatternSet &patterns,
                              const mlir::TypeConverter &types);
void populateTreePatterns(mlir::RewritePatternSet &patterns,
                          const mlir::TypeConverter &types);
void populateUniquePatterns(mlir::RewritePatternSet &patterns,
                            const mlir::TypeConverter &types);

} // namespace lathe

#endif // LATHE_LIB_CONVERSION_ONNXTOLINALG_FAMILIES_H
