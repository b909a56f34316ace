# SPDX-License-Identifier: GPL-3.0-or-later
"""B5, the peer: a training step of a small character transformer (nanoGPT's size for the CPU) in PyTorch. `b5.py MODE --data TEXT` makes
one measurement and prints a JSON line; `sconce bench b5 --peer PYTHON` runs it in turns with its own.

Four pre-norm blocks as in GPT-2, width 128, 4 heads, 64 symbols at once, 12 windows a batch, the 65 characters of tiny Shakespeare;
AdamW, no dropout. Both sides read windows of the same text.
Modes:
    stock     eager, float32
    tuned     large blocks kept by malloc, fused AdamW, windows gathered at once
    bf16      the same under autocast to bfloat16
"""
import sys

from common import keep_large_blocks, main, measure_steps

MODES = ["stock", "tuned", "bf16"]
BLOCKS, WIDTH, HEADS, LENGTH, SYMBOLS = 4, 128, 4, 64, 65
EPSILON, RATE, DECAY = 1e-5, 1e-3, 0.1


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

    def batch_of():
        rows = torch.randint(0, len(windows), (batch,))
        if tuned:
            both = windows[rows]
            return both[:, :-1].contiguous(), both[:, 1:]
        return torch.stack([written[row : row + LENGTH] for row in rows]), torch.stack([written[row + 1 : row + 1 + LENGTH] for row in rows])

    measure_steps(mode, warm, steps, net, optimiser, batch_of, lambda logits, targets: F.cross_entropy(logits.view(-1, SYMBOLS), targets.reshape(-1)))


if __name__ == "__main__":
    main(lambda o: peer(o.mode, o.threads, o.data, o.batch, o.warm, o.steps), MODES, warm=20, steps=100, batch=12)
