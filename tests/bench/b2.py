# SPDX-License-Identifier: GPL-3.0-or-later
"""B2, the peer: 99 % on MNIST after one epoch, with the recipe of tuomaso/train_mnist_fast (its last step, "8_Final"), on this CPU.
`b2.py MODE --data DIR --epochs N --seed N` makes one training and prints a JSON line; `sconce bench b2 --peer PYTHON` runs it in turns
with its own.

The recipe as published: Conv 24·5×5, pool, ReLU, Conv 32·3×3, pool, ReLU, dense 256, ReLU, dense 10; all 60,000 pictures in memory,
normalised and shuffled once; batches of 256; Adam at 0.01 with betas 0.7 and 0.9, one cycle over the training without the cycle of
momentum. The time is that of the training steps, the first included, with the data in memory already.
Modes:
    published  as it stands: N×C×H×W, float32
    tuned      the same with the best documented setting on a CPU: large blocks kept by malloc, channels-last, fused Adam
"""
import struct
import time

from common import keep_large_blocks, main, read_idx, report

MODES = ["published", "tuned"]
BATCH, RATE = 256, 1e-2


def part(folder, stem):
    import numpy as np
    import torch

    images = read_idx(folder, f"{stem}-images-idx3-ubyte")
    labels = read_idx(folder, f"{stem}-labels-idx1-ubyte")
    count, height, width = struct.unpack(">III", images[4:16])
    x = torch.from_numpy(np.frombuffer(images, np.uint8, offset=16).reshape(count, 1, height, width).astype("float32"))
    return x.div_(255).sub_(0.1307).div_(0.3081), torch.from_numpy(np.frombuffer(labels, np.uint8, offset=8).astype("int64"))


def peer(mode, folder, threads, epochs, seed):
    tuned = mode == "tuned"
    if tuned:
        keep_large_blocks()
    import torch
    from torch import nn
    from torch.nn import functional as F

    torch.set_num_threads(threads)
    torch.manual_seed(seed)
    x, y = part(folder, "train")
    order = torch.randperm(len(x))
    x, y = x[order], y[order]
    net = nn.Sequential(nn.Conv2d(1, 24, 5), nn.MaxPool2d(2), nn.ReLU(), nn.Conv2d(24, 32, 3), nn.MaxPool2d(2), nn.ReLU(),
                        nn.Flatten(), nn.Linear(800, 256), nn.ReLU(), nn.Linear(256, 10))
    if tuned:
        net = net.to(memory_format=torch.channels_last)
        # contiguous(channels_last) leaves one-channel tensors in the slow strides: set them
        x = torch.as_strided(x, x.shape, (784, 1, 28, 1))
        with torch.no_grad():
            net[0].weight.set_(torch.as_strided(net[0].weight.detach().clone(), (24, 1, 5, 5), (25, 1, 5, 1)))
    optimiser = torch.optim.Adam(net.parameters(), lr=RATE, betas=(0.7, 0.9), fused=True if tuned else None)
    per_epoch = (len(x) - 1) // BATCH + 1
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, max_lr=RATE, total_steps=per_epoch * epochs, cycle_momentum=False)
    net.train()
    start = time.perf_counter()
    for step in range(per_epoch * epochs):
        rows = slice(step % per_epoch * BATCH, (step % per_epoch + 1) * BATCH)
        optimiser.zero_grad()
        loss = F.cross_entropy(net(x[rows]), y[rows])
        loss.backward()
        optimiser.step()
        schedule.step()
    seconds = time.perf_counter() - start

    net.eval()
    x, y = part(folder, "t10k")
    with torch.no_grad():
        correct = sum((net(x[i : i + 2000]).argmax(1) == y[i : i + 2000]).sum().item() for i in range(0, len(x), 2000))
    report(mode, [seconds], scale=1, accuracy=correct / len(x), loss=loss.item(), version=torch.__version__)


if __name__ == "__main__":
    main(lambda o: peer(o.mode, o.data, o.threads, o.epochs, o.seed), MODES, epochs=1, seed=1)
