# Part of the Lathe project, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# The install tree. It can be moved: the driver finds the runtime as
# ../lib/liblathe_rt.a, CMake's and pkg-config's files look for what is beside
# them.
#
#   bin/lathe                          the driver
#   include/lathe-rt, include/lathe-c  C ABI of compiled models, of the compiler
#   lib/liblathe_rt.a                  Lathe::runtime
#   share/lathe/lathe-runtime.c        the same as one C11 file
#   lib/liblathe.so                    Lathe::compiler
#   lib/cmake/Lathe, lib/pkgconfig     for find_package and pkg-config
include(CMakePackageConfigHelpers)

set(config ${PROJECT_BINARY_DIR}/lib/cmake/Lathe)
install(TARGETS lathe RUNTIME DESTINATION bin)
install(TARGETS LatheRuntime EXPORT LatheTargets ARCHIVE DESTINATION lib)
install(DIRECTORY include/lathe-rt include/lathe-c DESTINATION include
        FILES_MATCHING PATTERN "*.h")
install(FILES ${PROJECT_BINARY_DIR}/share/lathe/lathe-runtime.c
        DESTINATION share/lathe)
install(FILES LICENSE DESTINATION share/lathe)
if(TARGET LatheCompiler)
  install(TARGETS LatheCompiler EXPORT LatheTargets LIBRARY DESTINATION lib)
endif()

install(EXPORT LatheTargets NAMESPACE Lathe:: DESTINATION lib/cmake/Lathe)
configure_package_config_file(tools/cmake/LatheConfig.cmake.in
  ${config}/LatheConfig.cmake INSTALL_DESTINATION lib/cmake/Lathe
  NO_SET_AND_CHECK_MACRO NO_CHECK_REQUIRED_COMPONENTS_MACRO)
write_basic_package_version_file(${config}/LatheConfigVersion.cmake
  COMPATIBILITY SameMinorVersion)
install(FILES ${config}/LatheConfig.cmake ${config}/LatheConfigVersion.cmake
              tools/cmake/LatheAddModel.cmake
        DESTINATION lib/cmake/Lathe)

foreach(name runtime compiler)
  configure_file(tools/cmake/lathe-${name}.pc.in
    ${PROJECT_BINARY_DIR}/lib/pkgconfig/lathe-${name}.pc @ONLY)
endforeach()
install(FILES ${PROJECT_BINARY_DIR}/lib/pkgconfig/lathe-runtime.pc
        DESTINATION lib/pkgconfig)
if(TARGET LatheCompiler)
  install(FILES ${PROJECT_BINARY_DIR}/lib/pkgconfig/lathe-compiler.pc
          DESTINATION lib/pkgconfig)
endif()
