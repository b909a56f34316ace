# SPDX-License-Identifier: GPL-3.0-or-later
"""One measurement of PyTorch's training step of the reference convnet on a GPU: b1_gpu.py MODE --data DIR, started by `sconce bench b1gpu`.

Modes, all with the pictures as bytes on the GPU, gathered and scaled there, and fused Adam:
    loader    as tutorials write it: a DataLoader on the host, pageable copies, Adam as it comes
    eager     operator by operator
    graph     the whole step as one torch.cuda.CUDAGraph, made by hand
    compile   torch.compile, mode reduce-overhead, of forward and loss (needs triton)
    jax       JAX, as many steps compiled as a whole (an environment of its own: setup.sh jax cuda13)

Metrics are read every 64 steps on both sides.
"""
import time

from common import load, main, report

MODES = ["loader", "eager", "graph", "compile", "jax"]
EVERY = 64


def peer(mode, folder, threads, warm, steps, batch_size):
    if mode == "jax":
        import jax_step

        return jax_step.peer("cuda", folder, threads, warm, steps, batch_size)
    import torch
    from torch import nn

    torch.set_num_threads(threads)
    torch.manual_seed(1)
    torch.backends.cudnn.benchmark = True
    torch.backends.cuda.matmul.allow_tf32 = False
    torch.backends.cudnn.allow_tf32 = False  # Sconce's float32 is float32
    device = torch.device("cuda")
    images, labels = load(folder)
    net = nn.Sequential(nn.Conv2d(1, 32, 3), nn.MaxPool2d(2), nn.ReLU(), nn.Conv2d(32, 64, 3), nn.MaxPool2d(2), nn.ReLU(),
                        nn.Flatten(), nn.Dropout(0.5), nn.Linear(1600, 10)).to(device)
    criterion = nn.CrossEntropyLoss()
    net.train()
    if mode == "loader":
        optimiser = torch.optim.Adam(net.parameters(), 0.001, eps=1e-7)
    else:
        optimiser = torch.optim.Adam(net.parameters(), 0.001, eps=1e-7, fused=True, capturable=True)
    told = torch.zeros(2, device=device)

    def forward(inputs, targets):
        output = net(inputs)
        loss = criterion(output, targets)
        return loss, (output.argmax(1) == targets).sum()

    if mode == "compile":
        forward = torch.compile(forward, mode="reduce-overhead")

    def step(inputs, targets):
        optimiser.zero_grad(set_to_none=True)
        loss, correct = forward(inputs, targets)
        loss.backward()
        optimiser.step()
        told[0].copy_(loss.detach())
        told[1].copy_(correct)

    if mode == "loader":
        data = torch.utils.data.TensorDataset(torch.from_numpy(images.astype("float32") / 255), torch.from_numpy(labels.astype("int64")))
        source = iter(())

        def one():
            nonlocal source
            batch = next(source, None)
            if batch is None:
                source = iter(torch.utils.data.DataLoader(data, batch_size, shuffle=True, drop_last=True))
                batch = next(source)
            step(batch[0].to(device), batch[1].to(device))
    else:
        x = torch.from_numpy(images.copy()).to(device)
        y = torch.from_numpy(labels.astype("int64")).to(device)
        rows = torch.zeros(batch_size, dtype=torch.int64, device=device)
        order, at = torch.randperm(len(x), device=device), 0

        def whole():
            step(x.index_select(0, rows).float().mul_(1 / 255), y.index_select(0, rows))

        run = whole
        if mode == "graph":
            aside = torch.cuda.Stream()
            aside.wait_stream(torch.cuda.current_stream())
            with torch.cuda.stream(aside):
                for _ in range(10):
                    whole()
            torch.cuda.current_stream().wait_stream(aside)
            graph = torch.cuda.CUDAGraph()
            optimiser.zero_grad(set_to_none=True)
            with torch.cuda.graph(graph):
                whole()
            run = graph.replay

        def one():
            nonlocal order, at
            if at + batch_size > len(x):
                order, at = torch.randperm(len(x), device=device), 0
            rows.copy_(order[at : at + batch_size])
            at += batch_size
            run()

    times = []
    for first in range(0, warm + steps, EVERY):
        start = time.perf_counter()
        for _ in range(EVERY):
            one()
        value = told.tolist()[0]  # waits for the GPU
        if first >= warm:
            times.append((time.perf_counter() - start) / EVERY)
    report(mode, times, loss=value, version=torch.__version__, device=torch.cuda.get_device_name())



if __name__ == "__main__":
    main(lambda o: peer(o.mode, o.data, o.threads, o.warm, o.steps, o.batch), MODES, warm=400, steps=4000, batch=128)
