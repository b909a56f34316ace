# SPDX-License-Identifier: GPL-3.0-or-later
# Read by the benches' scripts: where the build, the data and the peer's Python environment are. $here is set by who reads it.
root=$(cd "$here/../.." && pwd)
build=${SCONCE_BUILD:-$root/build/release}
data=${SCONCE_TEST_DATA:-$root/../shared/data}

# need DATA: says what is missing and ends; else makes the Python environment if need be.
need() {
    if [ ! -e "$data/$1" ]; then
        echo "$1 was not found in $data: set SCONCE_TEST_DATA to the folder that holds it." >&2
        exit 2
    fi
    if [ ! -x "$build/bin/sconce" ]; then
        echo "$build/bin/sconce is missing: cmake --build \"$build\" --target sconce sconce_engine_library" >&2
        exit 2
    fi
    venv=$("$here/setup.sh")
}
