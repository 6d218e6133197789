// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Trees.h"

#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/StringSwitch.h"
#include <cmath>

using namespace mlir;
using namespace lathe;

/// The numbers of a tensor attribute.
static SmallVector<double> getNumbers(std::optional<ElementsAttr> attr) {
  SmallVector<double> numbers;
  auto dense = attr ? dyn_cast<DenseElementsAttr>(*attr) : DenseElementsAttr();
  if (attr && !dense)
    if (auto resource = dyn_cast<DenseResourceElementsAttr>(*attr))
      dense = DenseElementsAttr::getFromRawBuffer(resource.getType(),
                                                  resource.getData());
  if (!dense)
    return numbers;
  if (isa<FloatType>(dense.getElementType()))
    for (const APFloat &x : dense.getValues<APFloat>()) {
      APFloat wide = x;
      bool lost;
      wide.convert(APFloat::IEEEdouble(), APFloat::rmNearestTiesToEven, &lost);
      numbers.push_back(wide.convertToDouble());
    }
  else if (isa<IntegerType>(dense.getElementType()))
    for (const APInt &x : dense.getValues<APInt>())
      numbers.push_back(double(x.getSExtValue()));
  return numbers;
}

/// The numbers of the one of two attributes that is given.
static SmallVector<double> getNumbers(std::optional<ArrayRef<float>> floats,
                                      std::optional<ElementsAttr> tensor) {
  if (!floats || floats->empty())
    return getNumbers(tensor);
  return SmallVector<double>(floats->begin(), floats->end());
}

/// Reports a list of another length than `count`.
static LogicalResult checkLength(Lowering &l, StringRef name, size_t have,
                                 size_t count) {
  if (have == count)
    return success();
  return l.unsupported("expected " + Twine(count) + " elements in " + name +
                       ", got " + Twine(have));
}

/// Reports a number that is not in [0, end).
static LogicalResult checkRange(Lowering &l, StringRef name, int64_t number,
                                int64_t end) {
  if (number >= 0 && number < end)
    return success();
  return l.unsupported("expected " + name + " in [0, " + Twine(end) +
                       "), got " + Twine(number));
}

/// Reports nodes that are reached twice, or from themselves.
static LogicalResult checkTrees(Lowering &l, const Trees &trees) {
  SmallVector<bool> seen(trees.nodes.size());
  SmallVector<int64_t> work(trees.roots);
  while (!work.empty()) {
    int64_t node = work.pop_back_val();
    if (node < 0)
      continue;
    if (seen[node])
      return l.unsupported("expected trees, got node " + Twine(node) +
                           " with two parents");
    seen[node] = true;
    work.push_back(trees.nodes[node].yes);
    work.push_back(trees.nodes[node].no);
  }
  return success();
}

//===----------------------------------------------------------------------===//
// TreeEnsemble
//===----------------------------------------------------------------------===//

