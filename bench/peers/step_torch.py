"""PyTorch's time step, float32 and dynamic int8, for bench/peers.ts."""

import warnings

import torch
from lines import FRAMES, answer_lines, random_frames

warnings.filterwarnings("ignore")


def open_run(weights, kind, threads, streams):
    hidden, inputs = weights["hidden"], weights["inputs"]
    cell, head = torch.nn.LSTMCell(inputs, hidden), torch.nn.Linear(hidden, 1)
    with torch.no_grad():
        cell.weight_ih.copy_(torch.from_numpy(weights["W"]))
        cell.weight_hh.copy_(torch.from_numpy(weights["U"]))
        cell.bias_ih.copy_(torch.from_numpy(weights["b"]))
        cell.bias_hh.zero_()
        head.weight.copy_(torch.from_numpy(weights["V"]).reshape(1, hidden))
        head.bias.copy_(torch.from_numpy(weights["d"]))
    if kind == "int8":
        cell = torch.ao.quantization.quantize_dynamic(
            torch.nn.Sequential(cell), {torch.nn.LSTMCell}, dtype=torch.qint8
        )[0]
    frames = torch.from_numpy(random_frames(streams, inputs))
    state, turn = (torch.zeros(streams, hidden), torch.zeros(streams, hidden)), 0

    def call():
        nonlocal state, turn
        torch.set_num_threads(threads)
        with torch.inference_mode():
            turn = (turn + 1) % FRAMES
            state = cell(frames[turn], state)
            return head(state[0])[0, 0].item()

    return call


answer_lines(f"PyTorch {torch.__version__}", open_run)
