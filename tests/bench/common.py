# SPDX-License-Identifier: GPL-3.0-or-later
"""What the peers of the benches share: reading MNIST, the best setting of malloc, and the line that they end with."""
import argparse
import gzip
import json
import os
import statistics
import struct
import sys


def read_idx(folder, stem):
    for name, opener in ((stem, open), (stem + ".gz", gzip.open)):
        path = os.path.join(folder, name)
        if os.path.exists(path):
            with opener(path, "rb") as file:
                return file.read()
    sys.exit(f"{stem} was not found in {folder}.")


def load(folder):
    import numpy as np

    images = read_idx(folder, "train-images-idx3-ubyte")
    labels = read_idx(folder, "train-labels-idx1-ubyte")
    count, height, width = struct.unpack(">III", images[4:16])
    x = np.frombuffer(images, np.uint8, offset=16).reshape(count, 1, height, width)
    y = np.frombuffer(labels, np.uint8, offset=8)
    keep = int(count * 0.9)  # the last tenth is for validation
    return x[:keep], y[:keep]


def keep_large_blocks():
    import ctypes

    libc = ctypes.CDLL("libc.so.6")
    M_TRIM_THRESHOLD, M_TOP_PAD, M_MMAP_THRESHOLD = -1, -2, -3
    libc.mallopt(M_MMAP_THRESHOLD, 1 << 30)
    libc.mallopt(M_TRIM_THRESHOLD, 512 << 20)
    libc.mallopt(M_TOP_PAD, 64 << 20)


def report(who, times, scale=1e3, **more):
    """One measurement as the JSON line that `sconce bench` reads; times in seconds, `scale` makes its unit of them."""
    times = sorted(times)
    at = lambda share: times[int(share * (len(times) - 1))] * scale
    print(json.dumps({"who": who, "median": at(0.5), "mean": statistics.mean(times) * scale, "p10": at(0.1), "p90": at(0.9), "steps": len(times), **more}))


def measure_batches(mode, stream, warm, steps):
    """Times what next() of a stream of inputs and targets takes and reports it in microseconds."""
    import time

    import torch

    for _ in range(warm):
        next(stream)
    times = []
    seen = 0.0
    for _ in range(steps):
        start = time.perf_counter()
        inputs, targets = next(stream)
        times.append(time.perf_counter() - start)
        seen += inputs[0, 0, 0, 0].item() + targets[0].item()
    # With worker processes the median is the wait; the mean is what a consumer that only waits gets.
    if mode == "workers":
        times = [sum(times) / len(times)] * len(times)
    report(mode, times, scale=1e6, seen=seen, version=torch.__version__)


def measure_steps(mode, warm, steps, net, optimiser, batch, loss_of):
    """Times training steps of a network on the processor and reports them. batch() gives inputs and targets, loss_of(outputs, targets)
    the loss; its number is read at each step, as a person who watches it does."""
    import time

    import torch

    times = []
    for step in range(warm + steps):
        start = time.perf_counter()
        inputs, targets = batch()
        optimiser.zero_grad()
        with torch.autocast("cpu", torch.bfloat16, enabled=mode == "bf16"):
            loss = loss_of(net(inputs), targets)
        loss.backward()
        optimiser.step()
        value = loss.item()
        if step >= warm:
            times.append(time.perf_counter() - start)
    report(mode, times, loss=value, version=torch.__version__, parameters=sum(p.numel() for p in net.parameters()))


def main(peer, modes, **numbers):
    """Reads `MODE --data PATH` and the numbers, named as given here, and makes one measurement."""
    parser = argparse.ArgumentParser()
    parser.add_argument("mode", choices=modes)
    parser.add_argument("--data", default="")
    for name, value in {"threads": 2, **numbers}.items():
        parser.add_argument("--" + name, type=int, default=value)
    peer(parser.parse_args())
