#!/usr/bin/env bash
# The code is as clang-format 14 writes it with .clang-format. `tools/lint/format.sh --fix` rewrites the files.
# 77 where that version is not installed: other versions differ in details.
fix=
[[ ${1-} != --fix ]] || { fix=yes; shift; }
root=$(cd -- "${1:-$(dirname -- "$(readlink -f -- "$0")")/../..}" && pwd) || exit 1
formatter=$(type -P clang-format-14) || {
  echo "format: skipped, clang-format-14 is not installed"
  exit 77
}
cd "$root" || exit 1
mapfile -d '' files < <(find src tests examples benchmarks tools \( -name '*.h' -o -name '*.cpp' \) -print0 2>/dev/null)
((${#files[@]})) || { echo "format: no files found in $root"; exit 1; }
if [[ -n $fix ]]; then
  "$formatter" --style=file -i "${files[@]}"
else
  "$formatter" --style=file --dry-run -Werror "${files[@]}" 2>&1 | sed -n 's/^\([^:]*\):.*error: .*/\1/p' |
    sort | uniq -c | grep . && {
    echo "format: the files above differ in so many places: run tools/lint/format.sh --fix"
    exit 1
  }
  echo "format: clean"
fi
