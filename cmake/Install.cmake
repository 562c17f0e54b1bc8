# cmake --install BUILD --prefix P: a tree that can be moved as a whole (bin, lib, include/nunchi, lib/cmake/nunchi, share).
# Every run path in it starts at $ORIGIN. tools/release adds the libraries of the system and makes an archive of it.
if(NOT TARGET nunchi OR NOT TARGET nunchi_program)
  return()
endif()
include(CMakePackageConfigHelpers)

set_target_properties(nunchi nunchi_cairo PROPERTIES INSTALL_RPATH "$ORIGIN")
set_target_properties(nunchi_program PROPERTIES INSTALL_RPATH "$ORIGIN/../lib")
# The older kind of run path also serves the libraries of our libraries, which tools/release puts beside them.
target_link_options(nunchi PRIVATE -Wl,--disable-new-dtags)
target_link_options(nunchi_cairo PRIVATE -Wl,--disable-new-dtags)
target_link_options(nunchi_program PRIVATE -Wl,--disable-new-dtags)
if(NOT NUNCHI_SANITIZE)
  target_link_options(nunchi PRIVATE -Wl,-z,defs)  # a missing symbol shows here, not in the program of a user
endif()
install(TARGETS nunchi_program RUNTIME DESTINATION bin)
install(TARGETS nunchi nunchi_cairo LIBRARY DESTINATION lib)
install(CODE "set(SOURCE \"${CMAKE_SOURCE_DIR}/src\")")
install(SCRIPT ${CMAKE_CURRENT_LIST_DIR}/InstallHeaders.cmake)

# LibTorch, and with a CUDA build the CUDA libraries that its wheel found beside itself.
file(GLOB torch_libraries ${LIBTORCH_LIB}/libc10.so ${LIBTORCH_LIB}/libtorch_cpu.so ${LIBTORCH_LIB}/libgomp*.so*
     ${LIBTORCH_LIB}/libc10_cuda.so ${LIBTORCH_LIB}/libtorch_cuda*.so ${LIBTORCH_LIB}/libtorch_nvshmem.so ${LIBTORCH_LIB}/libcaffe2_nvrtc.so
     ${LIBTORCH_ROOT}/../nvidia/*/lib/*.so* ${LIBTORCH_ROOT}/../cusparselt/lib/*.so*)
install(PROGRAMS ${torch_libraries} DESTINATION lib)

configure_package_config_file(cmake/nunchiConfig.cmake.in ${CMAKE_BINARY_DIR}/nunchiConfig.cmake
                              INSTALL_DESTINATION lib/cmake/nunchi NO_CHECK_REQUIRED_COMPONENTS_MACRO)
write_basic_package_version_file(${CMAKE_BINARY_DIR}/nunchiConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_BINARY_DIR}/nunchiConfig.cmake ${CMAKE_BINARY_DIR}/nunchiConfigVersion.cmake
        DESTINATION lib/cmake/nunchi)

foreach(document LICENSE README.md CHANGELOG.md)
  if(EXISTS ${CMAKE_SOURCE_DIR}/${document})
    install(FILES ${document} DESTINATION share/doc/nunchi)
  endif()
endforeach()
if(EXISTS ${LIBTORCH_ROOT}/licenses)
  install(DIRECTORY ${LIBTORCH_ROOT}/licenses/ DESTINATION share/doc/nunchi/libtorch)
endif()

install(SCRIPT ${CMAKE_CURRENT_LIST_DIR}/InstallCompletion.cmake)
