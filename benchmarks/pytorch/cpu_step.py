#!/usr/bin/env python3
"""Times a training step of GPT (the Llama block) in PyTorch on the CPU, in fp32, at the size of docs/performance.md.

Plain PyTorch as most would write it, with AdamW; runs on any version from 1.13 (Debian 12's) on, and uses
scaled_dot_product_attention where there is one. Prints the median of the steps and its rate.
"""

import argparse
import statistics
import time

import torch
import torch.nn.functional as F
from torch import nn


class Norm(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.gain = nn.Parameter(torch.ones(width))

    def forward(self, x):
        return x * torch.rsqrt(x.square().mean(-1, keepdim=True) + 1e-6) * self.gain


def rotate(x, cos, sin):
    first, second = x.chunk(2, -1)
    return torch.cat([first * cos - second * sin, second * cos + first * sin], -1)


class Block(nn.Module):
    def __init__(self, options):
        super().__init__()
        d, f = options.width, 4 * options.width
        self.heads = options.heads
        self.attention_norm, self.mlp_norm = Norm(d), Norm(d)
        self.qkv, self.out = nn.Linear(d, 3 * d, bias=False), nn.Linear(d, d, bias=False)
        self.gate_up, self.down = nn.Linear(d, 2 * f, bias=False), nn.Linear(f, d, bias=False)

    def forward(self, h, cos, sin, mask):
        b, t, d = h.shape
        q, k, v = (x.view(b, t, self.heads, -1).transpose(1, 2) for x in self.qkv(self.attention_norm(h)).chunk(3, -1))
        q, k = rotate(q, cos, sin), rotate(k, cos, sin)
        if hasattr(F, "scaled_dot_product_attention"):
            y = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        else:
            y = torch.softmax((q @ k.transpose(-2, -1)) * q.shape[-1] ** -0.5 + mask, -1) @ v
        h = h + self.out(y.transpose(1, 2).reshape(b, t, d))
        gate, up = self.gate_up(self.mlp_norm(h)).chunk(2, -1)
        return h + self.down(F.silu(gate) * up)


class Gpt(nn.Module):
    def __init__(self, options):
        super().__init__()
        self.embedding = nn.Embedding(options.vocabulary, options.width)
        self.blocks = nn.ModuleList(Block(options) for _ in range(options.layers))
        self.norm, self.head = Norm(options.width), nn.Linear(options.width, options.vocabulary, bias=False)
        half = options.width // options.heads // 2
        angles = torch.outer(torch.arange(options.context), 10000.0 ** (-torch.arange(half) / half))
        self.register_buffer("cos", angles.cos())
        self.register_buffer("sin", angles.sin())
        self.register_buffer("mask", torch.full((options.context, options.context), float("-inf")).triu(1))

    def forward(self, tokens, targets):
        h = self.embedding(tokens)
        for block in self.blocks:
            h = block(h, self.cos, self.sin, self.mask)
        return F.cross_entropy(self.head(self.norm(h)).flatten(0, 1), targets.flatten())


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    for name, default in dict(width=256, layers=6, heads=4, context=256, batch=16, vocabulary=4096, steps=7).items():
        parser.add_argument("--" + name, type=int, default=default)
    options = parser.parse_args()
    torch.manual_seed(1)
    model = Gpt(options)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-4)
    seconds = []
    for _ in range(options.steps + 2):
        tokens = torch.randint(options.vocabulary, (options.batch, options.context + 1))
        start = time.perf_counter()
        loss = model(tokens[:, :-1], tokens[:, 1:])
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        seconds.append(time.perf_counter() - start)
    matrices = sum(p.numel() for n, p in model.named_parameters() if p.dim() == 2 and n != "embedding.weight")
    flops = (6 * matrices + 6 * options.layers * options.context * options.width) * options.batch * options.context
    median = statistics.median(seconds[2:])
    print(f"PyTorch {torch.__version__}, {torch.get_num_threads()} threads: loss {loss.item():.4f}, "
          f"{1e3 * median:.0f} ms ({1e3 * min(seconds[2:]):.0f} - {1e3 * max(seconds[2:]):.0f}) a step, {flops / median / 1e9:.0f} GFLOP/s")


if __name__ == "__main__":
    main()
