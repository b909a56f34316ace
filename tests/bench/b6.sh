#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# B6: a batch of MNIST from memory to the first layer beside PyTorch's, in turns. Arguments go to `sconce bench b6` (--rounds N,
# --steps N, --threads N). Ends with 0 if a batch takes at most 60 µs.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
. "$here/place.sh"
need mnist
exec "$build/bin/sconce" bench b6 --peer "$venv/bin/python" --data "$data/mnist" --at-most 60 "$@"
