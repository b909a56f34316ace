# SPDX-License-Identifier: GPL-3.0-or-later
"""B4, the peer: a training step of ResNet-18 for 32×32 colour pictures in PyTorch. `b4.py MODE --batch N` makes one measurement and
prints a JSON line; `sconce bench b4 --peer PYTHON` runs it in turns with its own.

ResNet-18 as published for CIFAR-10: a 3×3 stem, stages of 64, 128, 256, 512 channels with two basic blocks each, batch norm,
1×1 projections. SGD with momentum. Its pictures are random bytes of the same shape: a step's time does not depend on them.
Modes:
    stock     eager, N×C×H×W, float32
    tuned     large blocks kept by malloc, channels-last, fused SGD
    bf16      the same under autocast to bfloat16
"""
from common import keep_large_blocks, main, measure_steps

MODES = ["stock", "tuned", "bf16"]
STAGES = ((64, 1), (128, 2), (256, 2), (512, 2))


def peer(mode, threads, batch, warm, steps):
    if mode != "stock":
        keep_large_blocks()
    import torch
    from torch import nn

    torch.set_num_threads(threads)
    torch.manual_seed(1)

    def norm_conv(inside, out, kernel, stride):
        return nn.Sequential(nn.Conv2d(inside, out, kernel, stride, kernel // 2, bias=False), nn.BatchNorm2d(out))

    class Block(nn.Module):
        def __init__(self, inside, out, stride):
            super().__init__()
            self.first, self.second = norm_conv(inside, out, 3, stride), norm_conv(out, out, 3, 1)
            self.skip = norm_conv(inside, out, 1, stride) if stride != 1 or inside != out else nn.Identity()

        def forward(self, x):
            return torch.relu(self.second(torch.relu(self.first(x))) + self.skip(x))

    parts, channels = [norm_conv(3, 64, 3, 1), nn.ReLU()], 64
    for width, stride in STAGES:
        parts += [Block(channels, width, stride), Block(width, width, 1)]
        channels = width
    net = nn.Sequential(*parts, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(512, 10))
    tuned = mode != "stock"
    if tuned:
        net = net.to(memory_format=torch.channels_last)
    optimiser = torch.optim.SGD(net.parameters(), 0.05, momentum=0.9, fused=True if tuned else None)
    pictures = torch.randint(0, 256, (2048, 3, 32, 32), dtype=torch.uint8)
    labels = torch.randint(0, 10, (2048,))

    def batch_of():
        rows = torch.randint(0, len(pictures), (batch,))
        inputs = pictures[rows].float().div_(255).sub_(0.4734).div_(0.2516)
        return inputs.contiguous(memory_format=torch.channels_last) if tuned else inputs, labels[rows]

    measure_steps(mode, warm, steps, net, optimiser, batch_of, nn.CrossEntropyLoss())


if __name__ == "__main__":
    main(lambda o: peer(o.mode, o.threads, o.batch, o.warm, o.steps), MODES, warm=2, steps=8, batch=128)
