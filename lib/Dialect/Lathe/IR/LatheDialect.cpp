// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "lathe/Dialect/Lathe/IR/Lathe.h"
#include "lathe/Dialect/Lathe/IR/MinimalFilter.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/DialectImplementation.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace lathe;

#include "lathe/Dialect/Lathe/IR/LatheDialect.cpp.inc"
#define GET_ATTRDEF_CLASSES
#include "lathe/Dialect/Lathe/IR/LatheAttrs.cpp.inc"
#define GET_TYPEDEF_CLASSES
#include "lathe/Dialect/Lathe/IR/LatheTypes.cpp.inc"

void LatheDialect::initialize() {
  addOperations<
#define GET_OP_LIST
#include "lathe/Dialect/Lathe/IR/LatheOps.cpp.inc"
      >();
  addAttributes<
#define GET_ATTRDEF_LIST
#include "lathe/Dialect/Lathe/IR/LatheAttrs.cpp.inc"
      >();
  addTypes<
#define GET_TYPEDEF_LIST
#include "lathe/Dialect/Lathe/IR/LatheTypes.cpp.inc"
      >();
}

/// Applies one step of a recipe to a shape and a type of elements.
static LogicalResult applyStep(Attribute step, SmallVector<int64_t> &shape,
                               Type &element,
                               function_ref<InFlightDiagnostic()> emitError) {
  if (auto permute = dyn_cast<PermuteStepAttr>(step)) {
    ArrayRef<int64_t> perm = permute.getPerm();
    if (perm.size() != shape.size() || !isPermutationVector(perm))
      return emitError() << "expects a permutation of " << shape.size()
                         << " dimensions, got " << step;
    applyPermutationToVector(shape, perm);
    return success();
  }
  if (auto reshape = dyn_cast<ReshapeStepAttr>(step)) {
    if (ShapedType::getNumElements(shape) !=
        ShapedType::getNumElements(reshape.getShape()))
      return emitError() << "expects a shape of "
                         << ShapedType::getNumElements(shape)
                         << " elements, got " << step;
    shape.assign(reshape.getShape().begin(), reshape.getShape().end());
    return success();
  }
  if (auto slice = dyn_cast<SliceStepAttr>(step)) {
    int64_t size = ShapedType::getNumElements(shape);
    int64_t end =
        slice.getOffset() + ShapedType::getNumElements(slice.getShape());
    if (slice.getOffset() < 0 || end > size)
      return emitError() << "expects a slice of " << size << " elements, got "
                         << step;
    shape.assign(slice.getShape().begin(), slice.getShape().end());
    return success();
  }
  if (auto stride = dyn_cast<StrideStepAttr>(step)) {
    int64_t axis = stride.getAxis(), count = stride.getCount();
    if (axis < 0 || axis >= (int64_t)shape.size() || count < 1)
      return emitError() << "expects an axis below " << shape.size()
                         << " and a positive count, got " << step;
    int64_t last = stride.getStart() + (count - 1) * stride.getStep();
    if (std::min(stride.getStart(), last) < 0 ||
        std::max(stride.getStart(), last) >= shape[axis])
      return emitError() << "expects indices below " << shape[axis] << ", got "
                         << step;
    shape[axis] = count;
    return success();
  }
  if (auto panel = dyn_cast<PanelStepAttr>(step)) {
    int64_t width = panel.getWidth();
    if (width < 1 || shape.empty())
      return emitError() << "expects a positive width and rank, got width "
                         << width << " and rank " << shape.size();
    int64_t last = shape.back();
    shape.back() = width;
    shape.insert(shape.begin(), llvm::divideCeil(last, width));
    return success();
  }
  if (auto scale = dyn_cast<ScaleStepAttr>(step)) {
    int64_t axis = scale.getAxis();
    if (axis < 0 || axis >= (int64_t)shape.size() ||
        scale.getFactors().getNumElements() != shape[axis])
      return emitError() << "expects one factor per index of an axis, got "
                         << scale.getFactors().getNumElements()
                         << " factors for axis " << axis;
    return success();
  }
  if (auto convert = dyn_cast<ConvertStepAttr>(step)) {
    Type to = convert.getElement();
    if (!element.isF32() || (!to.isBF16() && !to.isF16()))
      return emitError() << "expects f32 to become bf16 or f16, got " << element
                         << " to become " << to;
    element = to;
    return success();
  }
  if (auto winograd = dyn_cast<WinogradStepAttr>(step)) {
    if (shape.size() < 2)
      return emitError() << "expects filters of two dimensions, got rank "
                         << shape.size();
    for (int64_t &taps : MutableArrayRef(shape).take_back(2)) {
      if (!getMinimalFilter(winograd.getTile(), taps))
        return emitError()
               << "expects a tile and taps with 4, 6 or 8 products, "
                  "got a tile of "
               << winograd.getTile() << " and " << taps << " taps";
      taps += winograd.getTile() - 1;
    }
    return success();
  }
  return emitError() << "expects a step of a recipe, got " << step;
}

FailureOr<RankedTensorType>
lathe::applyRecipe(RankedTensorType type, ArrayAttr recipe,
                   function_ref<InFlightDiagnostic()> emitError) {
  SmallVector<int64_t> shape(type.getShape());
  Type element = type.getElementType();
  if (recipe)
    for (Attribute step : recipe)
      if (failed(applyStep(step, shape, element, emitError)))
        return failure();
  // What is packed in less than a byte is read as bytes.
  if (element.isIntOrFloat() && !element.isInteger(1) &&
      element.getIntOrFloatBitWidth() < 8)
    element = IntegerType::get(type.getContext(), 8);
  return RankedTensorType::get(shape, element);
}
