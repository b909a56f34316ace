# SPDX-License-Identifier: GPL-3.0-or-later
"""B6: a batch of MNIST from memory to the first layer, PyTorch beside Sconce, interleaved.

    b6.py peer MODE --data DIR        one measurement of PyTorch, printed as a JSON line
    b6.py table --sconce PROGRAM …    runs everything in turns and prints the table

Modes of the peer:
    loader    DataLoader over a TensorDataset of floats, as tutorials write it
    workers   the same with two worker processes
    resident  rows indexed out of one tensor of floats
    bytes     rows indexed out of one tensor of bytes, then scaled: what Sconce keeps in memory
"""
import json
import os
import sys
import time

from common import in_turns, load, main, print_table

MODES = ["loader", "workers", "resident", "bytes"]
BATCH = 128


def peer(mode, folder, threads, batches):
    import torch

    torch.set_num_threads(threads)
    torch.manual_seed(1)
    images, labels = load(folder)
    y = torch.from_numpy(labels.astype("int64"))
    x = torch.from_numpy(images.copy()) if mode == "bytes" else torch.from_numpy(images.astype("float32") / 255)

    def source():
        if mode in ("loader", "workers"):
            workers = 2 if mode == "workers" else 0
            data = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(x, y), BATCH, shuffle=True, drop_last=True,
                                               num_workers=workers, persistent_workers=workers > 0)
            while True:
                yield from data
        while True:
            order = torch.randperm(len(x))
            for i in range(0, len(x) - BATCH + 1, BATCH):
                rows = order[i : i + BATCH]
                yield (x[rows].float().div_(255), y[rows]) if mode == "bytes" else (x[rows], y[rows])

    stream = source()
    for _ in range(20):
        next(stream)
    times = []
    seen = 0.0
    for _ in range(batches):
        start = time.perf_counter()
        inputs, targets = next(stream)
        times.append(time.perf_counter() - start)
        seen += inputs[0, 0, 0, 0].item() + targets[0].item()
    times.sort()
    at = lambda share: times[int(share * (len(times) - 1))] * 1e6
    # With worker processes the median is the wait; the mean is what a consumer that only waits gets.
    print(json.dumps({"who": mode, "median_us": at(0.5) if mode != "workers" else sum(times) / len(times) * 1e6, "p10_us": at(0.1),
                      "p90_us": at(0.9), "batches": batches, "seen": seen, "torch": torch.__version__}))


def table(options):
    commands = {"sconce": [options.sconce, options.data, str(options.threads), str(options.batches * 10)]}
    for mode in options.modes:
        commands[mode] = [sys.executable, os.path.abspath(__file__), "peer", mode, "--data", options.data, "--threads", str(options.threads),
                          "--batches", str(options.batches)]
    results = in_turns(commands, options.rounds, "µs/batch", "median_us")
    print(f"B6: a shuffled batch of {BATCH} MNIST pictures as floats with its targets, {options.threads} threads, {options.rounds} rounds, interleaved")
    medians = print_table(results, "µs/batch", key="median_us")
    print(json.dumps({"bench": "B6", "us": medians}))
    return 0 if medians["sconce"] <= 60 else 1


if __name__ == "__main__":
    sys.exit(main(lambda o: peer(o.mode, o.data, o.threads, o.batches), table, MODES, rounds=5, batches=400))
