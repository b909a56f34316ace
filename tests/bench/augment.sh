#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Changed pictures: a batch of MNIST, shifted and turned, from memory to the first layer beside torchvision's, in turns. Arguments go to
# `sconce bench augment` (--rounds N, --steps N, --threads N, --modes loader workers batch). Ends with 0 if Sconce is not slower than any.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
. "$here/place.sh"
need mnist
exec "$build/bin/sconce" bench augment --peer "$venv/bin/python" --data "$data/mnist" --at-least 1 "$@"
