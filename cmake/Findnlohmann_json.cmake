# The system's nlohmann-json, or the header-only libraries in NUNCHI_HEADERS (tools/core_only_headers collects them), for
# machines where nothing can be installed. Found in module mode, so that find_package needs no change elsewhere.
find_package(nlohmann_json CONFIG QUIET)
if(NOT nlohmann_json_FOUND AND EXISTS ${NUNCHI_HEADERS}/include/nlohmann/json.hpp)
  add_library(nlohmann_json::nlohmann_json INTERFACE IMPORTED GLOBAL)
  target_include_directories(nlohmann_json::nlohmann_json SYSTEM INTERFACE ${NUNCHI_HEADERS}/include)
  set(nlohmann_json_FOUND TRUE)
endif()
if(NOT nlohmann_json_FOUND AND nlohmann_json_FIND_REQUIRED)
  message(FATAL_ERROR "nlohmann-json was not found. Install nlohmann-json3-dev and libfmt-dev, or set NUNCHI_HEADERS "
                      "(now '${NUNCHI_HEADERS}') to the folder that tools/core_only_headers made on another machine.")
endif()
