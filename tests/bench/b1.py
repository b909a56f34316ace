# SPDX-License-Identifier: GPL-3.0-or-later
"""B1, the peer: the reference convnet's training step in PyTorch (or Keras, or JAX). `b1.py MODE --data DIR` makes one measurement and prints a
JSON line; `sconce bench b1 --peer PYTHON` runs it in turns with its own.

Modes:
    loader    as tutorials write it: eager, N×C×H×W, float32, Adam, DataLoader over a TensorDataset
    resident  the same without a DataLoader: the batch is indexed out of one tensor
    tuned     the best documented setting on a CPU: large blocks kept by malloc, channels-last, pool before ReLU, fused Adam
    bf16      the same under autocast to bfloat16
    keras     Keras 3.15 on TensorFlow 2.21, fit() as its users run it (an environment of its own: setup.sh keras)
    jax       JAX, the step compiled as a whole (another: setup.sh jax)
"""
import os
import time

from common import keep_large_blocks, load, main, report

MODES = ["loader", "resident", "tuned", "bf16", "keras", "jax"]


def keras_peer(folder, threads, warm, steps, batch):
    os.environ.update(KERAS_BACKEND="tensorflow", TF_CPP_MIN_LOG_LEVEL="3")
    import keras
    import tensorflow

    tensorflow.config.threading.set_intra_op_parallelism_threads(threads)
    keras.utils.set_random_seed(1)
    images, labels = load(folder)
    x = (images.astype("float32") / 255).reshape(-1, 28, 28, 1)
    y = keras.utils.to_categorical(labels, 10)
    layers = keras.layers
    net = keras.Sequential([
        keras.Input((28, 28, 1)),
        layers.Conv2D(32, 3, activation="relu"), layers.MaxPooling2D(2), layers.Conv2D(64, 3, activation="relu"), layers.MaxPooling2D(2),
        layers.Flatten(), layers.Dropout(0.5), layers.Dense(10, activation="softmax")])
    net.compile(loss="categorical_crossentropy", optimizer="adam", metrics=["accuracy"])

    class Clock(keras.callbacks.Callback):
        ends = []

        def on_train_batch_end(self, batch, logs=None):
            self.ends.append(time.perf_counter())
            if len(self.ends) > warm + steps:
                self.model.stop_training = True

    # Whole epochs, so that nothing but its own work is in a step; the gap between epochs is left out.
    clock = Clock()
    while len(clock.ends) <= warm + steps:
        clock.ends.clear()
        history = net.fit(x, y, batch_size=batch, epochs=1, verbose=0, callbacks=[clock])
    times = [b - a for a, b in zip(clock.ends[warm:], clock.ends[warm + 1 : warm + steps + 1])]
    report("keras", times, loss=history.history["loss"][-1], version=keras.__version__, threads=threads)


def peer(mode, folder, threads, warm, steps, batch):
    if mode == "keras":
        return keras_peer(folder, threads, warm, steps, batch)
    if mode == "jax":
        import jax_step

        return jax_step.peer("cpu", folder, threads, warm, steps, batch)
    tuned = mode in ("tuned", "bf16")
    if tuned:
        keep_large_blocks()
    import torch
    from torch import nn

    torch.set_num_threads(threads)
    torch.manual_seed(1)
    images, labels = load(folder)
    x = torch.from_numpy(images.astype("float32") / 255)
    y = torch.from_numpy(labels.astype("int64"))
    if tuned:
        block = [nn.Conv2d(1, 32, 3), nn.MaxPool2d(2), nn.ReLU(), nn.Conv2d(32, 64, 3), nn.MaxPool2d(2), nn.ReLU()]
    else:
        block = [nn.Conv2d(1, 32, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(32, 64, 3), nn.ReLU(), nn.MaxPool2d(2)]
    net = nn.Sequential(*block, nn.Flatten(), nn.Dropout(0.5), nn.Linear(1600, 10))
    if tuned:
        net = net.to(memory_format=torch.channels_last)
        # contiguous(channels_last) leaves one-channel tensors in the slow strides: set them
        x = torch.as_strided(x, x.shape, (784, 1, 28, 1))
        with torch.no_grad():
            net[0].weight.set_(torch.as_strided(net[0].weight.detach().clone(), (32, 1, 3, 3), (9, 1, 3, 1)))
    optimiser = torch.optim.Adam(net.parameters(), 0.001, eps=1e-7, fused=True if tuned else None)
    criterion = nn.CrossEntropyLoss()
    net.train()

    def batches():
        if mode == "loader":
            data = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(x, y), batch, shuffle=True, drop_last=True)
            while True:
                yield from data
        while True:
            order = torch.randperm(len(x))
            for i in range(0, len(x) - batch + 1, batch):
                rows = order[i : i + batch]
                if tuned:
                    pictures = torch.empty_strided((batch, 1, 28, 28), (784, 1, 28, 1))
                    pictures.copy_(x[rows])
                    yield pictures, y[rows]
                else:
                    yield x[rows], y[rows]

    source = batches()
    times = []
    correct = 0
    for step in range(warm + steps):
        start = time.perf_counter()
        inputs, targets = next(source)
        optimiser.zero_grad()
        with torch.autocast("cpu", torch.bfloat16, enabled=mode == "bf16"):
            output = net(inputs)
            loss = criterion(output, targets)
        loss.backward()
        optimiser.step()
        value = loss.item()  # the history holds every step's loss and accuracy, ours too
        correct += (output.argmax(1) == targets).sum().item()
        if step >= warm:
            times.append(time.perf_counter() - start)
    report(mode, times, loss=value, version=torch.__version__, threads=torch.get_num_threads())


if __name__ == "__main__":
    main(lambda o: peer(o.mode, o.data, o.threads, o.warm, o.steps, o.batch), MODES, warm=40, steps=200, batch=128)
