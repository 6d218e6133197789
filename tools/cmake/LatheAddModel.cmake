# Part of the Lathe project, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# lathe_add_model(target MODEL.onnx [STATIC|SHARED] [NAME prefix]
#                 [OPTIONS option...] [DEPENDS file...])
#
# Compiles a model when the project is built, and again when the model or the
# compiler changes. `target` is a library: linking with it gives the model, its
# header <target.h>, and what both need.
#   STATIC   the default: the model's code, to be linked into a program with
#            Lathe::runtime; a target like any other, that can be installed
#   SHARED   a library that needs libc only, with the runtime hidden inside
#   NAME     the prefix of the model's symbols, so NAME_lathe_model(); by
#            default the target's name
#   OPTIONS  options of `lathe compile`: --cpu=x86-64-v3 --dim=batch:8 ...
#   DEPENDS  files that the model refers to: its external data
function(lathe_add_model target model)
  cmake_parse_arguments(PARSE_ARGV 2 ARG "STATIC;SHARED" "NAME" "OPTIONS;DEPENDS")
  if(ARG_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "lathe_add_model: expected STATIC, SHARED, NAME, OPTIONS "
            "or DEPENDS, got ${ARG_UNPARSED_ARGUMENTS}")
  endif()
  if(ARG_STATIC AND ARG_SHARED)
    message(FATAL_ERROR "lathe_add_model: expected STATIC or SHARED, got both")
  endif()
  if(NOT ARG_NAME)
    string(MAKE_C_IDENTIFIER "${target}" ARG_NAME)
  endif()
  get_filename_component(model "${model}" ABSOLUTE)
  set(dir "${CMAKE_CURRENT_BINARY_DIR}/${target}.lathe")
  file(MAKE_DIRECTORY "${dir}")
  set(artifact "${dir}/${target}.o")
  set(rename)
  if(ARG_SHARED)
    set(artifact "${dir}/lib${target}.so")
    set(rename COMMAND "${CMAKE_COMMAND}" -E rename "${dir}/lib${target}.h"
               "${dir}/${target}.h")
  endif()

  add_custom_command(OUTPUT "${artifact}" "${dir}/${target}.h"
    COMMAND "${LATHE_EXECUTABLE}" compile "${model}" -o "${artifact}"
            --name=${ARG_NAME} --progress=off ${ARG_OPTIONS}
    ${rename}
    DEPENDS "${model}" "${LATHE_EXECUTABLE}" ${ARG_DEPENDS}
    COMMENT "Compiling model ${target}" VERBATIM)

  if(ARG_SHARED)
    add_custom_target(${target}-artifact DEPENDS "${artifact}" "${dir}/${target}.h")
    add_library(${target} SHARED IMPORTED GLOBAL)
    add_dependencies(${target} ${target}-artifact)
    set_target_properties(${target} PROPERTIES
      IMPORTED_LOCATION "${artifact}" IMPORTED_NO_SONAME ON)
    set(scope INTERFACE)
  else()
    add_library(${target} STATIC "${artifact}" "${dir}/${target}.h")
    set_target_properties(${target} PROPERTIES LINKER_LANGUAGE C)
    target_link_libraries(${target} PUBLIC Lathe::runtime)
    set(scope PUBLIC)
  endif()
  target_include_directories(${target} SYSTEM ${scope}
    "$<BUILD_INTERFACE:${dir};${LATHE_INCLUDE_DIR}>")
endfunction()
