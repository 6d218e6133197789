# Part of the Lathe project, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# How Lathe's libraries and programs are declared. One place decides that
# everything links the shared libMLIR and libLLVM (mixing them with the static
# archives would register every option and dialect twice).

# Usage requirements of everything that includes MLIR or LLVM headers.
add_library(lathe_mlir_usage INTERFACE)
target_include_directories(lathe_mlir_usage INTERFACE
  ${PROJECT_SOURCE_DIR}/include ${PROJECT_BINARY_DIR}/include)
target_include_directories(lathe_mlir_usage SYSTEM INTERFACE
  ${LLVM_INCLUDE_DIRS} ${MLIR_INCLUDE_DIRS})
separate_arguments(LATHE_LLVM_DEFINITIONS NATIVE_COMMAND "${LLVM_DEFINITIONS}")
target_compile_options(lathe_mlir_usage INTERFACE
  $<$<COMPILE_LANGUAGE:CXX>:${LATHE_LLVM_DEFINITIONS} -Wall -Wextra -Werror
  -Wno-unused-parameter -fvisibility-inlines-hidden>)
target_link_libraries(lathe_mlir_usage INTERFACE MLIR LLVM)
if(LATHE_SANITIZE)
  lathe_match_llvm_abi(lathe_mlir_usage)
endif()

# MLIR's core headers cost nine seconds a file; one precompiled header, shared.
file(WRITE ${PROJECT_BINARY_DIR}/pch.cpp "")
function(lathe_add_pch name)
  add_library(${name} OBJECT ${PROJECT_BINARY_DIR}/pch.cpp)
  target_link_libraries(${name} PUBLIC lathe_mlir_usage)
  target_compile_options(${name} PRIVATE ${ARGN} -Xclang -fno-pch-timestamp)
  target_precompile_headers(${name} PRIVATE
    ${PROJECT_SOURCE_DIR}/lib/Support/Precompiled.h)
endfunction()

# lathe_tablegen(TargetName folder/File.td out=flag...) runs mlir-tblgen. The
# .td lies under include/lathe/, and so do the results, in the build tree: the
# code includes "lathe/folder/Ops.h.inc". A pair is "Ops.h.inc=-gen-op-decls".
function(lathe_tablegen target td)
  get_filename_component(folder ${td} DIRECTORY)
  set(in ${PROJECT_SOURCE_DIR}/include/lathe/${td})
  set(dir ${PROJECT_BINARY_DIR}/include/lathe/${folder})
  file(MAKE_DIRECTORY ${dir})
  set(outs)
  foreach(pair ${ARGN})
    string(REGEX MATCH "^([^=]+)=(.+)$" _ "${pair}")
    set(out ${dir}/${CMAKE_MATCH_1})
    separate_arguments(flags UNIX_COMMAND "${CMAKE_MATCH_2}")
    add_custom_command(OUTPUT ${out}
      COMMAND ${LATHE_MLIR_TBLGEN} ${flags} ${in} -o ${out} -d ${out}.d
              --write-if-changed -I ${PROJECT_SOURCE_DIR}/include
              -I ${LATHE_MLIR_INCLUDE}
      DEPENDS ${in} DEPFILE ${out}.d VERBATIM)
    list(APPEND outs ${out})
  endforeach()
  add_custom_target(${target} DEPENDS ${outs})
  add_dependencies(lathe-headers ${target})
  lathe_document(${target} ${td} ${ARGN})
endfunction()

# Writes the reference of what lathe_tablegen declares to docs/ in the build
# tree, one page per .td: a dialect with its operations, operations, or passes.
add_custom_target(lathe-docs ALL)
function(lathe_document target td)
  set(generator)
  foreach(kind dialect op pass)
    if(NOT generator AND "${ARGN}" MATCHES "-gen-${kind}-decls")
      set(generator -gen-${kind}-doc)
    endif()
  endforeach()
  if(NOT generator)
    return()
  endif()
  string(REGEX REPLACE "\\.td$" ".md" page docs/${td})
  set(out ${PROJECT_BINARY_DIR}/${page})
  get_filename_component(dir ${out} DIRECTORY)
  file(MAKE_DIRECTORY ${dir})
  set(in ${PROJECT_SOURCE_DIR}/include/lathe/${td})
  add_custom_command(OUTPUT ${out}
    COMMAND ${LATHE_MLIR_TBLGEN} ${generator} ${in} -o ${out} -d ${out}.d
            -I ${PROJECT_SOURCE_DIR}/include -I ${LATHE_MLIR_INCLUDE}
    DEPENDS ${in} DEPFILE ${out}.d VERBATIM)
  add_custom_target(${target}Doc DEPENDS ${out})
  add_dependencies(lathe-docs ${target}Doc)
endfunction()
list(GET MLIR_INCLUDE_DIRS 0 LATHE_MLIR_INCLUDE)
find_program(LATHE_MLIR_TBLGEN mlir-tblgen REQUIRED
             HINTS ${LLVM_TOOLS_BINARY_DIR} NO_DEFAULT_PATH)
add_custom_target(lathe-headers)

# lathe_add_library(Name src... [DEPENDS ...] [LINK_LIBS ...] [EXCEPTIONS])
# One static library per folder, with the shared precompiled header.
function(lathe_add_library name)
  cmake_parse_arguments(ARG "EXCEPTIONS" "" "DEPENDS;LINK_LIBS" ${ARGN})
  add_library(${name} STATIC ${ARG_UNPARSED_ARGUMENTS})
  target_link_libraries(${name} PUBLIC lathe_mlir_usage ${ARG_LINK_LIBS})
  # Generated headers are shared widely; all of them are cheap to make.
  add_dependencies(${name} lathe-headers ${ARG_DEPENDS})
  if(ARG_EXCEPTIONS)
    target_compile_options(${name} PRIVATE -fexceptions)
    target_precompile_headers(${name} REUSE_FROM LathePCHExceptions)
  else()
    target_compile_options(${name} PRIVATE -fno-exceptions)
    target_precompile_headers(${name} REUSE_FROM LathePCH)
  endif()
  target_compile_options(${name} PRIVATE -Xclang -fno-pch-timestamp)
endfunction()

# lathe_add_tool(name src... LINK_LIBS ...)
function(lathe_add_tool name)
  cmake_parse_arguments(ARG "" "" "LINK_LIBS" ${ARGN})
  add_executable(${name} ${ARG_UNPARSED_ARGUMENTS})
  target_link_libraries(${name} PRIVATE lathe_mlir_usage ${ARG_LINK_LIBS})
  add_dependencies(${name} lathe-headers)
  # The header was compiled with -fPIC; a program would get -fPIE.
  set_target_properties(${name} PROPERTIES POSITION_INDEPENDENT_CODE OFF)
  target_compile_options(${name} PRIVATE -fPIC -fno-exceptions -Xclang -fno-pch-timestamp)
  target_precompile_headers(${name} REUSE_FROM LathePCH)
  if(LATHE_SANITIZE)
    set(options ${PROJECT_SOURCE_DIR}/tools/cmake/sanitizer-options.c)
    target_sources(${name} PRIVATE ${options})
    set_source_files_properties(${options} PROPERTIES SKIP_PRECOMPILE_HEADERS ON)
  endif()
endfunction()
