# Part of the Lathe project, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# cmake -DOUT=F -DINCLUDE=DIR -DSOURCES=a.c|b.c -P amalgamate.cmake
# Joins the runtime into one C file that compiles anywhere by itself.
cmake_policy(SET CMP0057 NEW)
set(seen)
set(text "/* The runtime of Lathe in one file; made from lib/Runtime.
 *   cc -std=c11 -O2 -fvisibility=hidden -c lathe-runtime.c -pthread */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#ifdef __GNUC__ /* lathe.h, in this file, has inline functions for users */
#pragma GCC diagnostic ignored \"-Wunused-function\"
#endif\n")

# Appends a file to `text`, each of our own headers in place of its include.
# Brackets and semicolons mean something in CMake's lists: they are masked.
function(append_file path)
  file(READ "${path}" rest)
  string(REPLACE "\;" "@SEMI@" rest "${rest}")
  string(REPLACE ";" "@SEMI@" rest "${rest}")
  get_filename_component(folder "${path}" DIRECTORY)
  while(rest MATCHES "(^|\n)#include \"([^\"]+)\"\n")
    set(line "${CMAKE_MATCH_0}")
    set(name "${CMAKE_MATCH_2}")
    string(FIND "${rest}" "${line}" at)
    string(SUBSTRING "${rest}" 0 ${at} before)
    string(LENGTH "${line}" length)
    math(EXPR at "${at} + ${length}")
    string(SUBSTRING "${rest}" ${at} -1 rest)
    string(APPEND text "${before}\n")
    foreach(candidate "${folder}/${name}" "${INCLUDE}/${name}")
      if(EXISTS "${candidate}")
        get_filename_component(candidate "${candidate}" REALPATH)
        if(NOT candidate IN_LIST seen)
          list(APPEND seen "${candidate}")
          append_file("${candidate}")
        endif()
        break()
      endif()
    endforeach()
  endwhile()
  string(APPEND text "${rest}")
  set(text "${text}" PARENT_SCOPE)
  set(seen "${seen}" PARENT_SCOPE)
endfunction()

string(REPLACE "|" ";" SOURCES "${SOURCES}")
foreach(source IN LISTS SOURCES)
  append_file("${source}")
endforeach()
string(REPLACE "@SEMI@" ";" text "${text}")
file(WRITE "${OUT}" "${text}")
