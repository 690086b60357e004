# packages.sh: installs Debian packages that are missing; read with "." by the scripts that build.
# usage: need_packages PACKAGE ...
# shellcheck shell=sh
need_packages() {
    command -v dpkg-query >/dev/null 2>&1 || return 0 # not Debian: what is missing, CMake will say
    missing=
    for package in "$@"; do
        dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing="$missing $package"
    done
    [ -n "$missing" ] || return 0
    echo "installing:$missing"
    sudo=
    [ "$(id -u)" = 0 ] || sudo=sudo
    $sudo apt-get update -qq
    # shellcheck disable=SC2086
    $sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >/dev/null
}
