# Our own imported targets for LibTorch. find_package(Torch) is not used: with a CUDA wheel it demands a CUDA toolkit,
# and it adds libraries (kineto, onnx, python) that nunchi never calls.
#
# Looked for, in this order: NUNCHI_LIBTORCH (variable or environment), CMAKE_PREFIX_PATH, .deps/torch of the checkout.
set(candidates ${NUNCHI_LIBTORCH} $ENV{NUNCHI_LIBTORCH})
foreach(prefix ${CMAKE_PREFIX_PATH} $ENV{CMAKE_PREFIX_PATH})
  list(APPEND candidates ${prefix} ${prefix}/torch ${prefix}/../..)
endforeach()
list(APPEND candidates ${CMAKE_SOURCE_DIR}/.deps/torch)

unset(LIBTORCH_INCLUDE CACHE)  # another choice must win over what an earlier configuration found
find_path(LIBTORCH_INCLUDE ATen/core/Tensor.h PATHS ${candidates} PATH_SUFFIXES include NO_DEFAULT_PATH REQUIRED)
get_filename_component(LIBTORCH_ROOT ${LIBTORCH_INCLUDE} DIRECTORY)
set(LIBTORCH_LIB ${LIBTORCH_ROOT}/lib)

file(STRINGS ${LIBTORCH_INCLUDE}/torch/headeronly/version.h version_lines REGEX "TORCH_VERSION_(MAJOR|MINOR|PATCH) [0-9]+")
string(REGEX REPLACE "[^0-9]*([0-9]+)[^0-9]+([0-9]+)[^0-9]+([0-9]+).*" "\\1.\\2.\\3" LIBTORCH_VERSION "${version_lines}")
if(LIBTORCH_VERSION VERSION_LESS 2.11)
  message(FATAL_ERROR "LibTorch 2.11 or newer is needed, found ${LIBTORCH_VERSION} in ${LIBTORCH_ROOT}. "
                      "Set NUNCHI_LIBTORCH to a newer one, or delete the variable and run ./nunchi, which installs it.")
endif()
message(STATUS "LibTorch ${LIBTORCH_VERSION} in ${LIBTORCH_ROOT}")

function(nunchi_import_torch name)
  add_library(libtorch::${name} SHARED IMPORTED GLOBAL)
  set_target_properties(libtorch::${name} PROPERTIES IMPORTED_LOCATION ${LIBTORCH_LIB}/lib${name}.so)
endfunction()
nunchi_import_torch(c10)
nunchi_import_torch(torch_cpu)

add_library(libtorch INTERFACE)
target_include_directories(libtorch SYSTEM INTERFACE ${LIBTORCH_INCLUDE})
target_compile_definitions(libtorch INTERFACE AT_PER_OPERATOR_HEADERS NUNCHI_LIBTORCH_VERSION="${LIBTORCH_VERSION}")
target_link_options(libtorch INTERFACE -Wl,--no-as-needed -Wl,-rpath-link,${LIBTORCH_LIB})
target_link_libraries(libtorch INTERFACE libtorch::torch_cpu libtorch::c10)
# at::parallel_for is a template that runs on one thread where OpenMP is off; the runtime must be LibTorch's own.
file(GLOB openmp_runtime ${LIBTORCH_LIB}/libgomp*.so* ${LIBTORCH_ROOT}/../torch.libs/libgomp*.so*)
target_compile_options(libtorch INTERFACE -fopenmp)
target_link_libraries(libtorch INTERFACE ${openmp_runtime})
if(EXISTS ${LIBTORCH_LIB}/libtorch_cuda.so)
  nunchi_import_torch(c10_cuda)
  nunchi_import_torch(torch_cuda)
  target_link_libraries(libtorch INTERFACE libtorch::torch_cuda libtorch::c10_cuda)
  target_compile_definitions(libtorch INTERFACE NUNCHI_LIBTORCH_CUDA)
  # torch_cuda finds the CUDA libraries by its own run path when the program starts; the linker need not.
  target_link_options(libtorch INTERFACE -Wl,--allow-shlib-undefined)
endif()
