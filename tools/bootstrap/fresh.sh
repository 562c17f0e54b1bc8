# Sourced by the launchers, with `root` set: is the last build still good? Kept apart and small, because every call of
# ./nunchi pays for it.

# A thread that waits for the others spins for 0.3 ms, not for 3: time for whatever else runs on the cores.
[[ -n ${OMP_WAIT_POLICY-} ]] || export GOMP_SPINCOUNT="${GOMP_SPINCOUNT-30000}"

# What a build depends on besides files: a change of any of these asks for a new look.
build_settings() { REPLY="$root|${NUNCHI_LIBTORCH-}|${CMAKE_PREFIX_PATH-}|${CXX-}"; }

# is_fresh PRESET: the stamp (written by build_preset: settings, then the LibTorch in use) is newer than every source.
is_fresh() {
  local stamp=$root/build/$1/.built settings libtorch
  [[ -x $root/build/$1/bin/nunchi && -f $stamp ]] || return
  { IFS= read -r settings && IFS= read -r libtorch; } <"$stamp" || return
  build_settings
  [[ $settings == "$REPLY" && -e $libtorch/lib/libtorch_cpu.so ]] || return
  [[ -z $(find "$root"/{src,cmake,assets,CMakeLists.txt,CMakePresets.json,tools/apt-packages.txt,tools/bootstrap} \
    -newer "$stamp" -print -quit 2>/dev/null) ]]
}
