# One static library per folder of src/, one test program per folder of tests/.

# nunchi_layer(NAME DEPENDS folder... LIBRARIES target...): src/NAME/*.cpp -> nunchi_NAME
function(nunchi_layer name)
  cmake_parse_arguments(arg "" "" "DEPENDS;LIBRARIES" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/${name}/*.cpp ${CMAKE_SOURCE_DIR}/src/${name}/*/*.cpp)
  if(NOT sources)
    return()
  endif()
  add_library(nunchi_${name} STATIC ${sources})
  target_include_directories(nunchi_${name} PUBLIC ${CMAKE_SOURCE_DIR}/src)
  list(TRANSFORM arg_DEPENDS PREPEND nunchi_)
  target_link_libraries(nunchi_${name} PUBLIC ${arg_DEPENDS} ${arg_LIBRARIES})
  if(libtorch IN_LIST arg_LIBRARIES)
    if(TARGET nunchi_pch)
      target_precompile_headers(nunchi_${name} REUSE_FROM nunchi_pch)
    endif()
  endif()
endfunction()

# nunchi_test(NAME [ONLY part...] LIBRARIES target...): tests/NAME/*_test.cpp, or those PART_test.cpp alone -> NAME_tests,
# run by ctest as NAME
function(nunchi_test name)
  cmake_parse_arguments(arg "" "" "ONLY;LIBRARIES" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/${name}/*_test.cpp)
  if(arg_ONLY)
    list(TRANSFORM arg_ONLY REPLACE "(.+)" "${CMAKE_SOURCE_DIR}/tests/${name}/\\1_test.cpp" OUTPUT_VARIABLE sources)
  endif()
  if(NOT sources)
    return()
  endif()
  add_executable(${name}_tests ${sources})
  target_link_libraries(${name}_tests PRIVATE ${arg_LIBRARIES} GTest::gmock GTest::gtest_main)
  target_include_directories(${name}_tests PRIVATE ${CMAKE_SOURCE_DIR}/tests)
  target_compile_definitions(${name}_tests PRIVATE NUNCHI_SOURCE_DIR="${CMAKE_SOURCE_DIR}"
                             NUNCHI_BUILD_DIR="${CMAKE_BINARY_DIR}")
  add_test(NAME ${name} COMMAND ${name}_tests)
endfunction()
