# Sourced by build.sh: the Debian packages of tools/apt-packages.txt.

# packages_of SECTION...: the names listed under [SECTION].
packages_of() {
  awk -v wanted=" $* " '
    {sub(/#.*/, "")}
    /^\[/ {on = index(wanted, " " substr($1, 2, length($1) - 2) " "); next}
    on && NF {print $1}' "$root/tools/apt-packages.txt"
}

missing_packages() {
  packages_of "$@" | while read -r package; do
    [[ $(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null) == installed ]] || printf '%s ' "$package"
  done
}

install_packages() {
  if ! command -v dpkg-query >/dev/null; then
    say "no apt on this system: what tools/apt-packages.txt lists has to be there already"
    return 0
  fi
  local missing as_root=()
  missing=$(missing_packages "$@")
  missing=${missing% }
  [[ -n $missing ]] || return 0
  if ((EUID)); then as_root=(sudo); fi
  if ((EUID)) && ! command -v sudo >/dev/null; then
    tell_to_install "$missing" "this user may not install packages and there is no sudo"
    return 1
  fi
  say "installing with apt: $missing"
  local options=(-q -y --no-install-recommends -o DPkg::Lock::Timeout=300)
  local log=$root/build/apt.log
  # A failed update is no reason to stop yet: the lists at hand may do.
  "${as_root[@]}" apt-get -q update >"$log" 2>&1 || say "apt-get update failed; trying with the package lists at hand"
  # shellcheck disable=SC2086
  if ! "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get "${options[@]}" install $missing >>"$log" 2>&1; then
    cat "$log" >&2
    tell_to_install "$missing" "apt-get failed (its output is above)"
    return 1
  fi
}

tell_to_install() {
  say "$2. As root, run:"
  printf '  apt-get update\n  apt-get install %s\n' "$1" >&2
  say "then call this again"
}
