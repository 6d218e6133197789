// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Decisions.h"

#include "mlir/IR/Builders.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace lathe;
using namespace lathe::cpu;

static constexpr llvm::StringLiteral tileName("tile"), slowestName("slowest"),
    nestsName("nests"), lanesName("lanes"), vectorsName("vectors"),
    blocksName("blocks"), insideName("vectors_inside"),
    noUnrollName("no_unroll"), noPrefetchName("no_prefetch");

/// The entry `name`, a number from `least` on.
static std::optional<unsigned> readNumber(DictionaryAttr entries,
                                          StringRef name, int64_t least) {
  auto value = entries.getAs<IntegerAttr>(name);
  if (!value || value.getValue().getSignificantBits() > 31 ||
      value.getInt() < least)
    return std::nullopt;
  return unsigned(value.getInt());
}

/// Nothing where the attribute has another form.
static std::optional<NestDecision> readNest(Attribute attr) {
  auto entries = dyn_cast<DictionaryAttr>(attr);
  if (!entries)
    return std::nullopt;
  NestDecision nest;
  auto lanes = readNumber(entries, lanesName, 0),
       vectors = readNumber(entries, vectorsName, 1);
  auto blocks = entries.getAs<DenseI64ArrayAttr>(blocksName);
  if (!lanes || !vectors || !blocks || blocks.size() % 2)
    return std::nullopt;
  nest.vectorDim = *lanes;
  nest.vectors = *vectors;
  for (int64_t i = 0; i < blocks.size(); i += 2)
    nest.blocks.push_back({unsigned(blocks[i]), unsigned(blocks[i + 1])});
  nest.vectorsInside = entries.contains(insideName);
  nest.unrolls = !entries.contains(noUnrollName);
  nest.prefetches = !entries.contains(noPrefetchName);
  return nest;
}

FailureOr<Decisions> Decisions::read(KernelOp kernel) {
  Decisions decisions;
  Attribute attr = kernel->getAttr(decisionsAttrName);
  if (!attr)
    return decisions;
  auto fail = [&](StringRef expected) {
    return kernel.emitOpError("expects ")
           << expected << " in " << decisionsAttrName << ", got " << attr;
  };
  auto entries = dyn_cast<DictionaryAttr>(attr);
  if (!entries)
    return fail("a dictionary");
  if (entries.contains(tileName)) {
    auto sizes = entries.getAs<DenseI64ArrayAttr>(tileName);
    if (!sizes || llvm::any_of(sizes.asArrayRef(), [](int64_t size) {
          return size < 0 || !llvm::isInt<32>(size);
        }))
      return fail("an array of sizes as tile");
    decisions.tile.emplace();
    llvm::append_range(decisions.tile->sizes, sizes.asArrayRef());
    if (entries.contains(slowestName)) {
      decisions.tile->slowest = readNumber(entries, slowestName, 0);
      if (!decisions.tile->slowest || *decisions.tile->slowest >= sizes.size())
        return fail("a dimension as slowest");
    }
  }
  if (entries.contains(nestsName)) {
    auto nests = entries.getAs<ArrayAttr>(nestsName);
    if (!nests)
      return fail("an array of nests");
    for (Attribute nest : nests) {
      decisions.nests.push_back(readNest(nest));
      if (!decisions.nests.back() && !isa<UnitAttr>(nest))
        return fail("lanes, vectors and pairs of blocks of a nest");
    }
  }
  return decisions;
}

static Attribute writeNest(Builder &b, const NestDecision &nest) {
  SmallVector<int64_t> blocks;
  for (auto [dim, points] : nest.blocks)
    blocks.append({dim, points});
  NamedAttrList entries;
  entries.set(lanesName, b.getI64IntegerAttr(nest.vectorDim));
  entries.set(vectorsName, b.getI64IntegerAttr(nest.vectors));
  entries.set(blocksName, b.getDenseI64ArrayAttr(blocks));
  if (nest.vectorsInside)
    entries.set(insideName, b.getUnitAttr());
  if (!nest.unrolls)
    entries.set(noUnrollName, b.getUnitAttr());
  if (!nest.prefetches)
    entries.set(noPrefetchName, b.getUnitAttr());
  return entries.getDictionary(b.getContext());
}

DictionaryAttr Decisions::write(MLIRContext *context) const {
  Builder b(context);
  NamedAttrList entries;
  if (tile) {
    entries.set(tileName, b.getDenseI64ArrayAttr(tile->sizes));
    if (tile->slowest)
      entries.set(slowestName, b.getI64IntegerAttr(*tile->slowest));
  }
  if (!nests.empty())
    entries.set(
        nestsName,
        b.getArrayAttr(llvm::map_to_vector(
            nests, [&](const std::optional<NestDecision> &nest) -> Attribute {
              return nest ? writeNest(b, *nest) : Attribute(b.getUnitAttr());
            })));
  return entries.getDictionary(context);
}

bool lathe::cpu::wantsCandidates(KernelOp kernel) {
  return kernel->hasAttrOfType<ArrayAttr>(candidatesAttrName);
}

void lathe::cpu::addCandidates(KernelOp kernel, ArrayRef<Decisions> group) {
  if (group.empty())
    return;
  Builder b(kernel.getContext());
  SmallVector<Attribute> groups(
      kernel->getAttrOfType<ArrayAttr>(candidatesAttrName).getValue());
  groups.push_back(b.getArrayAttr(
      llvm::map_to_vector(group, [&](const Decisions &decisions) -> Attribute {
        return decisions.write(kernel.getContext());
      })));
  kernel->setAttr(candidatesAttrName, b.getArrayAttr(groups));
}
