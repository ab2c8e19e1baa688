"""What the Python peers of bench/peers.ts share: a line of JSON answered by a line of JSON."""

import base64
import json
import sys
import time

import numpy

FRAMES = 64


def read_weights(question):
    """W [4H, I], U [4H, H], b [4H] with the gates i, f, g, o; V [H]; d [1]"""
    hidden, inputs = question["hidden"], question["inputs"]

    def floats(name, *shape):
        return numpy.frombuffer(base64.b64decode(question[name]), numpy.float32).reshape(shape).copy()

    return {
        "hidden": hidden,
        "inputs": inputs,
        "W": floats("W", 4 * hidden, inputs),
        "U": floats("U", 4 * hidden, hidden),
        "b": floats("b", 4 * hidden),
        "V": floats("V", hidden),
        "d": floats("d", 1),
    }


def random_frames(streams, inputs):
    return numpy.random.default_rng(1).uniform(-1, 1, (FRAMES, streams, inputs)).astype(numpy.float32)


def answer_lines(name, open_run):
    """open_run(weights, kind, threads, streams) gives a function that makes one call and returns an output."""
    weights, runs = None, {}
    print(json.dumps({"name": name}), flush=True)
    for line in sys.stdin:
        question = json.loads(line)
        if question["ask"] == "load":
            weights, runs = read_weights(question), {}
            print("{}", flush=True)
            continue
        way = (question["kind"], question["threads"], question["streams"])
        call = runs[way] = runs.get(way) or open_run(weights, *way)
        total, start = 0.0, time.perf_counter()
        for _ in range(question["calls"]):
            total += call()
        us = 1e6 * (time.perf_counter() - start) / question["calls"]
        print(json.dumps({"us": us, "sum": total}), flush=True)
