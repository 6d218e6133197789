# Part of the Lathe project, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# The package in the build tree: links to its sources, the driver and the
# libraries, and the native module. Needs nanobind in LATHE_PYTHON; an
# interpreter without sanitizers cannot load what a sanitized build makes.
add_custom_target(lathe-python)
find_program(LATHE_PYTHON python3 HINTS ${PROJECT_SOURCE_DIR}/build/venv/bin
             DOC "A Python that has test/requirements.txt")
execute_process(COMMAND ${LATHE_PYTHON} -m nanobind --cmake_dir
  OUTPUT_VARIABLE nanobind_DIR OUTPUT_STRIP_TRAILING_WHITESPACE
  RESULT_VARIABLE missing ERROR_QUIET)
if(LATHE_SANITIZE OR missing)
  message(STATUS "Not building the Python package")
  return()
endif()
set(Python_EXECUTABLE ${LATHE_PYTHON})
find_package(Python 3.11 REQUIRED COMPONENTS Interpreter Development.Module)
find_package(nanobind CONFIG REQUIRED)

set(package ${PROJECT_BINARY_DIR}/python/lathe)
lathe_add_native()
set_target_properties(_native PROPERTIES LIBRARY_OUTPUT_DIRECTORY ${package})

file(GLOB modules CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/lathe/*)
foreach(module ${modules})
  get_filename_component(name ${module} NAME)
  if(NOT name STREQUAL __pycache__)
    file(MAKE_DIRECTORY ${package})
    file(CREATE_LINK ${module} ${package}/${name} SYMBOLIC)
  endif()
endforeach()
foreach(file bin/lathe lib/liblathe.so lib/liblathe_rt.a)
  get_filename_component(folder ${package}/${file} DIRECTORY)
  file(MAKE_DIRECTORY ${folder})
  file(CREATE_LINK ${PROJECT_BINARY_DIR}/${file} ${package}/${file} SYMBOLIC)
endforeach()
add_dependencies(lathe-python _native lathe LatheCompiler LatheRuntime)
