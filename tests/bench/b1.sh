#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# B1: Sconce's training step of the reference recipe beside PyTorch's, same wheel, same data, in turns. Arguments go to
# `b1.py table` (--rounds N, --steps N, --threads N, --modes loader resident tuned). Ends with 0 if Sconce is faster than
# PyTorch in stock form.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
build=${SCONCE_BUILD:-$root/build/release}
data=${SCONCE_TEST_DATA:-$root/../shared/data}/mnist
if [ ! -d "$data" ]; then
    echo "MNIST was not found in $data: set SCONCE_TEST_DATA to the folder that holds mnist/." >&2
    exit 2
fi
if [ ! -x "$build/bin/sconce_bench_b1" ]; then
    echo "$build/bin/sconce_bench_b1 is missing: cmake --build \"$build\" --target sconce_bench_b1" >&2
    exit 2
fi
venv=$("$here/setup.sh")
threads=$(nproc)
exec "$venv/bin/python" "$here/b1.py" table --sconce "$build/bin/sconce_bench_b1" --data "$data" --threads "$threads" "$@"
