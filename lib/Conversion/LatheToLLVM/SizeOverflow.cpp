// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "SizeOverflow.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace lathe;

/// Whether `sum` = `a` + `b` wrapped: it has the sign of neither.
static Value checkSum(OpBuilder &b, Location loc, Value a, Value rhs,
                      Value sum) {
  Value first = arith::XOrIOp::create(b, loc, a, sum);
  Value second = arith::XOrIOp::create(b, loc, rhs, sum);
  Value both = arith::AndIOp::create(b, loc, first, second);
  Value zero = arith::ConstantIndexOp::create(b, loc, 0);
  return arith::CmpIOp::create(b, loc, arith::CmpIPredicate::slt, both, zero);
}

Value lathe::createOverflowFlag(Block &block, Location loc) {
  SmallVector<Operation *> operations;
  for (Operation &op : block)
    if (isa<arith::AddIOp, arith::SubIOp, arith::MulIOp>(op) &&
        op.getResult(0).getType().isIndex())
      operations.push_back(&op);
  OpBuilder b = OpBuilder::atBlockBegin(&block);
  Value flag = arith::ConstantIntOp::create(b, loc, 0, 1);
  // Collected as sizes are computed, so that one flag is kept at a time.
  for (Operation *op : operations) {
    b.setInsertionPointAfter(op);
    Value lhs = op->getOperand(0), rhs = op->getOperand(1);
    Value result = op->getResult(0), wraps;
    if (isa<arith::AddIOp>(op)) {
      wraps = checkSum(b, loc, lhs, rhs, result);
    } else if (isa<arith::SubIOp>(op)) {
      // lhs = result + rhs.
      wraps = checkSum(b, loc, result, rhs, lhs);
    } else {
      auto wide = arith::MulSIExtendedOp::create(b, loc, lhs, rhs);
      Value bits = arith::ConstantIndexOp::create(b, loc, 63);
      Value sign = arith::ShRSIOp::create(b, loc, wide.getLow(), bits);
      wraps = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ne,
                                    wide.getHigh(), sign);
    }
    flag = arith::OrIOp::create(b, loc, flag, wraps);
  }
  return flag;
}