FailureOr<Trees> lathe::readTrees(onnx::MlTreeEnsembleOp op, Lowering &l,
                                  int64_t numTargets, int64_t numFeatures) {
  Trees trees;
  ArrayRef<int64_t> features = op.getNodesFeatureids();
  size_t count = features.size();
  SmallVector<double> modes = getNumbers(op.getNodesModes()),
                      splits = getNumbers(op.getNodesSplits()),
                      weights = getNumbers(op.getLeafWeights()),
                      members = getNumbers(op.getMembershipValues());
  std::optional<ArrayRef<int64_t>> missing =
      op.getNodesMissingValueTracksTrue();
  ArrayRef<int64_t> targets = op.getLeafTargetids();
  if (failed(checkLength(l, "nodes_modes", modes.size(), count)) ||
      failed(checkLength(l, "nodes_splits", splits.size(), count)) ||
      failed(checkLength(l, "nodes_trueleafs", op.getNodesTrueleafs().size(),
                         count)) ||
      failed(checkLength(l, "nodes_falseleafs", op.getNodesFalseleafs().size(),
                         count)) ||
      failed(checkLength(l, "nodes_truenodeids",
                         op.getNodesTruenodeids().size(), count)) ||
      failed(checkLength(l, "nodes_falsenodeids",
                         op.getNodesFalsenodeids().size(), count)) ||
      (missing && !missing->empty() &&
       failed(checkLength(l, "nodes_missing_value_tracks_true", missing->size(),
                          count))) ||
      failed(checkLength(l, "leaf_weights", weights.size(), targets.size())))
    return failure();
  for (auto [target, weight] : llvm::zip_equal(targets, weights)) {
    if (failed(checkRange(l, "leaf_targetids", target, numTargets)))
      return failure();
    trees.leaves.push_back({{target, weight}});
  }
  int64_t numLeaves = trees.leaves.size();
  size_t nextMember = 0;
  for (size_t i = 0; i != count; ++i) {
    Trees::Node node;
    node.feature = features[i];
    if (failed(checkRange(l, "nodes_featureids", node.feature,
                          numFeatures < 0 ? INT32_MAX : numFeatures)))
      return failure();
    if (modes[i] < 0 || modes[i] > 6)
      return l.unsupported("expected nodes_modes in [0, 7), got " +
                           Twine(int64_t(modes[i])));
    node.mode = TreeMode(int(modes[i]));
    node.split = splits[i];
    node.missing = missing && !missing->empty() && (*missing)[i] != 0;
    auto getChild = [&](int64_t isLeaf, int64_t id,
                        int64_t &child) -> LogicalResult {
      child = isLeaf ? ~id : id;
      return checkRange(l, isLeaf ? "numbers of leaves" : "numbers of nodes",
                        id, isLeaf ? numLeaves : int64_t(count));
    };
    if (failed(getChild(op.getNodesTrueleafs()[i], op.getNodesTruenodeids()[i],
                        node.yes)) ||
        failed(getChild(op.getNodesFalseleafs()[i],
                        op.getNodesFalsenodeids()[i], node.no)))
      return failure();
    if (node.mode == TreeMode::Member) {
      // The members of one node after the other, each list ended by NaN.
      node.firstMember = trees.members.size();
      while (nextMember != members.size() && !std::isnan(members[nextMember]))
        trees.members.push_back(members[nextMember++]);
      if (nextMember == members.size())
        return l.unsupported("expected membership_values with an end for each "
                             "membership test, got too few");
      ++nextMember;
      node.endMember = trees.members.size();
    }
    trees.nodes.push_back(node);
  }
  for (int64_t root : op.getTreeRoots()) {
    if (failed(checkRange(l, "tree_roots", root, count)))
      return failure();
    trees.roots.push_back(root);
  }
  if (failed(checkTrees(l, trees)))
    return failure();
  return trees;
}

//===----------------------------------------------------------------------===//
// The older forms
//===----------------------------------------------------------------------===//

namespace {
/// The lists that give leaves their weights.
struct LeafLists {
  StringRef prefix;
  std::optional<ArrayRef<int64_t>> ids, nodes, trees;
  SmallVector<double> weights;
};
} // namespace

