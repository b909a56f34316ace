#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# B5: Sconce's training step of a small character transformer beside PyTorch's, same wheel, in turns. Arguments go to
# `sconce bench b5` (--batch N, --rounds N, --steps N, --threads N, --modes stock tuned bf16). Ends with 0 if Sconce is not slower
# than any of them.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
. "$here/place.sh"
need text/tinyshakespeare.txt
exec "$build/bin/sconce" bench b5 --peer "$venv/bin/python" --data "$data/text/tinyshakespeare.txt" --at-least 1 "$@"
