# SPDX-License-Identifier: GPL-3.0-or-later
"""B6, the peer: a batch of MNIST from memory to the first layer in PyTorch. `b6.py MODE --data DIR` makes one measurement and prints a
JSON line; `sconce bench b6 --peer PYTHON` runs it in turns with its own.

Modes:
    loader    DataLoader over a TensorDataset of floats, as tutorials write it
    workers   the same with two worker processes
    resident  rows indexed out of one tensor of floats
    bytes     rows indexed out of one tensor of bytes, then scaled: what Sconce keeps in memory
"""

from common import load, main, measure_batches

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

    measure_batches(mode, source(), warm, steps)


if __name__ == "__main__":
    main(lambda o: peer(o.mode, o.data, o.threads, o.warm, o.steps, o.batch), MODES, warm=20, steps=400, batch=128)
