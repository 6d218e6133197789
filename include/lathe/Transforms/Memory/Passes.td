// Part of the Lathe project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef LATHE_TRANSFORMS_MEMORY_PASSES_TD
#define LATHE_TRANSFORMS_MEMORY_PASSES_TD

include "mlir/Pass/PassBase.td"

def ScheduleLaunches : Pass<"schedule-launches", "::mlir::func::FuncOp"> {
  let summary = "Orders launches so that less memory is live at once";
  let description = [{
    Of launches that do not depend on each other, the one goes first that frees
    most. A new order is taken only where it needs less memory than the one that
    is there; results that take over an input's buffer (`lathe.inplace`) count as
    such. Other ops (checks, control flow, calls, insertions) stay where they are,
    and no launch moves past them. Programs with symbolic sizes stay as they are.
  }];
  let statistics = [
    Statistic<"numScheduled", "num-scheduled", "Runs of launches put into another order">,
    Statistic<"savedBytes", "saved-bytes", "What their peaks fell by, added up">
  ];
}

def PlanMemory : Pass<"plan-memory", "::mlir::func::FuncOp"> {
  let summary = "Gives every value of a program its storage";
  let description = [{
    Launch results that the program returns live in the caller's output, the
    others in slots of the arena. A result takes over the slot of an input that
    dies at its launch where the kernel allows it (`lathe.inplace`). Slots whose
    lives overlap get disjoint offsets: at compile time when all sizes are static
    (an exact search against the liveness bound), else by the runtime when it
    first sees the sizes.

    `strategy`: `search`, `greedy` (one order, by size), or `none` (every slot
    has its own place and nothing is reused). The search ends where it meets the
    bound, or after `search-steps`: a count, so that every machine finds the same.
  }];
  let options = [
    Option<"strategy", "strategy", "std::string", "\"search\"",
           "How slots are placed: search, greedy or none">,
    Option<"searchSteps", "search-steps", "int64_t", "80000000",
           "Looks at a slot or a moment that the search may take (some 300 million a second)">
  ];
  let statistics = [
    Statistic<"arenaBytes", "arena-bytes", "Size of the arena (static programs)">,
    Statistic<"boundBytes", "bound-bytes", "Largest sum of live slots (static programs)">,
    Statistic<"numInplace", "num-inplace", "Results that took over an input's slot">
  ];
}

#endif // LATHE_TRANSFORMS_MEMORY_PASSES_TD
