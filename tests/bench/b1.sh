#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# B1: Sconce's training step of the reference recipe beside PyTorch's, same wheel, same data, in turns. Arguments go to
# `b1.py table` (--rounds N, --steps N, --threads N, --modes loader resident tuned bf16 keras). Ends with 0 if Sconce is faster
# than PyTorch in stock form.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
. "$here/place.sh"
need sconce_bench_step mnist
case " $* " in *" keras "*) SCONCE_BENCH_KERAS=$("$here/setup.sh" keras)/bin/python && export SCONCE_BENCH_KERAS ;; esac
exec "$venv/bin/python" "$here/b1.py" table --sconce "$build/bin/sconce_bench_step" --data "$data/mnist" --threads "$(nproc)" "$@"
