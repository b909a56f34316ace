#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# B1: Sconce's training step of the reference recipe beside PyTorch's, same wheel, same data, in turns. Arguments go to
# `sconce bench b1` (--rounds N, --steps N, --threads N, --modes loader resident tuned bf16 keras jax). Ends with 0 if Sconce is not
# slower than any of them.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
. "$here/place.sh"
need mnist
case "$*" in *keras*) SCONCE_BENCH_KERAS=$("$here/setup.sh" keras)/bin/python && export SCONCE_BENCH_KERAS ;; esac
case "$*" in *jax*) SCONCE_BENCH_JAX=$("$here/setup.sh" jax)/bin/python && export SCONCE_BENCH_JAX ;; esac
exec "$build/bin/sconce" bench b1 --peer "$venv/bin/python" --data "$data/mnist" --at-least 1 "$@"
