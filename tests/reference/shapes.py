#!/usr/bin/env python3
"""Fixtures of other shapes of attention and of tied embeddings: gpt+, ngpt and angpt in float64, from formulas alone.

The same files as architectures.py writes, whose differentiation it uses. What grouped queries mean is arXiv 2305.13245,
section 2.2: of H heads, H/K that follow each other share one of K heads of keys and values. Usage, from the root of the
repository:

    python3 tests/reference/shapes.py tests/fixtures
"""
import json
import math
import os
import sys

import numpy as np

from architectures import Value, linear, power, save, silu

RATE = 0.01


def unit(x):
    return x * power((x * x).sum(), -0.5)


def magnitude(x):
    return x.map(np.abs, np.sign)


def mean_square_of_silu(sigma):
    n = np.linspace(-12, 12, 40001)
    z = sigma * n
    return float(np.sum((z / (1 + np.exp(-z))) ** 2 * np.exp(-n * n / 2)) * (n[1] - n[0]) / math.sqrt(2 * math.pi))


class Model:
    def __init__(self, architecture, seed, d=16, heads=4, key_value_heads=None, head_size=None, f=24, layers=2,
                 vocab=23, length=9, tied=False, causal=True, window=None):
        self.architecture, self.d, self.heads, self.f, self.layers = architecture, d, heads, f, layers
        self.vocab, self.length, self.tied, self.causal, self.window = vocab, length, tied, causal, window
        self.key_value_heads, self.head_size = key_value_heads or heads, head_size or d // heads
        self.given = {"num_key_value_heads": key_value_heads, "head_dim": head_size, "sliding_window": window}
        self.random, self.params = np.random.default_rng(seed), {}
        queries, keys = heads * self.head_size, self.key_value_heads * self.head_size
        self.matrix("model.embed_tokens.weight", vocab, d)
        for i in range(layers):
            p = f"model.layers.{i}."
            self.matrix(p + "self_attn.q_proj.weight", queries, d)
            self.matrix(p + "self_attn.k_proj.weight", keys, d)
            self.matrix(p + "self_attn.v_proj.weight", keys, d)
            self.matrix(p + "self_attn.o_proj.weight", d, queries)
            self.matrix(p + "mlp.gate_proj.weight", f, d)
            self.matrix(p + "mlp.up_proj.weight", f, d)
            self.matrix(p + "mlp.down_proj.weight", d, f)
            if architecture == "gpt+":
                for name, size in (("self_attn.q_norm", self.head_size), ("self_attn.k_norm", self.head_size),
                                   ("input_layernorm", d), ("post_attention_layernorm", d)):
                    self.vector(p + name + ".weight", size, 1)
            else:
                self.vector(p + "attn_alpha", d, 0.7)
                self.vector(p + "mlp_alpha", d, 0.7)
            if architecture == "ngpt":
                self.vector(p + "self_attn.qk_scale", keys, 0.5)
                self.vector(p + "mlp.up_scale", f, 2)
                self.vector(p + "mlp.gate_scale", f, 2)
        if architecture == "gpt+":
            self.vector("model.norm.weight", d, 1)
        else:
            self.vector("logit_scale", vocab, 1)
        if not tied:
            self.matrix("lm_head.weight", vocab, d)

    def add(self, name, values):
        # What the file holds is fp32; everything after it is float64.
        self.params[name] = Value(values.astype(np.float32).astype(np.float64))

    def matrix(self, name, rows, columns):
        self.add(name, self.random.standard_normal((rows, columns)) / math.sqrt(columns))

    def vector(self, name, size, middle):
        self.add(name, middle * (1 + 0.3 * self.random.standard_normal(size)))

    def config(self):
        config = {
            "model_type": self.architecture, "vocab_size": self.vocab, "hidden_size": self.d,
            "num_attention_heads": self.heads, "intermediate_size": self.f, "num_hidden_layers": self.layers,
            "max_position_embeddings": self.length, "rope_theta": 10000.0, "qk_norm": True}
        config |= {key: value for key, value in self.given.items() if value is not None}
        if self.tied:
            config["tie_word_embeddings"] = True
        if not self.causal:
            config["is_causal"] = False
        if self.architecture == "gpt+":
            return config | {"rms_norm_eps": 1e-6}
        config |= {"alpha_init": 0.3, "alpha_scale": 0.7, "logit_scale_init": 3.0, "logit_scale_scale": 1.0}
        if self.architecture == "ngpt":
            config |= {"qk_scale_init": 1.3, "qk_scale_scale": 0.5, "mlp_scale_init": 0.8, "mlp_scale_scale": 2.0}
        return config | {"constraint": "exact" if self.architecture == "ngpt" else "bounded"}

    # Learned scales are stored as s · s_scale / s_init.
    def alpha(self, name):
        return magnitude(self.params[name] * (0.3 / 0.7))

    def rms(self, x, name):
        return x * power((x * x).mean() + 1e-6, -0.5) * self.params[name + ".weight"]

    def rotate(self, x):
        half = self.head_size // 2
        angles = np.arange(x.data.shape[2])[:, None] * 10000.0 ** (-np.arange(half) / half)
        cos, sin = np.cos(np.hstack([angles] * 2)), np.sin(np.hstack([angles] * 2))
        swap = np.zeros((2 * half, 2 * half))
        for i in range(half):
            swap[i + half, i], swap[i, i + half] = -1, 1     # rotate-half: (a, b) becomes (−b, a)
        return x * cos + (x @ Value(swap)) * sin

    def queries_keys(self, p, q, k):
        if self.architecture == "gpt+":
            return self.rotate(self.rms(q, p + "self_attn.q_norm")), self.rotate(self.rms(k, p + "self_attn.k_norm"))
        q, k = unit(self.rotate(q)), unit(self.rotate(k))
        if self.architecture == "angpt":
            return q, k
        # A query has the scale of the keys that it meets, so that both have the same.
        scale = (self.params[p + "self_attn.qk_scale"] * (1.3 / 0.5)).reshape(self.key_value_heads, 1, self.head_size)
        return q * scale.rows(self.shared()), k * scale

    def shared(self):
        return np.arange(self.heads) // (self.heads // self.key_value_heads)

    def attention(self, p, x, nu=1.0):
        batch, length, _ = x.data.shape
        split = lambda a: a.reshape(batch, length, -1, self.head_size).transpose(0, 2, 1, 3)
        q, k, v = (split(linear(x, self.params[p + f"self_attn.{part}_proj.weight"]) * nu) for part in "qkv")
        q, k = self.queries_keys(p, q, k)
        k, v = (a.transpose(1, 0, 2, 3).rows(self.shared()).transpose(1, 0, 2, 3) for a in (k, v))
        root = math.sqrt(self.head_size)
        scores = (q @ k.transpose(0, 1, 3, 2)) * (1 / root if self.architecture == "gpt+" else root)
        if self.causal:
            scores = scores + np.triu(np.full((length, length), -1e300), 1)
        if self.window:
            scores = scores + np.tril(np.full((length, length), -1e300), -self.window)
        e = (scores - scores.data.max(axis=-1, keepdims=True)).exp()
        y = (e * power(e.sum(), -1)) @ v
        y = y.transpose(0, 2, 1, 3).reshape(batch, length, self.heads * self.head_size)
        return linear(y, self.params[p + "self_attn.o_proj.weight"])

    def gate_up(self, p, x):
        return (linear(x, self.params[p + f"mlp.{part}_proj.weight"]) for part in ("gate", "up"))

    def down(self, p, m):
        return linear(m, self.params[p + "mlp.down_proj.weight"])

    def gpt_plus_block(self, p, h):
        h = h + self.attention(p, self.rms(h, p + "input_layernorm"))
        gate, up = self.gate_up(p, self.rms(h, p + "post_attention_layernorm"))
        return h + self.down(p, up * silu(gate))

    def ngpt_block(self, p, h):
        h = unit(h + self.alpha(p + "attn_alpha") * (unit(self.attention(p, h)) - h))
        gate, up = self.gate_up(p, h)
        gate = gate * (self.params[p + "mlp.gate_scale"] * (0.8 / 2.0)) * math.sqrt(self.d)
        up = up * (self.params[p + "mlp.up_scale"] * (0.8 / 2.0))
        return unit(h + self.alpha(p + "mlp_alpha") * (unit(self.down(p, up * silu(gate))) - h))

    def angpt_block(self, p, h):
        d, f, dh = self.d, self.f, self.head_size

        def update(h, alpha, x):
            nu = power(alpha * alpha + (alpha * -1.0 + 1.0) * (alpha * -1.0 + 1.0), -0.5)
            return nu * (h + alpha * (x - h))

        # d_h rows of W_q make a query; H d_h columns of W_o meet H unit heads: E|W_o y|² = d/(H d_h) · H.
        a = self.attention(p, h, math.sqrt(d / dh)) * math.sqrt(self.heads * dh / d / self.heads)
        h = update(h, self.alpha(p + "attn_alpha"), a)
        gate, up = (x * math.sqrt(d / f) for x in self.gate_up(p, h))
        m = up * silu(gate * math.sqrt(d)) * (1 / math.sqrt(mean_square_of_silu(math.sqrt(d / f))))
        return update(h, self.alpha(p + "mlp_alpha"), self.down(p, m) * math.sqrt(f / d))

    def logits(self, tokens):
        h = self.params["model.embed_tokens.weight"].rows(tokens)
        block = {"gpt+": self.gpt_plus_block, "ngpt": self.ngpt_block, "angpt": self.angpt_block}[self.architecture]
        for i in range(self.layers):
            h = block(f"model.layers.{i}.", h)
        head = self.params["model.embed_tokens.weight" if self.tied else "lm_head.weight"]
        if self.architecture == "gpt+":
            return linear(self.rms(h, "model.norm"), head)
        return linear(h, head) * (self.params["logit_scale"] * 3.0)

    def loss(self, tokens, targets):
        z = self.logits(tokens)
        largest = z.data.max(axis=-1, keepdims=True)
        log_sum = (z - largest).exp().sum().map(np.log, lambda a: 1 / a) + largest
        count = targets.size
        return z, (log_sum.reshape(1, count) - z.pick(targets).reshape(1, count)).mean().reshape()

    def step(self, name, w, g):
        """Adam's first step, decay of gpt+'s matrices, and what follows a step in the other two."""
        w = w - RATE * (0.1 * w if self.architecture == "gpt+" and w.ndim == 2 else 0) - RATE * g / (np.abs(g) + 1e-8)
        if self.architecture == "gpt+" or w.ndim == 1:
            return w
        columns = self.architecture == "ngpt" and name.endswith(("o_proj.weight", "down_proj.weight"))
        norms = np.sqrt((w * w).sum(axis=0 if columns else 1, keepdims=True))
        return w / (norms if self.architecture == "ngpt" else np.maximum(1, norms))


