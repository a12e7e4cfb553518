#!/usr/bin/env python3
"""Times a training step of GPT+ or anGPT in PyTorch, as the yardstick for this project's step on the same GPU.

The models are those of src/AnTransformer/Architectures: fp32 master weights and residual stream, matrix products and attention in bf16 by
explicit casts (no autocast), flash attention, torch.compile of the whole loss, fused AdamW (for anGPT: Adam without decay, then the
row constraint). Prints one JSON object: milliseconds per step (median and quartiles) and tokens per second.
"""

import argparse
import json
import math
import statistics

import torch
import torch.nn.functional as F
from torch import nn
from torch.nn.attention import SDPBackend, sdpa_kernel


def linear(x, weight, factor=1.0):
    """factor * W x in bf16; the factor multiplies the matrix, in fp32."""
    weight = weight if factor == 1.0 else weight * factor
    return F.linear(x.to(torch.bfloat16), weight.to(torch.bfloat16))


def rms(x, gain, epsilon=1e-6):
    x = x.float()
    return x * torch.rsqrt(x.square().mean(-1, keepdim=True) + epsilon) * gain


def rotate(x, cos, sin):
    first, second = x.float().chunk(2, -1)
    return torch.cat([first * cos - second * sin, second * cos + first * sin], -1)


def activation_factor(sigma):
    """1 / sqrt(E[SiLU(sigma n)^2]), n normal, by the trapezoidal rule."""
    n = torch.linspace(-12, 12, 24001, dtype=torch.float64)
    density = torch.exp(-n.square() / 2) / math.sqrt(2 * math.pi)
    return 1 / math.sqrt(torch.trapezoid(F.silu(sigma * n).square() * density, n).item())


class Block(nn.Module):
    def __init__(self, options):
        super().__init__()
        d, f = options.width, options.mlp
        self.heads, self.head_size, self.is_angpt = options.heads, d // options.heads, options.architecture == "angpt"
        deviation = 1.0 if self.is_angpt else d**-0.5
        output_deviation = 1.0 if self.is_angpt else deviation / math.sqrt(2 * options.layers)
        self.qkv = nn.Parameter(torch.randn(3 * d, d) * deviation)
        self.out = nn.Parameter(torch.randn(d, d) * output_deviation)
        self.gate_up = nn.Parameter(torch.randn(2 * f, d) * deviation)
        self.down = nn.Parameter(torch.randn(d, f) * output_deviation)
        if self.is_angpt:
            self.attention_alpha = nn.Parameter(torch.full((d,), d**-0.5))
            self.mlp_alpha = nn.Parameter(torch.full((d,), d**-0.5))
            self.to_alpha = 0.05 * math.sqrt(d)
            self.nu_qkv, self.nu_out = math.sqrt(self.heads), math.sqrt(1 / self.heads)
            self.nu_gate_up, self.nu_down = math.sqrt(d / f), math.sqrt(f / d) * activation_factor(math.sqrt(d / f))
            self.gate_factor = math.sqrt(d)
        else:
            self.input_gain = nn.Parameter(torch.ones(d))
            self.mlp_gain = nn.Parameter(torch.ones(d))
            self.query_gain = nn.Parameter(torch.ones(self.head_size))
            self.key_gain = nn.Parameter(torch.ones(self.head_size))

    def attend(self, q, k, v, scale):
        with sdpa_kernel(SDPBackend.FLASH_ATTENTION):
            y = F.scaled_dot_product_attention(q.to(torch.bfloat16), k.to(torch.bfloat16), v, is_causal=True, scale=scale)
        return y.transpose(1, 2).flatten(2)

    def split(self, qkv):
        return [part.unflatten(-1, (self.heads, self.head_size)).transpose(1, 2) for part in qkv.chunk(3, -1)]

    def interpolate(self, h, x, stored):
        alpha = (stored * self.to_alpha).abs()
        keep = 1 - alpha
        nu = torch.rsqrt(alpha.square() + keep.square())
        return h * (keep * nu) + x * (alpha * nu)

    def forward(self, h, cos, sin):
        if self.is_angpt:
            q, k, v = self.split(linear(h, self.qkv, self.nu_qkv))
            q, k = F.normalize(rotate(q, cos, sin), dim=-1), F.normalize(rotate(k, cos, sin), dim=-1)
            y = self.attend(q, k, v, math.sqrt(self.head_size))
            h = self.interpolate(h, linear(y, self.out, self.nu_out), self.attention_alpha)
            gate, up = linear(h, self.gate_up, self.nu_gate_up).chunk(2, -1)
            return self.interpolate(h, linear(up * F.silu(gate * self.gate_factor), self.down, self.nu_down), self.mlp_alpha)
        q, k, v = self.split(linear(rms(h, self.input_gain), self.qkv))
        q, k = rotate(rms(q, self.query_gain), cos, sin), rotate(rms(k, self.key_gain), cos, sin)
        h = h + linear(self.attend(q, k, v, self.head_size**-0.5), self.out)
        gate, up = linear(rms(h, self.mlp_gain), self.gate_up).chunk(2, -1)
        return h + linear(up * F.silu(gate), self.down)


