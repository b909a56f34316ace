#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# B6: a batch of MNIST from memory to the first layer beside PyTorch's, in turns. Arguments go to `b6.py table` (--rounds N,
# --batches N, --threads N). Ends with 0 if a batch takes at most 60 µs.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
. "$here/place.sh"
need sconce_bench_feed mnist
exec "$venv/bin/python" "$here/b6.py" table --sconce "$build/bin/sconce_bench_feed" --data "$data/mnist" --threads "$(nproc)" "$@"
