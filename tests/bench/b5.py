# SPDX-License-Identifier: GPL-3.0-or-later
"""B5: a training step of a small character transformer (nanoGPT's size for the CPU), PyTorch beside Sconce, interleaved.

    b5.py peer MODE --data TEXT       one measurement of PyTorch, printed as a JSON line
    b5.py table --sconce PROGRAM …    runs everything in turns and prints the table

Four pre-norm blocks as in GPT-2, width 128, 4 heads, 64 symbols at once, 12 windows a batch, the 65 characters of tiny Shakespeare;
AdamW, no dropout. Both sides read windows of the same text.
Modes of the peer:
    stock     eager, float32
    tuned     large blocks kept by malloc, fused AdamW, windows gathered at once
    bf16      the same under autocast to bfloat16
"""
import json
import os
import sys
import tempfile
import time

from common import in_turns, keep_large_blocks, last_json, main, print_table, report

MODES = ["stock", "tuned", "bf16"]
BLOCKS, WIDTH, HEADS, LENGTH, SYMBOLS = 4, 128, 4, 64, 65
EPSILON, RATE, DECAY = 1e-5, 1e-3, 0.1


def flops(batch):
    """Of a step: forward and twice that backward. A causal mask's other half is counted, as the field does."""
    block = LENGTH * 12 * WIDTH * WIDTH + 2 * LENGTH * LENGTH * WIDTH
    return 2.0 * 3 * batch * (BLOCKS * block + LENGTH * WIDTH * SYMBOLS)


def recipe(batch):
    number = iter(range(1, 1000))
    make = lambda kind, **settings: {"id": f"l{next(number)}", "type": kind, **settings}
    norm = lambda: make("layer_norm", epsilon=EPSILON)
    layers = [make("embedding", symbols=SYMBOLS, width=WIDTH), make("positions")]
    for _ in range(BLOCKS):
        layers.append(make("residual", branches=[[norm(), make("self_attention", heads=HEADS)]]))
        layers.append(make("residual", branches=[[norm(), make("dense", units=4 * WIDTH, activation="gelu"), make("dense", units=WIDTH)]]))
    layers += [norm(), make("dense", units=SYMBOLS)]
    return {"format": "sconce-recipe", "version": 1, "name": "char-gpt", "layers": layers, "task": {"type": "language"},
            "data": {"dataset": "tinyshakespeare", "import": {"context": LENGTH}},
            "training": {"epochs": 1, "batch_size": batch, "learning_rate": RATE, "optimiser": {"type": "adamw", "weight_decay": DECAY}}}