template <typename OpTy>
static FailureOr<Trees> readNamed(OpTy op, Lowering &l, const LeafLists &lists,
                                  int64_t numTargets, int64_t numFeatures) {
  auto get = [](std::optional<ArrayRef<int64_t>> list) {
    return list.value_or(ArrayRef<int64_t>());
  };
  Trees trees;
  trees.base = getNumbers(op.getBaseValues(), op.getBaseValuesAsTensor());
  ArrayRef<int64_t> ids = get(op.getNodesNodeids()),
                    treeIds = get(op.getNodesTreeids()),
                    features = get(op.getNodesFeatureids()),
                    yes = get(op.getNodesTruenodeids()),
                    no = get(op.getNodesFalsenodeids()),
                    missing = get(op.getNodesMissingValueTracksTrue());
  SmallVector<double> splits =
      getNumbers(op.getNodesValues(), op.getNodesValuesAsTensor());
  size_t count = ids.size(), numModes = 0;
  std::optional<ArrayAttr> modes = op.getNodesModes();
  if (modes)
    numModes = modes->size();
  if (failed(checkLength(l, "nodes_treeids", treeIds.size(), count)) ||
      failed(checkLength(l, "nodes_featureids", features.size(), count)) ||
      failed(checkLength(l, "nodes_truenodeids", yes.size(), count)) ||
      failed(checkLength(l, "nodes_falsenodeids", no.size(), count)) ||
      failed(checkLength(l, "nodes_values", splits.size(), count)) ||
      failed(checkLength(l, "nodes_modes", numModes, count)) ||
      (!missing.empty() &&
       failed(checkLength(l, "nodes_missing_value_tracks_true", missing.size(),
                          count))))
    return failure();
  if (count == 0)
    return l.unsupported("expected at least one node, got none");

  // Where each node is: an inner node, or `~leaf`.
  llvm::DenseMap<std::pair<int64_t, int64_t>, int64_t> places;
  int64_t numInner = 0;
  for (size_t i = 0; i != count; ++i) {
    bool isLeaf = cast<StringAttr>((*modes)[i]).getValue() == "LEAF";
    if (isLeaf)
      trees.leaves.emplace_back();
    int64_t place = isLeaf ? ~int64_t(trees.leaves.size() - 1) : numInner++;
    if (!places.try_emplace({treeIds[i], ids[i]}, place).second)
      return l.unsupported("expected each node once, got node " +
                           Twine(ids[i]) + " of tree " + Twine(treeIds[i]) +
                           " again");
  }
  llvm::DenseSet<int64_t> children;
  for (size_t i = 0; i != count; ++i) {
    StringRef word = cast<StringAttr>((*modes)[i]).getValue();
    if (word == "LEAF")
      continue;
    auto mode = llvm::StringSwitch<std::optional<TreeMode>>(word)
                    .Case("BRANCH_LEQ", TreeMode::LE)
                    .Case("BRANCH_LT", TreeMode::LT)
                    .Case("BRANCH_GTE", TreeMode::GE)
                    .Case("BRANCH_GT", TreeMode::GT)
                    .Case("BRANCH_EQ", TreeMode::EQ)
                    .Case("BRANCH_NEQ", TreeMode::NE)
                    .Default(std::nullopt);
    if (!mode)
      return l.unsupported("expected LEAF or a kind of BRANCH in nodes_modes, "
                           "got '" +
                           word + "'");
    Trees::Node node;
    node.mode = *mode;
    node.feature = features[i];
    if (failed(checkRange(l, "nodes_featureids", node.feature,
                          numFeatures < 0 ? INT32_MAX : numFeatures)))
      return failure();
    node.split = splits[i];
    node.missing = !missing.empty() && missing[i] != 0;
    for (auto [id, child] :
         {std::pair(yes[i], &node.yes), std::pair(no[i], &node.no)}) {
      auto place = places.find({treeIds[i], id});
      if (place == places.end())
        return l.unsupported("expected the children of node " + Twine(ids[i]) +
                             " in tree " + Twine(treeIds[i]) + ", got " +
                             Twine(id));
      *child = place->second;
      children.insert(place->second);
    }
    trees.nodes.push_back(node);
  }
  // What no node leads to begins a tree.
  llvm::DenseSet<int64_t> rooted;
  for (size_t i = 0; i != count; ++i) {
    int64_t place = places.lookup({treeIds[i], ids[i]});
    if (children.contains(place))
      continue;
    trees.roots.push_back(place);
    rooted.insert(treeIds[i]);
  }
  for (int64_t tree : treeIds)
    if (!rooted.contains(tree))
      return l.unsupported("expected a node without parents in tree " +
                           Twine(tree) + ", got none");

  ArrayRef<int64_t> targets = get(lists.ids), at = get(lists.nodes),
                    in = get(lists.trees);
  std::string prefix = lists.prefix.str();
  if (failed(checkLength(l, prefix + "_nodeids", at.size(), targets.size())) ||
      failed(checkLength(l, prefix + "_treeids", in.size(), targets.size())) ||
      failed(checkLength(l, prefix + "_weights", lists.weights.size(),
                         targets.size())))
    return failure();
  for (auto [target, node, tree, weight] :
       llvm::zip_equal(targets, at, in, lists.weights)) {
    if (failed(checkRange(l, prefix + "_ids", target, numTargets)))
      return failure();
    auto place = places.find({tree, node});
    if (place == places.end())
      return l.unsupported("expected a node of a tree in " + prefix +
                           "_nodeids, got " + Twine(node) + " of tree " +
                           Twine(tree));
    // Only leaves give scores.
    if (place->second < 0)
      trees.leaves[~place->second].push_back({target, weight});
  }
  if (failed(checkTrees(l, trees)))
    return failure();
  return trees;
}

FailureOr<Trees> lathe::readTrees(onnx::MlTreeEnsembleRegressorOp op,
                                  Lowering &l, int64_t numTargets,
                                  int64_t numFeatures) {
  LeafLists lists{
      "target", op.getTargetIds(), op.getTargetNodeids(), op.getTargetTreeids(),
      getNumbers(op.getTargetWeights(), op.getTargetWeightsAsTensor())};
  return readNamed(op, l, lists, numTargets, numFeatures);
}

FailureOr<Trees> lathe::readTrees(onnx::MlTreeEnsembleClassifierOp op,
                                  Lowering &l, int64_t numTargets,
                                  int64_t numFeatures) {
  LeafLists lists{
      "class", op.getClassIds(), op.getClassNodeids(), op.getClassTreeids(),
      getNumbers(op.getClassWeights(), op.getClassWeightsAsTensor())};
  return readNamed(op, l, lists, numTargets, numFeatures);
}
