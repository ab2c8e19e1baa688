"""PyTorch's training step, for bench/train.ts. Reads a line {hidden, threads, updates}, answers {"ms": [a time each]}."""

import json
import sys
import time

import torch

T, B, I = 96, 64, 8
nets = {}


def net_of(hidden):
    torch.manual_seed(1)
    lstm, head = torch.nn.LSTM(I, hidden), torch.nn.Linear(hidden, 1)
    optimizer = torch.optim.Adam([*lstm.parameters(), *head.parameters()], lr=0.001)
    x, truth = torch.randn(T, B, I), torch.randn(T, B, 1)

    def update():
        optimizer.zero_grad(set_to_none=True)
        loss = torch.nn.functional.mse_loss(head(lstm(x)[0]), truth)
        loss.backward()
        optimizer.step()

    return update


print(json.dumps({"name": f"PyTorch {torch.__version__}"}), flush=True)
for line in sys.stdin:
    ask = json.loads(line)
    torch.set_num_threads(ask["threads"])
    update = nets.setdefault(ask["hidden"], None) or net_of(ask["hidden"])
    nets[ask["hidden"]] = update
    times = []
    for _ in range(ask["updates"]):
        start = time.perf_counter()
        update()
        times.append(1000 * (time.perf_counter() - start))
    print(json.dumps({"ms": times}), flush=True)
