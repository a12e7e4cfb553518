#!/usr/bin/env python3
"""Fixtures of sandwich, dyt and derf: small random models and what they must compute, in float64, from the published formulas alone.

Needs NumPy only (Debian: python3-numpy). Writes tests/fixtures/NAME/{config.json, model.safetensors, expected.safetensors}:
tokens, targets, logits, loss, grad.<name> for every parameter and after_step.<name>, the parameters after one AdamW step from fresh
state (rate 0.01, betas 0.9 and 0.95, eps 1e-8, decay 0.1 on matrices). Usage, from the root of the repository:

    python3 tests/reference/architectures.py tests/fixtures
"""
import json
import math
import os
import struct
import sys

import numpy as np


class Value:
    """An array and how the gradient of a scalar flows back to it: reverse-mode differentiation by closures."""

    def __init__(self, data, parents=()):
        self.data, self.parents, self.grad = np.asarray(data, dtype=np.float64), parents, None

    @staticmethod
    def of(x):
        return x if isinstance(x, Value) else Value(x)

    def backward(self):
        order, seen = [], set()

        def visit(node):
            if id(node) not in seen:
                seen.add(id(node))
                for parent, _ in node.parents:
                    visit(parent)
                order.append(node)

        visit(self)
        self.grad = np.ones_like(self.data)
        for node in reversed(order):
            for parent, pull in node.parents:
                g = pull(node.grad)
                # Undo broadcasting.
                while g.ndim > parent.data.ndim:
                    g = g.sum(axis=0)
                for axis, size in enumerate(parent.data.shape):
                    if size == 1 and g.shape[axis] != 1:
                        g = g.sum(axis=axis, keepdims=True)
                parent.grad = g if parent.grad is None else parent.grad + g

    def __add__(self, other):
        other = Value.of(other)
        return Value(self.data + other.data, ((self, lambda g: g), (other, lambda g: g)))

    def __mul__(self, other):
        other = Value.of(other)
        return Value(self.data * other.data, ((self, lambda g: g * other.data), (other, lambda g: g * self.data)))

    __radd__, __rmul__ = __add__, __mul__

    def __neg__(self):
        return self * -1.0

    def __sub__(self, other):
        return self + -Value.of(other)

    def __matmul__(self, other):
        return Value(self.data @ other.data, (
            (self, lambda g: g @ np.swapaxes(other.data, -1, -2)), (other, lambda g: np.swapaxes(self.data, -1, -2) @ g)))

    def map(self, f, derivative):
        return Value(f(self.data), ((self, lambda g: g * derivative(self.data)),))

    def exp(self):
        return self.map(np.exp, np.exp)

    def mean(self):
        n = self.data.shape[-1]
        return Value(self.data.mean(axis=-1, keepdims=True), ((self, lambda g: np.broadcast_to(g / n, self.data.shape)),))

    def sum(self):
        return Value(self.data.sum(axis=-1, keepdims=True), ((self, lambda g: np.broadcast_to(g, self.data.shape)),))

    def reshape(self, *shape):
        return Value(self.data.reshape(shape), ((self, lambda g: g.reshape(self.data.shape)),))

    def transpose(self, *axes):
        return Value(self.data.transpose(axes), ((self, lambda g: g.transpose(np.argsort(axes))),))

    def rows(self, ids):
        def pull(g):
            back = np.zeros_like(self.data)
            np.add.at(back, ids, g)
            return back

        return Value(self.data[ids], ((self, pull),))

    def pick(self, ids):
        index = tuple(np.indices(ids.shape)) + (ids,)

        def pull(g):
            back = np.zeros_like(self.data)
            back[index] = g
            return back

        return Value(self.data[index], ((self, pull),))


def power(x, p):
    return x.map(lambda a: a ** p, lambda a: p * a ** (p - 1))


def linear(x, w):
    return x @ w.transpose(1, 0)


def silu(x):
    s = lambda a: 1 / (1 + np.exp(-a))
    return x.map(lambda a: a * s(a), lambda a: s(a) * (1 + a * (1 - s(a))))


ERF = np.vectorize(math.erf)


