# SPDX-License-Identifier: GPL-3.0-or-later
"""Changed pictures, the peer: a batch of MNIST from memory to the first layer, each picture shifted by up to 2 pixels and turned by up to
8 degrees. `augment.py MODE --data DIR` makes one measurement and prints a JSON line; `sconce bench augment --peer PYTHON` runs it in
turns with its own.

Modes:
    loader    DataLoader over a data set with torchvision's transforms (v2), picture by picture, as tutorials write it
    workers   the same with two worker processes
    batch     rows indexed out of one tensor of bytes, the whole batch at once through affine_grid and grid_sample
"""
import math

from common import load, main, measure_batches

MODES = ["loader", "workers", "batch"]
SHIFT, DEGREES = 2, 8


def peer(mode, folder, threads, warm, steps, batch):
    import torch

    torch.set_num_threads(threads)
    torch.manual_seed(1)
    images, labels = load(folder)
    x = torch.from_numpy(images.copy())
    y = torch.from_numpy(labels.astype("int64"))
    side = x.shape[-1]

    def transformed():
        from torchvision.transforms import InterpolationMode, v2

        change = v2.Compose([v2.RandomAffine(DEGREES, translate=(SHIFT / side, SHIFT / side), interpolation=InterpolationMode.BILINEAR), v2.ToDtype(torch.float32, scale=True)])

        class Pictures(torch.utils.data.Dataset):
            def __len__(self):
                return len(x)

            def __getitem__(self, i):
                return change(x[i]), y[i]

        workers = 2 if mode == "workers" else 0
        data = torch.utils.data.DataLoader(Pictures(), batch, shuffle=True, drop_last=True, num_workers=workers, persistent_workers=workers > 0)
        while True:
            yield from data

    def at_once():
        while True:
            order = torch.randperm(len(x))
            for i in range(0, len(x) - batch + 1, batch):
                rows = order[i : i + batch]
                angle = (torch.rand(batch) * 2 - 1) * math.radians(DEGREES)
                shift = torch.randint(-SHIFT, SHIFT + 1, (batch, 2)) * (2 / side)
                cos, sin = angle.cos(), angle.sin()
                theta = torch.stack([torch.stack([cos, -sin, shift[:, 0]], 1), torch.stack([sin, cos, shift[:, 1]], 1)], 1)
                pictures = x[rows].float().div_(255)
                grid = torch.nn.functional.affine_grid(theta, pictures.shape, align_corners=False)
                yield torch.nn.functional.grid_sample(pictures, grid, align_corners=False), y[rows]

    measure_batches(mode, at_once() if mode == "batch" else transformed(), warm, steps)


if __name__ == "__main__":
    main(lambda o: peer(o.mode, o.data, o.threads, o.warm, o.steps, o.batch), MODES, warm=5, steps=100, batch=128)
