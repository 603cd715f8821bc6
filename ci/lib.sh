# What the scripts of this directory share. Sourced, after `cd` to the root of the repository:
#   source ci/lib.sh "$@"
# shellcheck shell=bash

# Prints the comment at the top of the calling script when its first argument is --help.
if [ "${1-}" = --help ]; then
    awk 'NR > 1 { if (!/^#/) exit; sub(/^# ?/, ""); sub(/^--help: /, "usage: "); print }' "$0"
    exit 0
fi

# The unsafe and lock-free code lives in these two packages.
# shellcheck disable=SC2034 # used by the scripts that source this file
core_packages=(-p beamish-runtime -p beamish-actors)

# Models run optimized, but with assertions, and without the slow link of a release.
export_model_profile() {
    export CARGO_PROFILE_RELEASE_LTO=off
    export CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16
    export CARGO_PROFILE_RELEASE_DEBUG=false
    export CARGO_PROFILE_RELEASE_DEBUG_ASSERTIONS=true
    export LOOM_MAX_PREEMPTIONS=${LOOM_MAX_PREEMPTIONS:-2}
}

# The directory that `cargo` builds in; the tools below keep theirs beside it, one each, so that
# different flags do not rebuild each other's work.
build_root() {
    printf '%s' "${CARGO_TARGET_DIR:-$PWD/target}"
}

# Whether a nightly toolchain has a component: have_nightly miri
have_nightly() {
    case $1 in
        miri) cargo +nightly miri --version >/dev/null 2>&1 ;;
        rust-src) [ -d "$(rustc +nightly --print sysroot 2>/dev/null)/lib/rustlib/src/rust" ] ;;
        *) rustc +nightly --version >/dev/null 2>&1 ;;
    esac
}
