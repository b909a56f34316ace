#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# B4: Sconce's training step of ResNet-18 beside PyTorch's, same wheel, in turns. Arguments go to `sconce bench b4` (--batch N,
# --rounds N, --steps N, --threads N, --modes stock tuned bf16). Ends with 0 if Sconce is not slower than any of them.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
. "$here/place.sh"
need images/cifar10-small.tar
pictures=$(mktemp -d)
trap 'rm -rf "$pictures"' EXIT INT TERM
tar -xf "$data/images/cifar10-small.tar" -C "$pictures"
folder=$(dirname "$(find "$pictures" -type d -name train | head -n 1)")
"$build/bin/sconce" bench b4 --peer "$venv/bin/python" --data "$folder" --at-least 1 "$@"