def peer(mode, threads, text, batch, warm, steps):
    if mode != "stock":
        keep_large_blocks()
    import torch
    from torch import nn
    from torch.nn import functional as F

    torch.set_num_threads(threads)
    torch.manual_seed(1)
    tuned = mode != "stock"

    class Attention(nn.Module):
        def __init__(self):
            super().__init__()
            self.qkv, self.out = nn.Linear(WIDTH, 3 * WIDTH), nn.Linear(WIDTH, WIDTH)

        def forward(self, x):
            rows, length, width = x.shape
            q, k, v = (part.view(rows, length, HEADS, width // HEADS).transpose(1, 2) for part in self.qkv(x).split(width, dim=2))
            seen = F.scaled_dot_product_attention(q, k, v, is_causal=True)
            return self.out(seen.transpose(1, 2).reshape(rows, length, width))

    class Block(nn.Module):
        def __init__(self):
            super().__init__()
            self.first, self.second = nn.LayerNorm(WIDTH, EPSILON), nn.LayerNorm(WIDTH, EPSILON)
            self.attention = Attention()
            self.forth, self.back = nn.Linear(WIDTH, 4 * WIDTH), nn.Linear(4 * WIDTH, WIDTH)

        def forward(self, x):
            x = x + self.attention(self.first(x))
            return x + self.back(F.gelu(self.forth(self.second(x))))

    class Gpt(nn.Module):
        def __init__(self):
            super().__init__()
            self.symbols = nn.Embedding(SYMBOLS, WIDTH)
            self.places = nn.Parameter(torch.randn(LENGTH, WIDTH) * 0.02)
            self.blocks = nn.Sequential(*(Block() for _ in range(BLOCKS)))
            self.norm, self.head = nn.LayerNorm(WIDTH, EPSILON), nn.Linear(WIDTH, SYMBOLS)
            nn.init.normal_(self.symbols.weight, std=0.02)

        def forward(self, x):
            return self.head(self.norm(self.blocks(self.symbols(x) + self.places)))

    with open(text, "rb") as file:
        content = file.read()
    index = {byte: i for i, byte in enumerate(sorted(set(content)))}
    if len(index) != SYMBOLS:
        sys.exit(f"{text} has {len(index)} different characters, not {SYMBOLS}.")
    written = torch.tensor([index[byte] for byte in content])
    windows = written.unfold(0, LENGTH + 1, 1)
    net = Gpt()
    optimiser = torch.optim.AdamW(net.parameters(), RATE, weight_decay=DECAY, fused=True if tuned else None)
    times = []
    for step in range(warm + steps):
        start = time.perf_counter()
        rows = torch.randint(0, len(windows), (batch,))
        if tuned:
            both = windows[rows]
            inputs, targets = both[:, :-1].contiguous(), both[:, 1:]
        else:
            inputs = torch.stack([written[row : row + LENGTH] for row in rows])
            targets = torch.stack([written[row + 1 : row + 1 + LENGTH] for row in rows])
        optimiser.zero_grad()
        with torch.autocast("cpu", torch.bfloat16, enabled=mode == "bf16"):
            logits = net(inputs)
            loss = F.cross_entropy(logits.view(-1, SYMBOLS), targets.reshape(-1))
        loss.backward()
        optimiser.step()
        value = loss.item()
        if step >= warm:
            times.append(time.perf_counter() - start)
    report(mode, times, loss=value, version=torch.__version__, parameters=sum(p.numel() for p in net.parameters()))


def table(options):
    with tempfile.TemporaryDirectory() as folder:
        common = [f"threads={options.threads}", f"warm={options.warm}", f"steps={options.steps}"]
        commands = {}
        for who, precision in (("sconce", "float32"), ("sconce bf16", "bf16")):
            file = os.path.join(folder, f"char-gpt-{precision}.sconce")
            described = recipe(options.batch)
            described["training"]["precision"] = {"compute": precision}
            with open(file, "w") as out:
                json.dump(described, out)
            commands[who] = [options.sconce, f"data={options.data}", f"recipe={file}", *common]
        for mode in options.modes:
            commands[mode] = [sys.executable, os.path.abspath(__file__), "peer", mode, "--data", options.data, "--threads", str(options.threads),
                              "--batch", str(options.batch), "--warm", str(options.warm), "--steps", str(options.steps)]
        peaks = [last_json([options.sconce, "mode=peak", f"threads={options.threads}"]) for _ in range(3)]
        results = in_turns(commands, options.rounds, "ms/step")
    gflops = max(p["gflops"] for p in peaks)
    floor = flops(options.batch) / (gflops * 1e9) * 1e3
    print(f"B5: character transformer L{BLOCKS} D{WIDTH} T{LENGTH}, batch {options.batch}, {options.threads} threads, {options.rounds} rounds of {options.steps} steps, interleaved")
    print(f"machine: {gflops:.0f} GFLOP/s fused multiply-add; floor of a step {floor:.1f} ms (float32)")
    exact = {who: runs for who, runs in results.items() if "bf16" not in who}
    reduced = {who: runs for who, runs in results.items() if "bf16" in who}
    medians = print_table(exact, "ms/step", floor=floor)
    medians.update(print_table(reduced, "ms/step", ours="sconce bf16", floor=floor))
    print(json.dumps({"bench": "B5", "batch": options.batch, "floor_ms": floor, "ms": medians}))
    best = min((medians[mode] for mode in options.modes if mode != "bf16"), default=None)
    return 0 if best is None or medians["sconce"] <= best else 1


if __name__ == "__main__":
    sys.exit(main(lambda o: peer(o.mode, o.threads, o.data, o.batch, o.warm, o.steps), table, MODES, rounds=5, warm=20, steps=100, batch=12))
