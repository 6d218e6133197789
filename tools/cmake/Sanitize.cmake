# Part of the Lathe project, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# -DLATHE_SANITIZE=ON: the compiler, the tests in C and the runtime (so also the
# one that is hidden in the libraries that this build's compiler writes) check
# addresses and undefined behaviour. Generated kernels and Debian's libMLIR are
# not instrumented. What this build writes can be loaded only by programs that
# bring the sanitizers' runtime: its own driver and tests.
# Assertions in LLVM's and MLIR's headers are on.
# -DLATHE_FUZZ=ON adds what libFuzzer needs to see, and the fuzzers.
if(LATHE_FUZZ AND NOT LATHE_SANITIZE)
  message(FATAL_ERROR "expected -DLATHE_SANITIZE=ON with -DLATHE_FUZZ=ON")
endif()
if(NOT LATHE_SANITIZE)
  return()
endif()

# Level 1 compiles four times as fast as level 3, and the tests are hardly
# slower. Two checks are off: vptr would need RTTI of every class in libMLIR,
# function reads what clang puts before a function, and generated code has not.
set(sanitize -fsanitize=address,undefined -fno-sanitize=vptr,function)
add_compile_options(-UNDEBUG -O1 -gline-tables-only -fno-omit-frame-pointer
  ${sanitize} -fno-sanitize-recover=all)
add_link_options(${sanitize})
add_compile_definitions(LATHE_SANITIZE)
if(LATHE_FUZZ)
  add_compile_options($<$<COMPILE_LANGUAGE:CXX>:-fsanitize=fuzzer-no-link>)
  add_link_options(-fsanitize=fuzzer-no-link)
endif()

# Called by what includes headers of LLVM (LatheTargets.cmake).
function(lathe_match_llvm_abi target)
  target_compile_options(${target} INTERFACE $<$<COMPILE_LANGUAGE:CXX>:-include
    ${PROJECT_SOURCE_DIR}/tools/cmake/StatisticAbi.h>)
endfunction()
