# Runs at install time: the installed program prints the completion script of each shell.
cmake_policy(VERSION 3.25)
set(bash bash-completion/completions/nunchi)
set(zsh zsh/site-functions/_nunchi)
set(fish fish/vendor_completions.d/nunchi.fish)
set(prefix "$ENV{DESTDIR}${CMAKE_INSTALL_PREFIX}")
foreach(shell bash zsh fish)
  execute_process(COMMAND "${prefix}/bin/nunchi" completion ${shell}
                  OUTPUT_VARIABLE script ERROR_QUIET RESULT_VARIABLE status)
  if(status EQUAL 0 AND script)
    message(STATUS "Installing: ${prefix}/share/${${shell}}")
    file(WRITE "${prefix}/share/${${shell}}" "${script}")
  endif()
endforeach()
