#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Makes a Python environment with the same PyTorch wheel that Sconce is built on, for the benches that run beside it. About
# 5 GB, in a folder outside the checkout ($SCONCE_BENCH_VENV, else below the user's cache); made once, reused afterwards.
# `setup.sh keras` makes another with Keras on TensorFlow (2 GB, $SCONCE_BENCH_KERAS_VENV), `setup.sh jax` one with JAX (0.5 GB; with
# `jax cuda13` for a GPU; $SCONCE_BENCH_JAX_VENV). Prints the environment's folder.
set -eu
if [ "${1:-torch}" = keras ]; then
    venv=${SCONCE_BENCH_KERAS_VENV:-${XDG_CACHE_HOME:-$HOME/.cache}/sconce/bench-keras-3.15}
    if [ ! -e "$venv/ready" ]; then
        echo "Installing Keras 3.15 and TensorFlow 2.21 into $venv (about 0.4 GB to download, 2 GB on disk) …" >&2
        python3 -m venv "$venv" >&2
        "$venv/bin/python" -m pip install --quiet --disable-pip-version-check tensorflow-cpu==2.21.0 keras==3.15.1 >&2
        touch "$venv/ready"
    fi
    echo "$venv"
    exit 0
fi
if [ "${1:-torch}" = jax ]; then
    extra=${2:+[$2]}
    venv=${SCONCE_BENCH_JAX_VENV:-${XDG_CACHE_HOME:-$HOME/.cache}/sconce/bench-jax-0.10${2:+-$2}}
    if [ ! -e "$venv/ready" ]; then
        echo "Installing JAX 0.10 into $venv …" >&2
        python3 -m venv "$venv" >&2
        "$venv/bin/python" -m pip install --quiet --disable-pip-version-check "jax$extra==0.10.2" >&2
        touch "$venv/ready"
    fi
    echo "$venv"
    exit 0
fi
venv=${SCONCE_BENCH_VENV:-${XDG_CACHE_HOME:-$HOME/.cache}/sconce/bench-torch-2.11.0}
if "$venv/bin/python" -c 'import torch, torchvision, numpy; assert torch.__version__.startswith("2.11.0")' 2>/dev/null; then
    echo "$venv"
    exit 0
fi
if ! command -v python3 >/dev/null; then
    echo "The benches need Python 3 with venv to run PyTorch beside Sconce. On Debian: apt install python3-venv" >&2
    exit 1
fi
root=$(cd "$(dirname "$0")/../.." && pwd)
echo "Installing PyTorch 2.11.0 into $venv (about 2.5 GB to download, 5 GB on disk) …" >&2
mkdir -p "$(dirname "$venv")"
python3 -m venv "$venv" >&2
pip="$venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps"
# The very wheels that Sconce is built on. Python's torch loads the CUDA part even on a machine without a GPU, so it needs
# those libraries as well.
$pip -r "$root/installer/libtorch-cpu.txt" -r "$root/installer/libtorch-gpu.txt" >&2
$pip numpy==2.2.6 typing_extensions==4.15.0 sympy==1.14.0 mpmath==1.3.0 networkx==3.4.2 jinja2==3.1.6 markupsafe==3.0.3 \
    fsspec==2025.9.0 filelock==3.20.0 setuptools==80.9.0 torchvision==0.26.0 pillow==12.0.0 >&2
"$venv/bin/python" -c 'import torch, numpy; print("PyTorch", torch.__version__, "is ready.")' >&2
echo "$venv"
