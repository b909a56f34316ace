#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# B1 on a GPU: Sconce's training step of the reference recipe beside PyTorch's, same wheel, same data, in turns. Arguments go to
# `b1_gpu.py table` (--rounds N, --steps N, --modes loader eager graph compile). Ends with 0 if Sconce is level with a CUDA graph made by hand.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
. "$here/place.sh"
need sconce_bench_step mnist
exec "$venv/bin/python" "$here/b1_gpu.py" table --sconce "$build/bin/sconce_bench_step" --data "$data/mnist" --threads "$(nproc)" "$@"
