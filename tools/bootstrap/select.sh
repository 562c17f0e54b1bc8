# Sourced by ./test: turns NAME into ctest options. Sets `selection`, and GTEST_FILTER where NAME is a GoogleTest case.
selection=()

select_tests() {
  local build=$1 name=$2 tests matching=()
  mapfile -t tests < <(ctest --test-dir "$build" -N | sed -n 's/^ *Test *#[0-9]*: //p')
  local test
  for test in "${tests[@]}"; do
    if [[ $test == "$name" ]]; then
      selection=(-R "^${name//./\\.}\$")
      return
    fi
    [[ $test != "${name}_"* ]] || matching+=("$test")
  done
  if ((${#matching[@]} == 0)); then
    export GTEST_FILTER="*$name*"
    for test in "${tests[@]}"; do
      has_matching_case "$build/bin/${test}_tests" && matching+=("$test")
    done
  fi
  if ((${#matching[@]} == 0)); then
    say "no test is called $name and no GoogleTest case contains it. The tests: ${tests[*]}"
    return 1
  fi
  local IFS='|'
  selection=(-R "^(${matching[*]})\$")
}

# The list obeys GTEST_FILTER; cases are its indented lines.
has_matching_case() { [[ -x $1 ]] && "$1" --gtest_list_tests 2>/dev/null | grep -q '^  '; }