class Model(nn.Module):
    def __init__(self, options):
        super().__init__()
        self.is_angpt = options.architecture == "angpt"
        deviation = 1.0 if self.is_angpt else options.width**-0.5
        self.embedding = nn.Parameter(torch.randn(options.vocab, options.width) * deviation)
        self.head = nn.Parameter(torch.randn(options.vocab, options.width) * deviation)
        self.blocks = nn.ModuleList(Block(options) for _ in range(options.layers))
        if self.is_angpt:
            self.logit_scale = nn.Parameter(torch.full((options.vocab,), options.width**-0.5))
            self.to_logit_scale = math.sqrt(options.width)
        else:
            self.gain = nn.Parameter(torch.ones(options.width))
        half = options.width // options.heads // 2
        angles = torch.outer(torch.arange(options.context).float(), 10_000.0 ** (-torch.arange(half).float() / half))
        self.register_buffer("cos", angles.cos())
        self.register_buffer("sin", angles.sin())

    def matrices(self):
        yield from (self.embedding, self.head)
        for block in self.blocks:
            yield from (block.qkv, block.out, block.gate_up, block.down)

    @torch.no_grad()
    def constrain(self, least):
        for matrix in self.matrices():
            matrix.div_(matrix.norm(dim=1, keepdim=True).clamp_min(least))

    def forward(self, tokens, targets):
        h = F.embedding(tokens, self.embedding)
        for block in self.blocks:
            h = block(h, self.cos, self.sin)
        if self.is_angpt:
            logits = linear(h, self.head).float() * (self.logit_scale * self.to_logit_scale)
        else:
            logits = linear(rms(h, self.gain), self.head).float()
        return F.cross_entropy(logits.flatten(0, 1), targets.flatten())


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--architecture", choices=["gpt+", "angpt"], default="gpt+")
    parser.add_argument("--vocab", type=int, default=50304)
    parser.add_argument("--width", type=int, default=1024)
    parser.add_argument("--heads", type=int, default=16)
    parser.add_argument("--layers", type=int, default=24)
    parser.add_argument("--mlp", type=int, help="default: four times the width")
    parser.add_argument("--context", type=int, default=2048)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--steps", type=int, default=50)
    parser.add_argument("--warmup", type=int, default=10)
    parser.add_argument("--no-compile", action="store_true")
    options = parser.parse_args()
    options.mlp = options.mlp or 4 * options.width

    torch.manual_seed(1)
    # fp32 products, of which there should be none, would not use TF32 unnoticed.
    torch.backends.cuda.matmul.allow_tf32 = False
    model = Model(options).cuda()
    is_angpt = options.architecture == "angpt"
    if is_angpt:
        model.constrain(1e-30)      # rows of norm 1 to start with
    decayed = [p for p in model.parameters() if p.dim() > 1]
    others = [p for p in model.parameters() if p.dim() <= 1]
    groups = [{"params": decayed, "weight_decay": 0.0 if is_angpt else 0.1}, {"params": others, "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(groups, lr=1e-3, betas=(0.9, 0.95), eps=1e-8, fused=True)
    loss_of = model if options.no_compile else torch.compile(model)
    constrain = (lambda: model.constrain(1.0)) if options.no_compile else torch.compile(lambda: model.constrain(1.0))

    tokens = torch.randint(options.vocab, (options.batch, options.context), device="cuda")
    targets = torch.randint(options.vocab, (options.batch, options.context), device="cuda")

    def step():
        loss = loss_of(tokens, targets)
        loss.backward()
        if not is_angpt:
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        if is_angpt:
            constrain()
        return loss

    for _ in range(options.warmup):
        step()
    torch.cuda.synchronize()
    torch.cuda.reset_peak_memory_stats()
    times = []
    for _ in range(options.steps):
        begin, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
        begin.record()
        loss = step()
        end.record()
        end.synchronize()
        times.append(begin.elapsed_time(end))
    quartiles = statistics.quantiles(times, n=4) if len(times) > 1 else [times[0]] * 3
    print(json.dumps({
        "architecture": options.architecture,
        "parameters": sum(p.numel() for p in model.parameters()),
        "shape": {name: getattr(options, name) for name in ("vocab", "width", "heads", "layers", "mlp", "context", "batch")},
        "compiled": not options.no_compile,
        "ms_per_step": round(quartiles[1], 3),
        "ms_per_step_quartiles": [round(quartiles[0], 3), round(quartiles[2], 3)],
        "tokens_per_second": round(options.batch * options.context / quartiles[1] * 1000),
        "peak_memory_gib": round(torch.cuda.max_memory_allocated() / 2**30, 2),
        "last_loss": round(loss.item(), 4),
        "device": torch.cuda.get_device_name(),
        "torch": torch.__version__,
    }))


if __name__ == "__main__":
    main()
