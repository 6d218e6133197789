// RUN: not lathe-opt %s -pass-pipeline='builtin.module(func.func(plan-memory{strategy=odd}))' 2>&1 | FileCheck %s
// CHECK: expects a strategy of search, greedy or none, got 'odd'
func.func @no_unknown_strategy() {
  return
}
