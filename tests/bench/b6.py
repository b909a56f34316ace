# SPDX-License-Identifier: GPL-3.0-or-later
"""B6, the peer: a batch of MNIST from memory to the first layer in PyTorch. `b6.py MODE --data DIR` makes one measurement and prints a
JSON line; `sconce bench b6 --peer PYTHON` runs it in turns with its own.

Modes:
    loader    DataLoader over a TensorDataset of floats, as tutorials write it
    workers   the same with two worker processes
    resident  rows indexed out of one tensor of floats
    bytes     rows indexed out of one tensor of bytes, then scaled: what Sconce keeps in memory
"""
import time

from common import load, main, report

MODES = ["loader", "workers", "resident", "bytes"]


def peer(mode, folder, threads, warm, steps, batch):
    import torch

    torch.set_num_threads(threads)
    torch.manual_seed(1)
    images, labels = load(folder)
    y = torch.from_numpy(labels.astype("int64"))
    x = torch.from_numpy(images.copy()) if mode == "bytes" else torch.from_numpy(images.astype("float32") / 255)

    def source():
        if mode in ("loader", "workers"):
            workers = 2 if mode == "workers" else 0
            data = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(x, y), batch, shuffle=True, drop_last=True,
                                               num_workers=workers, persistent_workers=workers > 0)
            while True:
                yield from data
        while True:
            order = torch.randperm(len(x))
            for i in range(0, len(x) - batch + 1, batch):
                rows = order[i : i + batch]
                yield (x[rows].float().div_(255), y[rows]) if mode == "bytes" else (x[rows], y[rows])

    stream = source()
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


if __name__ == "__main__":
    main(lambda o: peer(o.mode, o.data, o.threads, o.warm, o.steps, o.batch), MODES, warm=20, steps=400, batch=128)
