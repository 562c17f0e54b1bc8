#!/usr/bin/env bash
# The program itself links neither LibTorch nor libnunchi.so: --help and usage errors must not wait for them.
needed=$(readelf -d "$1" | sed -n 's/.*NEEDED.*\[\(.*\)\]/\1/p') || exit 1
[[ -n $needed ]] || { echo "readelf names no library of $1"; exit 1; }
if grep -E 'torch|c10|nunchi|gomp' <<<"$needed"; then
  echo "$1 links the libraries above; they belong behind dlopen"
  exit 1
fi
echo "links only: ${needed//$'\n'/ }"