class Model:
    def __init__(self, name, seed, d=32, heads=4, f=48, layers=2, vocab=37, length=12):
        self.name, self.d, self.heads, self.f, self.layers, self.vocab, self.length = name, d, heads, f, layers, vocab, length
        self.qk_norm = name == "sandwich"
        self.random = np.random.default_rng(seed)
        self.params = {}
        self.matrix("model.embed_tokens.weight", vocab, d)
        for i in range(layers):
            p = f"model.layers.{i}."
            for part in "qkvo":
                self.matrix(p + f"self_attn.{part}_proj.weight", d, d)
            if self.qk_norm:
                self.vector(p + "self_attn.q_norm.weight", d // heads)
                self.vector(p + "self_attn.k_norm.weight", d // heads)
            self.matrix(p + "mlp.gate_proj.weight", f, d)
            self.matrix(p + "mlp.up_proj.weight", f, d)
            self.matrix(p + "mlp.down_proj.weight", d, f)
            self.norm_parameters(p + "input_layernorm")
            self.norm_parameters(p + "post_attention_layernorm")
            if name == "sandwich":
                self.norm_parameters(p + "pre_feedforward_layernorm")
                self.norm_parameters(p + "post_feedforward_layernorm")
        self.norm_parameters("model.norm")
        if name != "sandwich":
            self.add("model.embed_scale", np.array([5.25]))
        self.matrix("lm_head.weight", vocab, d)

    def add(self, name, values):
        # What the file holds is fp32; everything after it is float64.
        self.params[name] = Value(values.astype(np.float32).astype(np.float64))

    def matrix(self, name, rows, columns):
        self.add(name, self.random.standard_normal((rows, columns)) / math.sqrt(columns) * 1.3)

    def vector(self, name, size, middle=1.0):
        self.add(name, middle + 0.2 * self.random.standard_normal(size))

    def norm_parameters(self, name):
        self.vector(name + ".weight", self.d)
        if self.name != "sandwich":
            self.vector(name + ".bias", self.d, 0)
            self.vector(name + ".alpha", 1, 0.6)
        if self.name == "derf":
            self.vector(name + ".shift", 1, 0.1)

    def rms(self, x, weight):
        return x * power((x * x).mean() + 1e-6, -0.5) * weight

    def norm(self, name, x):
        p = self.params
        if self.name == "sandwich":
            return self.rms(x, p[name + ".weight"])
        z = x * p[name + ".alpha"]
        if self.name == "dyt":
            y = z.map(np.tanh, lambda a: 1 - np.tanh(a) ** 2)
        else:
            y = (z + p[name + ".shift"]).map(ERF, lambda a: 2 / math.sqrt(math.pi) * np.exp(-a * a))
        return y * p[name + ".weight"] + p[name + ".bias"]

    def rotate(self, x):
        half = self.d // self.heads // 2
        angles = np.arange(x.data.shape[2])[:, None] * 10000.0 ** (-np.arange(half) / half)
        cos, sin = np.cos(np.hstack([angles] * 2)), np.sin(np.hstack([angles] * 2))
        swap = np.zeros((2 * half, 2 * half))
        for i in range(half):
            swap[i + half, i], swap[i, i + half] = -1, 1     # rotate-half: (a, b) becomes (−b, a)
        return x * cos + (x @ Value(swap)) * sin

    def attention(self, p, x):
        batch, length, d = x.data.shape
        split = lambda a: a.reshape(batch, length, self.heads, d // self.heads).transpose(0, 2, 1, 3)
        q, k, v = (split(linear(x, self.params[p + f"self_attn.{part}_proj.weight"])) for part in "qkv")
        if self.qk_norm:
            q, k = self.rms(q, self.params[p + "self_attn.q_norm.weight"]), self.rms(k, self.params[p + "self_attn.k_norm.weight"])
        q, k = self.rotate(q), self.rotate(k)
        scores = (q @ k.transpose(0, 1, 3, 2)) * (1 / math.sqrt(d // self.heads))
        scores = scores + np.triu(np.full((length, length), -1e300), 1)
        e = (scores - scores.data.max(axis=-1, keepdims=True)).exp()
        y = (e * power(e.sum(), -1)) @ v
        return linear(y.transpose(0, 2, 1, 3).reshape(batch, length, d), self.params[p + "self_attn.o_proj.weight"])

    def mlp(self, p, x):
        gate, up = (linear(x, self.params[p + f"mlp.{part}_proj.weight"]) for part in ("gate", "up"))
        return linear(up * silu(gate), self.params[p + "mlp.down_proj.weight"])

    def logits(self, tokens):
        h = self.params["model.embed_tokens.weight"].rows(tokens)
        if self.name != "sandwich":
            h = h * self.params["model.embed_scale"]
        for i in range(self.layers):
            p = f"model.layers.{i}."
            a = self.attention(p, self.norm(p + "input_layernorm", h))
            if self.name == "sandwich":
                h = h + self.norm(p + "post_attention_layernorm", a)
                h = h + self.norm(p + "post_feedforward_layernorm", self.mlp(p, self.norm(p + "pre_feedforward_layernorm", h)))
            else:
                h = h + a
                h = h + self.mlp(p, self.norm(p + "post_attention_layernorm", h))
        return linear(self.norm("model.norm", h), self.params["lm_head.weight"])

    def loss(self, tokens, targets):
        z = self.logits(tokens)
        largest = z.data.max(axis=-1, keepdims=True)
        log_sum = (z - largest).exp().sum().map(np.log, lambda a: 1 / a) + largest
        count = targets.size
        return z, (log_sum.reshape(1, count) - z.pick(targets).reshape(1, count)).mean().reshape()

    def config(self):
        config = {
            "model_type": self.name, "vocab_size": self.vocab, "hidden_size": self.d, "num_attention_heads": self.heads,
            "intermediate_size": self.f, "num_hidden_layers": self.layers, "max_position_embeddings": self.length,
            "rope_theta": 10000.0, "qk_norm": self.qk_norm, "rms_norm_eps": 1e-6}
        return config if self.name == "sandwich" else config | {"alpha_init": 0.5, "alpha_scale": 0.5}


def save(path, tensors):
    names, header, blobs, offset = {"F32": np.float32, "F64": np.float64, "I64": np.int64}, {}, [], 0
    for name, (kind, values) in tensors.items():
        blob = np.ascontiguousarray(values, dtype=names[kind]).tobytes()
        header[name] = {"dtype": kind, "shape": list(np.shape(values)), "data_offsets": [offset, offset + len(blob)]}
        blobs.append(blob)
        offset += len(blob)
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + b"".join(blobs))


def adamw(w, g, rate=0.01, decay=0.1, eps=1e-8):
    # First step from fresh state: both moments' bias corrections cancel their weights.
    return w - rate * (decay * w if w.ndim == 2 else 0) - rate * g / (np.abs(g) + eps)


def main(root):
    for seed, name in enumerate(("sandwich", "dyt", "derf"), start=11):
        model = Model(name, seed)
        random = np.random.default_rng(100 + seed)
        ids = random.integers(0, model.vocab, (2, model.length + 1))
        tokens, targets = ids[:, :-1], ids[:, 1:]
        logits, loss = model.loss(tokens, targets)
        loss.backward()
        folder = os.path.join(root, name)
        os.makedirs(folder, exist_ok=True)
        with open(os.path.join(folder, "config.json"), "w") as file:
            json.dump(model.config(), file, indent=1)
        save(os.path.join(folder, "model.safetensors"), {n: ("F32", p.data) for n, p in model.params.items()})
        expected = {"tokens": ("I64", tokens), "targets": ("I64", targets), "logits": ("F32", logits.data), "loss": ("F64", loss.data)}
        expected |= {"grad." + n: ("F32", p.grad) for n, p in model.params.items()}
        expected |= {"after_step." + n: ("F32", adamw(p.data, p.grad)) for n, p in model.params.items()}
        save(os.path.join(folder, "expected.safetensors"), expected)
        # A check of the differentiation itself.
        parameter = model.params["model.layers.0.input_layernorm.weight"]
        step = 1e-6 * np.eye(model.d)[3]
        base, slopes = parameter.data.copy(), []
        for sign in (1, -1):
            parameter.data = base + sign * step
            slopes.append(model.loss(tokens, targets)[1].data)
        parameter.data = base
        error = (slopes[0] - slopes[1]) / 2e-6 - parameter.grad[3]
        print(f"{name}: loss {loss.data:.6f}, difference quotient off by {error:.1e}")


if __name__ == "__main__":
    main(sys.argv[1])
