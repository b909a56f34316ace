# SPDX-License-Identifier: GPL-3.0-or-later
"""B4: a training step of ResNet-18 for 32×32 colour pictures, PyTorch beside Sconce, interleaved.

    b4.py peer MODE --batch N         one measurement of PyTorch, printed as a JSON line
    b4.py table --sconce PROGRAM …    runs everything in turns and prints the table

ResNet-18 as published for CIFAR-10: a 3×3 stem, stages of 64, 128, 256, 512 channels with two basic blocks each, batch norm,
1×1 projections. SGD with momentum. The peer's pictures are random bytes of the same shape: a step's time does not depend on them.
Modes of the peer:
    stock     eager, N×C×H×W, float32
    tuned     large blocks kept by malloc, channels-last, fused SGD
    bf16      the same under autocast to bfloat16
"""
import json
import os
import sys
import tempfile
import time

from common import in_turns, keep_large_blocks, last_json, main, print_table, report

MODES = ["stock", "tuned", "bf16"]
STAGES = ((64, 1), (128, 2), (256, 2), (512, 2))


def flops(batch):
    """Of a step: forward, and twice that backward (the stem's input needs no gradient)."""
    stem = 3 * 64 * 9 * 32 * 32
    macs, channels, side = 0, 64, 32
    for width, stride in STAGES:
        for block in range(2):
            step = stride if block == 0 else 1
            out = side // step
            macs += channels * width * 9 * out * out + width * width * 9 * out * out
            if step != 1 or channels != width:
                macs += channels * width * out * out
            channels, side = width, out
    macs += 512 * 10
    return 2.0 * batch * (3 * macs + 2 * stem)


def recipe(batch):
    number = iter(range(1, 1000))
    make = lambda kind, **settings: {"id": f"l{next(number)}", "type": kind, **settings}
    conv = lambda filters, kernel, stride: make("conv2d", filters=filters, kernel=[kernel, kernel], stride=[stride, stride], padding="same", bias=False)
    layers = [conv(64, 3, 1), make("batch_norm"), make("relu")]
    channels = 64
    for width, stride in STAGES:
        for block in range(2):
            step = stride if block == 0 else 1
            body = [conv(width, 3, step), make("batch_norm"), make("relu"), conv(width, 3, 1), make("batch_norm")]
            if step != 1 or channels != width:
                layers.append(make("parallel", join="add", activation="relu", branches=[body, [conv(width, 1, step), make("batch_norm")]]))
            else:
                layers.append(make("residual", activation="relu", branches=[body]))
            channels = width
    layers += [make("global_average_pool"), make("dense", units=10)]
    return {"format": "sconce-recipe", "version": 1, "name": "resnet-18", "layers": layers,
            "data": {"dataset": "cifar10", "input": {"scale": True, "normalise": True, "mean": 0.4734, "deviation": 0.2516}},
            "training": {"epochs": 1, "batch_size": batch, "learning_rate": 0.05, "optimiser": {"type": "sgd", "momentum": 0.9}}}


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
    criterion = nn.CrossEntropyLoss()
    pictures = torch.randint(0, 256, (2048, 3, 32, 32), dtype=torch.uint8)
    labels = torch.randint(0, 10, (2048,))
    times = []
    for step in range(warm + steps):
        start = time.perf_counter()
        rows = torch.randint(0, len(pictures), (batch,))
        inputs = pictures[rows].float().div_(255).sub_(0.4734).div_(0.2516)
        if tuned:
            inputs = inputs.contiguous(memory_format=torch.channels_last)
        optimiser.zero_grad()
        with torch.autocast("cpu", torch.bfloat16, enabled=mode == "bf16"):
            loss = criterion(net(inputs), labels[rows])
        loss.backward()
        optimiser.step()
        value = loss.item()
        if step >= warm:
            times.append(time.perf_counter() - start)
    report(mode, times, loss=value, version=torch.__version__, parameters=sum(p.numel() for p in net.parameters()))


def table(options):
    with tempfile.TemporaryDirectory() as folder:
        file = os.path.join(folder, "resnet-18.sconce")
        with open(file, "w") as out:
            json.dump(recipe(options.batch), out)
        common = [f"threads={options.threads}", f"warm={options.warm}", f"steps={options.steps}"]
        commands = {"sconce": [options.sconce, f"data={options.data}", f"recipe={file}", *common]}
        for mode in options.modes:
            commands[mode] = [sys.executable, os.path.abspath(__file__), "peer", mode, "--threads", str(options.threads), "--batch", str(options.batch),
                              "--warm", str(options.warm), "--steps", str(options.steps)]
        peaks = [last_json([options.sconce, "mode=peak", f"threads={options.threads}"]) for _ in range(3)]
        results = in_turns(commands, options.rounds, "ms/step")
    gflops = max(p["gflops"] for p in peaks)
    floor = flops(options.batch) / (gflops * 1e9) * 1e3
    print(f"B4: ResNet-18, 32×32 colour, batch {options.batch}, {options.threads} threads, {options.rounds} rounds of {options.steps} steps, interleaved")
    print(f"machine: {gflops:.0f} GFLOP/s fused multiply-add; floor of a step {floor:.0f} ms (float32, direct convolution)")
    medians = print_table(results, "ms/step", floor=floor)
    print(json.dumps({"bench": "B4", "batch": options.batch, "floor_ms": floor, "ms": medians}))
    best = min((medians[mode] for mode in options.modes if mode != "bf16"), default=None)
    return 0 if best is None or medians["sconce"] <= best else 1


if __name__ == "__main__":
    sys.exit(main(lambda o: peer(o.mode, o.threads, o.batch, o.warm, o.steps), table, MODES, rounds=3, warm=2, steps=8, batch=128))