SHAPES = {
    "angpt-grouped": dict(architecture="angpt", heads=4, key_value_heads=2, head_size=6),
    "gpt-plus-grouped": dict(architecture="gpt+", heads=4, key_value_heads=1),
    "ngpt-grouped": dict(architecture="ngpt", d=24, heads=6, key_value_heads=3),
    "angpt-tied": dict(architecture="angpt", heads=2, tied=True),
    "gpt-plus-bidirectional": dict(architecture="gpt+", heads=4, key_value_heads=2, head_size=6, causal=False),
    "angpt-window": dict(architecture="angpt", heads=4, key_value_heads=2, window=4),
}


def main(root):
    for seed, (name, shape) in enumerate(SHAPES.items(), start=21):
        model = Model(seed=seed, **shape)
        ids = np.random.default_rng(100 + seed).integers(0, model.vocab, (2, model.length + 1))
        tokens, targets = ids[:, :-1], ids[:, 1:]
        logits, loss = model.loss(tokens, targets)
        loss.backward()
        folder = os.path.join(root, name)
        os.makedirs(folder, exist_ok=True)
        with open(os.path.join(folder, "config.json"), "w") as file:
            json.dump(model.config(), file, indent=1)
        save(os.path.join(folder, "model.safetensors"), {n: ("F32", p.data) for n, p in model.params.items()})
        expected = {"tokens": ("I64", tokens), "targets": ("I64", targets)}
        expected |= {"logits": ("F32", logits.data), "loss": ("F64", loss.data)}
        expected |= {"grad." + n: ("F32", p.grad) for n, p in model.params.items()}
        expected |= {"after_step." + n: ("F32", model.step(n, p.data, p.grad)) for n, p in model.params.items()}
        save(os.path.join(folder, "expected.safetensors"), expected)
        # A check of the differentiation itself, through keys, values and, where it is tied, the head.
        for name_of in ("model.layers.0.self_attn.k_proj.weight", "model.embed_tokens.weight"):
            parameter = model.params[name_of]
            base, slopes = parameter.data, []
            step = 1e-6 * np.random.default_rng(7).standard_normal(parameter.data.shape)
            for sign in (1, -1):
                parameter.data = base + sign * step
                slopes.append(model.loss(tokens, targets)[1].data)
            parameter.data = base
            error = (slopes[0] - slopes[1]) / 2e-6 - (step * 1e6 * parameter.grad).sum()
            print(f"{name}: loss {loss.data:.6f}, difference quotient off by {error:.1e}")


if __name__ == "__main__":
    main(sys.argv[1])
