# Sourced by build.sh: which LibTorch to build against, fetched from the wheel where there is none. Sets `libtorch`.
torch_version=2.13.0

has_libtorch() { [[ -f $1/include/ATen/core/Tensor.h && -f $1/lib/libtorch_cpu.so ]]; }

provide_libtorch() {
  local prefix candidate
  if [[ -n ${NUNCHI_LIBTORCH-} ]]; then
    libtorch=$NUNCHI_LIBTORCH
    has_libtorch "$libtorch" && return
    say "NUNCHI_LIBTORCH is $libtorch, but that folder has no include/ATen/core/Tensor.h and lib/libtorch_cpu.so." \
      "Name the folder that holds include/ and lib/, or unset it and LibTorch $torch_version is fetched."
    return 1
  fi
  while IFS= read -r -d ';' prefix; do
    for candidate in "$prefix" "$prefix/torch" "$prefix/../.."; do
      has_libtorch "$candidate" && libtorch=$(readlink -f -- "$candidate") && return
    done
  done <<<"${CMAKE_PREFIX_PATH//:/;};"
  libtorch=$root/.deps/torch
  has_libtorch "$libtorch" && [[ $(unpacked_version "$libtorch") == "$torch_version" ]] && return
  fetch_libtorch
}

unpacked_version() {
  awk '/^#define TORCH_VERSION_(MAJOR|MINOR|PATCH)/ {v = v "." $3} END {print substr(v, 2)}' \
    "$1/include/torch/headeronly/version.h" 2>/dev/null
}

# Everything happens in a folder of its own and is moved into place when whole: a call that is interrupted leaves nothing.
fetch_libtorch() {
  mkdir -p "$root/.deps" && rm -rf "$root"/.deps/.fetch.* && work=$(mktemp -d "$root/.deps/.fetch.XXXXXX") || return
  trap 'rm -rf "$work"' EXIT  # so `work` is no local variable
  say "fetching LibTorch $torch_version (the wheel torch==$torch_version, 0.2 GB as a CPU build, 0.5 GB as a CUDA build)"
  if ! download_wheel "$work"; then
    cat "$work/pip.log" >&2
    say "pip found no wheel torch==$torch_version (its output is above). Check the network and pip's configuration, or" \
      "set NUNCHI_LIBTORCH to a LibTorch of 2.11 or newer (the folder with include/ and lib/)."
    return 1
  fi
  say "unpacking it into .deps/torch"
  if ! unpack_wheel "$work" 2>"$work/unzip.log"; then
    cat "$work/unzip.log" >&2
    say "the wheel could not be unpacked (see above): is the disk full?"
    return 1
  fi
  [[ ! -f $work/torch/lib/libtorch_cuda.so ]] || fetch_cuda_libraries "$work" || return
  rm -rf "$root/.deps/torch"
  mv "$work/torch" "$root/.deps/torch" || return
  rm -rf "$work"
  trap - EXIT
}

# Only the C++ part of the wheel is used, so the wheel for any Python will do. The interpreter's own comes first.
download_wheel() {
  local work=$1 python tag
  for python in /usr/bin/python3 "$(type -P python3)"; do
    [[ -n $python ]] && "$python" -m pip --version >/dev/null 2>&1 || continue
    for tag in '' 3.12 3.11 3.13 3.10 3.14; do
      "$python" -m pip download --quiet --no-deps --only-binary :all: ${tag:+--python-version $tag} \
        --dest "$work" "torch==$torch_version" >>"$work/pip.log" 2>&1 && return
      ! grep -q 'Retrying' "$work/pip.log" || return 1  # no network: another tag would only wait again
    done
  done
  [[ -f $work/pip.log ]] || echo "no python3 with pip was found" >"$work/pip.log"
  return 1
}

unpack_wheel() {
  unzip -q "$1"/torch-*.whl 'torch/include/*' 'torch/lib/*' 'torch-*.dist-info/METADATA' 'torch-*.dist-info/licenses/*' \
    -x torch/lib/libtorch_python.so 'torch/lib/*test.so' 'torch/lib/libshm*' torch/lib/libbackend_with_compiler.so \
    torch/lib/libaoti_custom_ops.so -d "$1" &&
    mv "$1"/torch-*.dist-info/licenses "$1"/torch-*.dist-info/METADATA "$1/torch/" && rm -f "$1"/torch-*.whl
}

# A CUDA wheel takes the CUDA libraries from packages of their own and looks for them beside its folder
# (run path $ORIGIN/../../nvidia/...): links in .deps lead there.
fetch_cuda_libraries() {
  local work=$1 folder requirements python=/usr/bin/python3
  [[ -x $python ]] || python=python3
  mapfile -t requirements < <(sed -n 's/^Requires-Dist: //p' "$work/torch/METADATA" |
    grep -iE '^(nvidia|cuda)[-_]' | grep -viE '^cuda[-_](bindings|python)')
  say "fetching the CUDA libraries that this wheel needs (2 to 3 GB) into .deps/cuda"
  if ! "$python" -m pip install --quiet --only-binary :all: --target "$work/cuda" "${requirements[@]}" \
    >"$work/pip.log" 2>&1; then
    cat "$work/pip.log" >&2
    say "pip could not install ${requirements[*]} (its output is above)"
    return 1
  fi
  rm -rf "$root/.deps/cuda"
  mv "$work/cuda" "$root/.deps/cuda" || return
  for folder in "$root"/.deps/cuda/*/; do
    folder=$(basename "$folder")
    [[ $folder == *.dist-info ]] || ln -sfn "cuda/$folder" "$root/.deps/$folder"
  done
}
