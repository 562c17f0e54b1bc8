#!/usr/bin/env bash
# install_test.sh CHECKOUT BUILD CMAKE CXX: installs, moves the tree, builds examples/ against it, and compares the
# answer of the example with that of the installed program.
checkout=$1 build=$2 cmake=$3 compiler=$4
model=$checkout/tests/golden/cases/vit_classifier/model
picture=$(echo "$checkout"/tests/golden/cases/vit_classifier/input.*)

fail() {
  printf 'install: %s\n' "$*"
  exit 1
}

check_headers() {
  [[ -f $1/include/nunchi/nunchi.h ]] || fail "include/nunchi/nunchi.h is not installed"
  ! grep -rnE '\b(torch|ATen|c10)\b' "$1/include" || fail "a public header names LibTorch (above)"
}

check_run_paths() {
  local file
  for file in "$1/bin/nunchi" "$1"/lib/libnunchi.so; do
    readelf -d "$file" | sed -n 's/.*R\(UN\)\?PATH.*\[\(.*\)\]/\2/p' | tr ':' '\n' | grep -v '^\$ORIGIN' &&
      fail "$file has a run path (above) that does not start at \$ORIGIN"
    [[ $file -ef $1/bin/nunchi ]] || ! ldd "$file" | grep -E '^\s*lib(torch|c10)' | grep -vF "$1/lib/" ||
      fail "$file takes LibTorch (above) from outside the tree"
  done
}

build_example() {
  "$cmake" -S "$checkout/examples" -B "$2" -DCMAKE_PREFIX_PATH="$1" -DCMAKE_CXX_COMPILER="$compiler" &&
    "$cmake" --build "$2"
}

work=$(mktemp -d "$build/install-test.XXXXXX") || exit 1
trap 'rm -rf "$work"' EXIT
unset LD_LIBRARY_PATH NUNCHI_LIBTORCH CMAKE_PREFIX_PATH
[[ -d $model && -f $picture ]] || fail "$model or $picture is missing"

"$cmake" --install "$build" --prefix "$work/first" >"$work/log" 2>&1 || fail "cmake --install: $(<"$work/log")"
mv "$work/first" "$work/moved here"
tree=$work/moved\ here
check_headers "$tree"
check_run_paths "$tree"
build_example "$tree" "$work/example" >"$work/log" 2>&1 || fail "the example does not build: $(<"$work/log")"

expected=$("$tree/bin/nunchi" classify "$model" "$picture") || fail "the installed program cannot classify (exit $?)"
answer=$("$work/example/classify" "$model" "$picture") || fail "the example cannot classify (exit $?)"
label=$(head -1 <<<"$answer" | sed 's/ *[0-9.]*%*$//')
[[ -n $label ]] && grep -qF "$label" <<<"$expected" || fail "the example says $answer, the program $expected"
echo "the example and the program say: $label"
