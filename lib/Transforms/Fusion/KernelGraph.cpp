// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The order is kept as nodes merge, after D. J. Pearce and P. H. J. Kelly, "A
// Dynamic Topological Sort Algorithm for Directed Acyclic Graphs", JEA 11,
// 2007: a search goes no further than the numbers of the two nodes, and only
// what it finds changes places.

#include "KernelGraph.h"

#include "mlir/IR/Visitors.h"
#include "llvm/ADT/DenseSet.h"
#include "llvm/ADT/STLExtras.h"
#include <queue>

using namespace mlir;
using namespace lathe;

KernelGraph::KernelGraph(Block &block) {
  for (Operation &op : block) {
    positions[&op] = ops.size();
    ops.push_back(&op);
  }
  readers.resize(ops.size());
  producers.resize(ops.size());
  for (unsigned position = 0; position != ops.size(); ++position) {
    nodeOf.push_back(position);
    members.push_back({position});
    numbers.push_back(position);
    Nodes &read = producers[position];
    ops[position]->walk([&](Operation *inner) {
      for (Value operand : inner->getOperands()) {
        auto from = positions.find(operand.getDefiningOp());
        if (from != positions.end() && from->second != position)
          read.push_back(from->second);
      }
    });
    llvm::sort(read);
    read.erase(llvm::unique(read), read.end());
    for (unsigned from : read)
      readers[from].push_back(position);
  }
}

std::optional<unsigned>
KernelGraph::findReachable(unsigned from, unsigned target, Nodes &reached) {
  // The nearest to the target first: where there is a path, a short one is
  // found soon.
  std::priority_queue<std::pair<unsigned, unsigned>> work;
  DenseSet<unsigned> seen;
  auto visit = [&](unsigned node) {
    for (unsigned member : members[node])
      for (unsigned reader : readers[member]) {
        unsigned next = nodeOf[reader];
        if (next == target && node != from)
          return true;
        if (next != node && numbers[next] < numbers[target] &&
            seen.insert(next).second)
          work.push({numbers[next], next});
      }
    return false;
  };
  visit(from);
  while (!work.empty()) {
    unsigned node = work.top().second;
    work.pop();
    if (visit(node))
      return node;
    reached.push_back(node);
  }
  sortByNumber(reached);
  return std::nullopt;
}

KernelGraph::Nodes KernelGraph::findReaching(unsigned to, unsigned begin) {
  Nodes reaching;
  DenseSet<unsigned> seen;
  SmallVector<unsigned> work = {to};
  while (!work.empty()) {
    unsigned node = work.pop_back_val();
    for (unsigned member : members[node])
      for (unsigned producer : producers[member]) {
        unsigned next = nodeOf[producer];
        if (next == to || numbers[next] <= begin || !seen.insert(next).second)
          continue;
        reaching.push_back(next);
        work.push_back(next);
      }
  }
  sortByNumber(reaching);
  return reaching;
}

void KernelGraph::sortByNumber(Nodes &nodes) const {
  llvm::sort(nodes,
             [&](unsigned a, unsigned b) { return numbers[a] < numbers[b]; });
}

Operation *KernelGraph::findBetween(Operation *producer, Operation *reader) {
  Nodes reached;
  std::optional<unsigned> between = findReachable(
      nodeOf[getPosition(producer)], nodeOf[getPosition(reader)], reached);
  return between ? ops[members[*between].front()] : nullptr;
}

void KernelGraph::merge(Operation *producer, Operation *reader) {
  unsigned from = nodeOf[getPosition(producer)],
           to = nodeOf[getPosition(reader)];
  assert(members[from].size() == 1 && numbers[from] < numbers[to] &&
         "a producer that comes first, and is no group");
  Nodes after;
  [[maybe_unused]] std::optional<unsigned> between =
      findReachable(from, to, after);
  assert(!between && "kernels that wait for each other");
  // What reads the producer has to move behind the node, and what the node
  // waits for before that.
  if (!after.empty()) {
    Nodes moved = findReaching(to, numbers[after.front()]);
    moved.push_back(to);
    llvm::append_range(moved, after);
    SmallVector<unsigned> places =
        llvm::map_to_vector(moved, [&](unsigned n) { return numbers[n]; });
    llvm::sort(places);
    for (auto [node, place] : llvm::zip_equal(moved, places))
      numbers[node] = place;
  }
  nodeOf[from] = to;
  members[to].push_back(from);
  members[from].clear();
}
