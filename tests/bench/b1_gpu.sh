#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# B1 on a GPU: Sconce's training step of the reference recipe beside PyTorch's, same wheel, same data, in turns. Arguments go to
# `sconce bench b1gpu` (--rounds N, --steps N, --modes loader eager graph compile jax, --set /training/speed/cuda_graph=false). Ends with 0 if
# Sconce is level with the hand-made CUDA graph, within a twentieth.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
. "$here/place.sh"
need mnist
case "$*" in *jax*) SCONCE_BENCH_JAX=$("$here/setup.sh" jax cuda13)/bin/python && export SCONCE_BENCH_JAX ;; esac
exec "$build/bin/sconce" bench b1gpu --peer "$venv/bin/python" --data "$data/mnist" --at-least 0.95 "$@"
