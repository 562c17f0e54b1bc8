# Sourced by the launchers, with `root` set: installs what is missing (prepare) and builds a preset (build_preset).
# Everything it says goes to stderr, one line a step; it never reads stdin, which belongs to the program.
source "$root/tools/bootstrap/apt.sh"
source "$root/tools/bootstrap/libtorch.sh"
trap 'exit 130' INT
trap 'exit 143' TERM

say() { printf 'nunchi: %s\n' "$*" >&2; }
die() {
  say "$@"
  exit 1
}

# The tools that the apt list installs are preferred to whatever else PATH holds.
system_tool() { if [[ -x /usr/bin/$1 ]]; then REPLY=/usr/bin/$1; else REPLY=$(type -P "$1"); fi; }
cmake() { system_tool cmake; command "${REPLY:-cmake}" "$@"; }
ctest() { system_tool ctest; command "${REPLY:-ctest}" "$@"; }

# A file that includes ATen needs up to 1.5 GB in the compiler.
jobs_that_fit() {
  local cores gigabytes
  cores=$(env -u OMP_NUM_THREADS nproc)
  gigabytes=$(awk '/MemAvailable/ {print int($2 / 1572864)}' /proc/meminfo)
  echo $((gigabytes < 1 ? 1 : gigabytes < cores ? gigabytes : cores))
}

# with_lock NAME COMMAND...: two launchers at once take turns. The lock goes with the process that holds it.
with_lock() {
  local lock=$root/build/.lock-$1
  mkdir -p "$root/build" && exec 9>"$lock" || die "cannot write to $root/build: check its owner and the space left"
  flock -n 9 || { say "waiting for another launcher in this checkout"; flock 9; }
  "${@:2}" </dev/null
  local status=$?
  exec 9>&-
  return $status
}

# prepare SECTION...: the sections of tools/apt-packages.txt that this launcher needs, and LibTorch.
prepare() { with_lock prepare prepare_alone "$@"; }
prepare_alone() { install_packages "$@" && provide_libtorch; }

# build_preset PRESET TARGET...
build_preset() { with_lock "$1" build_alone "$@"; }

build_alone() {
  local preset=$1 build=$root/build/$1 settings
  build_settings
  settings=$REPLY
  [[ $preset != release ]] || ! was_built_meanwhile "${@:2}" || return 0
  configure "$preset" "$settings" || return
  touch "$build/.started"  # a source saved during the build is newer than this
  say "building $preset with $(jobs_that_fit) jobs (log: build/$preset/build.log)"
  local begin=$SECONDS
  NINJA_STATUS='[%f/%t] ' cmake --build "$build" -j "$(jobs_that_fit)" --target "${@:2}" 2>&1 |
    show_progress "$build/build.log"
  if ((PIPESTATUS[0])); then
    cat "$build/build.log" >&2
    say "the build failed; the log above is build/$preset/build.log"
    return 1
  fi
  ! grep -q '^\[' "$build/build.log" || say "built in $((SECONDS - begin)) s"
  printf '%s\n%s\n' "$settings" "$libtorch" >"$build/.started.new"
  touch -r "$build/.started" "$build/.started.new"
  mv "$build/.started.new" "$build/.built"
}

# The launcher that was waited for may have done this one's work; `all` is never covered by the program's stamp.
was_built_meanwhile() { [[ $1 != all ]] && is_fresh release; }

configure() {
  local preset=$1 settings=$2 build=$root/build/$1 log
  local cache=$build/CMakeCache.txt
  if [[ -f $cache ]] && ! grep -qxF "CMAKE_HOME_DIRECTORY:INTERNAL=$root" "$cache"; then
    say "the checkout has moved: build/$preset is built anew"
    rm -rf "$build"
  fi
  mkdir -p "$build"
  if [[ -f $build/.settings && $(<"$build/.settings") == "$settings" && ! $root/CMakePresets.json -nt $cache ]]; then
    return 0
  fi
  say "configuring $preset"
  log=$build/configure.log
  local generator=()
  system_tool ninja
  [[ -z $REPLY ]] || generator=(-G Ninja -DCMAKE_MAKE_PROGRAM="$REPLY")
  if ! (cd "$root" && cmake --preset "$preset" "${generator[@]}" -DNUNCHI_LIBTORCH="$libtorch") >"$log" 2>&1; then
    cat "$log" >&2
    say "CMake failed; the log above is build/$preset/configure.log"
    return 1
  fi
  printf '%s\n' "$settings" >"$build/.settings"
}

# show_progress LOG: keeps all of stdin in LOG; shows one moving line on a terminal, a line per quarter elsewhere.
show_progress() {
  local line quarter shown=0
  while IFS= read -r line; do
    printf '%s\n' "$line"
    [[ $line =~ ^\[([0-9]+)/([0-9]+)\] ]] || continue
    if [[ -t 2 ]]; then
      printf '\r\e[K%.*s' "${COLUMNS:-80}" "$line" >&2
    else
      quarter=$((4 * BASH_REMATCH[1] / BASH_REMATCH[2]))
      ((quarter > shown && BASH_REMATCH[2] > 8)) && shown=$quarter && say "${BASH_REMATCH[0]}"
    fi
  done >"$1"
  [[ ! -t 2 ]] || printf '\r\e[K' >&2
}
