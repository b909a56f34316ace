# SPDX-License-Identifier: GPL-3.0-or-later
"""The reference convnet's training step in JAX, for b1.py and b1_gpu.py: compiled as a whole, with the pictures resident as bytes; on a GPU
64 steps a call by lax.scan. On a CPU XLA's convolutions inside of a loop are many times slower, so there it is a
step a call. An environment of its own: setup.sh jax (on a GPU: setup.sh jax cuda13).
"""
import os
import time

from common import load, report


def peer(platform, folder, threads, warm, steps, batch):
    os.environ["JAX_PLATFORMS"] = platform
    every = 1 if platform == "cpu" else 64  # steps a call; the losses of a call are read at its end
    if platform == "cpu":
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:threads])  # how XLA is told the number of threads
    import jax
    import jax.numpy as jnp
    import numpy
    from jax import lax

    images, labels = load(folder)
    data = jax.device_put(numpy.ascontiguousarray(images.reshape(-1, 28, 28, 1))), jax.device_put(labels.astype("int32"))
    glorot = jax.nn.initializers.glorot_uniform()
    conv_glorot = jax.nn.initializers.glorot_uniform(in_axis=2, out_axis=3)
    keys = jax.random.split(jax.random.key(1), 4)
    weights = {"c1": conv_glorot(keys[0], (3, 3, 1, 32)), "b1": jnp.zeros(32), "c2": conv_glorot(keys[1], (3, 3, 32, 64)), "b2": jnp.zeros(64),
               "d": glorot(keys[2], (1600, 10)), "bd": jnp.zeros(10)}

    def block(x, w, b):
        x = lax.conv_general_dilated(x, w, (1, 1), "VALID", dimension_numbers=("NHWC", "HWIO", "NHWC")) + b
        return jax.nn.relu(lax.reduce_window(x, -jnp.inf, lax.max, (1, 2, 2, 1), (1, 2, 2, 1), "VALID"))

    def loss_of(w, x, y, key):
        x = block(block(x, w["c1"], w["b1"]), w["c2"], w["b2"]).reshape(batch, 1600)
        x = jnp.where(jax.random.bernoulli(key, 0.5, x.shape), x * 2, 0)
        logits = x @ w["d"] + w["bd"]
        loss = -jnp.take_along_axis(jax.nn.log_softmax(logits), y[:, None], 1).mean()
        return loss, (logits.argmax(1) == y).sum()

    def adam(w, m, v, g, t):
        m = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, m, g)
        v = jax.tree.map(lambda v, g: 0.999 * v + 0.001 * g * g, v, g)
        w = jax.tree.map(lambda w, m, v: w - 0.001 * (m / (1 - 0.9**t)) / (jnp.sqrt(v / (1 - 0.999**t)) + 1e-7), w, m, v)
        return w, m, v

    def one(state, rows):
        w, m, v, t = state
        t = t + 1
        x = data[0][rows].astype(jnp.float32) / 255
        (loss, correct), g = jax.value_and_grad(loss_of, has_aux=True)(w, x, data[1][rows], jax.random.fold_in(keys[3], t))
        return (*adam(w, m, v, g, t), t), (loss, correct)

    many = jax.jit(lambda state, rows: one(state, rows[0]) if every == 1 else lax.scan(one, state, rows), donate_argnums=0)
    nothing = jax.tree.map(jnp.zeros_like, weights)
    state = weights, nothing, jax.tree.map(jnp.copy, nothing), jnp.zeros((), jnp.int32)
    random = numpy.random.default_rng(1)
    order, at = random.permutation(len(labels)), 0
    times = []
    for first in range(0, warm + steps, every):
        start = time.perf_counter()
        if at + every * batch > len(order):
            order, at = random.permutation(len(labels)), 0
        state, (losses, correct) = many(state, order[at : at + every * batch].reshape(every, batch))
        at += every * batch
        value = float(numpy.asarray(losses).reshape(-1)[-1])
        numpy.asarray(correct)
        if first >= warm:
            times.append((time.perf_counter() - start) / every)
    report("jax", times, loss=value, version=jax.__version__, device=str(jax.devices()[0]), threads=threads)
