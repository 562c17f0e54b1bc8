# Compiler flags shared by every target: warnings are errors, sanitizers where asked for, ccache where present.
# (Options are structs with designated initialisers: the fields left out are meant to be.)
add_compile_options(-Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor -Wno-missing-field-initializers -Werror)
add_compile_definitions(FMT_HEADER_ONLY)  # the torch wheel carries another fmt than the system: no fmt library is linked

if(NUNCHI_SANITIZE)
  add_compile_options(-fsanitize=${NUNCHI_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${NUNCHI_SANITIZE})
endif()

find_program(NUNCHI_CCACHE ccache)
if(NUNCHI_CCACHE AND NOT DEFINED ENV{NUNCHI_NO_CCACHE})
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env CCACHE_SLOPPINESS=pch_defines,time_macros
      CCACHE_BASEDIR=${CMAKE_SOURCE_DIR} ${NUNCHI_CCACHE})
endif()
