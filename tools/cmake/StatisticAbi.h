// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Included before everything else in a sanitized build, which has assertions
// on. The layout of a statistic, so that of a pass, depends on NDEBUG: it must
// be the one that libMLIR was built with.
#ifndef LATHE_TOOLS_CMAKE_STATISTICABI_H
#define LATHE_TOOLS_CMAKE_STATISTICABI_H

#define NDEBUG
#include "llvm/ADT/Statistic.h"
#undef NDEBUG
#include <cassert>

#endif // LATHE_TOOLS_CMAKE_STATISTICABI_H
