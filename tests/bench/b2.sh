#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# B2: the time that Sconce's mnist-fast takes to 99 % on MNIST's test set, beside the recipe of tuomaso/train_mnist_fast in PyTorch
# on the same CPU, in turns, a seed a round. Arguments go to `sconce bench b2` (--rounds N, --threads N, --epochs 2 --accuracy 0.992,
# --modes published tuned). Ends with 0 if Sconce reaches the accuracy in the mean and is not slower.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
. "$here/place.sh"
need mnist
exec "$build/bin/sconce" bench b2 --peer "$venv/bin/python" --data "$data/mnist" --at-least 1 "$@"
