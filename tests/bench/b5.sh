#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# B5: Sconce's training step of a small character transformer beside PyTorch's, same wheel, in turns. Arguments go to `b5.py table`
# (--batch N, --rounds N, --steps N, --threads N, --modes stock tuned bf16). Ends with 0 if Sconce is not slower than PyTorch in
# float32.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
. "$here/place.sh"
need sconce_bench_step text/tinyshakespeare.txt
"$venv/bin/python" "$here/b5.py" table --sconce "$build/bin/sconce_bench_step" --data "$data/text/tinyshakespeare.txt" --threads "$(nproc)" "$@"
