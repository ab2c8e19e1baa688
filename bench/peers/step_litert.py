"""LiteRT's time step, for bench/peers.ts: its fused LSTM, which keeps the state itself, and a linear head; float32, and
with the int8 weights of dynamic quantization (a scale a gate's matrix, as the converter writes them)."""

from importlib.metadata import version

import flatbuffers
import numpy
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter
from lines import FRAMES, answer_lines, random_frames

BUILTIN = schema.BuiltinOperator


class Graph:
    """The tensors and operators of a model in the making."""

    def __init__(self):
        self.buffers, self.tensors, self.codes, self.operators = [schema.BufferT()], [], [], []

    def tensor(self, name, shape, values=None, scale=None, variable=False):
        tensor = schema.TensorT()
        tensor.name, tensor.shape, tensor.isVariable, tensor.hasRank = name, list(shape), variable, True
        tensor.type = schema.TensorType.FLOAT32 if scale is None else schema.TensorType.INT8
        if scale is not None:
            tensor.quantization = schema.QuantizationParametersT()
            tensor.quantization.scale, tensor.quantization.zeroPoint = [scale], [0]
        tensor.buffer = 0
        if values is not None:
            buffer = schema.BufferT()
            buffer.data = numpy.frombuffer(values.tobytes(), numpy.uint8)
            self.buffers.append(buffer)
            tensor.buffer = len(self.buffers) - 1
        self.tensors.append(tensor)
        return len(self.tensors) - 1

    def weights(self, name, matrix, kind):
        if kind == "float32":
            return self.tensor(name, matrix.shape, numpy.ascontiguousarray(matrix))
        scale = float(numpy.abs(matrix).max() / 127)
        return self.tensor(name, matrix.shape, numpy.rint(matrix / scale).astype(numpy.int8), scale)

    def operator(self, builtin, inputs, outputs, options_type, options):
        code = schema.OperatorCodeT()
        code.builtinCode, code.deprecatedBuiltinCode, code.version = builtin, min(builtin, 127), 3
        self.codes.append(code)
        operator = schema.OperatorT()
        operator.opcodeIndex = len(self.codes) - 1
        operator.inputs, operator.outputs = inputs, outputs
        operator.builtinOptionsType, operator.builtinOptions = options_type, options
        self.operators.append(operator)

    def pack(self, inputs, outputs):
        graph, model = schema.SubGraphT(), schema.ModelT()
        graph.tensors, graph.operators = self.tensors, self.operators
        graph.inputs, graph.outputs = inputs, outputs
        model.version, model.subgraphs = 3, [graph]
        model.operatorCodes, model.buffers = self.codes, self.buffers
        builder = flatbuffers.Builder(1 << 20)
        builder.Finish(model.Pack(builder), b"TFL3")
        return bytes(builder.Output())


def write_model(weights, kind, streams):
    hidden, inputs = weights["hidden"], weights["inputs"]
    graph = Graph()
    rows = {gate: slice(i * hidden, (i + 1) * hidden) for i, gate in enumerate("ifgo")}
    x = graph.tensor("x", (1, streams, inputs))
    operands = [x]
    operands += [graph.weights(f"W_{gate}", weights["W"][rows[gate]], kind) for gate in "ifgo"]
    operands += [graph.weights(f"U_{gate}", weights["U"][rows[gate]], kind) for gate in "ifgo"]
    operands += [-1] * 3
    operands += [graph.tensor(f"b_{gate}", (hidden,), weights["b"][rows[gate]]) for gate in "ifgo"]
    operands += [-1] * 2
    operands += [graph.tensor(name, (streams, hidden), variable=True) for name in ("h", "c")]
    operands += [-1] * 4
    lstm = schema.UnidirectionalSequenceLSTMOptionsT()
    lstm.fusedActivationFunction, lstm.timeMajor = schema.ActivationFunctionType.TANH, True
    h_out = graph.tensor("h_out", (1, streams, hidden))
    lstm_type = schema.BuiltinOptions.UnidirectionalSequenceLSTMOptions
    graph.operator(BUILTIN.UNIDIRECTIONAL_SEQUENCE_LSTM, operands, [h_out], lstm_type, lstm)
    head = [
        graph.tensor("V", (1, hidden), weights["V"]),
        graph.tensor("d", (1,), weights["d"]),
    ]
    y = graph.tensor("y", (streams, 1))
    fully_type = schema.BuiltinOptions.FullyConnectedOptions
    graph.operator(BUILTIN.FULLY_CONNECTED, [h_out, *head], [y], fully_type, schema.FullyConnectedOptionsT())
    return graph.pack([x], [y])


def open_run(weights, kind, threads, streams):
    interpreter = Interpreter(model_content=write_model(weights, kind, streams), num_threads=threads)
    interpreter.allocate_tensors()
    frames = random_frames(streams, weights["inputs"])[:, None]
    x, y = interpreter.get_input_details()[0]["index"], interpreter.get_output_details()[0]["index"]
    turn = 0

    def call():
        nonlocal turn
        turn = (turn + 1) % FRAMES
        interpreter.set_tensor(x, frames[turn])
        interpreter.invoke()
        return float(interpreter.get_tensor(y)[0, 0])

    return call


answer_lines(f"LiteRT {version('ai-edge-litert')}", open_run)
