import { from, lastValueFrom, toArray } from 'rxjs';
import { describe, expect, test } from 'vitest';
import { loadModel } from '../../src/engine/engine.ts';
import { writeModelFile } from '../../src/model/format.ts';
import { exportWithoutData } from '../../src/quantize/export-without-data.ts';
import { forecast } from '../../src/stream/forecast.ts';
import { importFixture, readGolden } from './imported.ts';

const hourMs = 3_600_000;
const modules = { weights: '{ recurrent: [lstm1, lstm2] }' };

/** File, what it is, and what the spec must say beside the usual. */
type Changes = Readonly<Record<string, string>>;
const fixtures: readonly (readonly [file: string, what: string, changes?: Changes])[] = [
  ['lstm-1.safetensors', 'nn.LSTM'],
  ['lstm-2.safetensors', 'nn.LSTM of two layers in a module of a module'],
  ['lstm-half.safetensors', 'nn.LSTM in float16'],
  ['lstm-modules.safetensors', 'two modules nn.LSTM of 12 and 7 units on each other', modules],
  ['gru-1.safetensors', 'nn.GRU'],
  ['gru-3.safetensors', 'nn.GRU of three layers without biases'],
  ['torch-lstm-1.onnx', 'LSTM of torch.onnx.export'],
  ['torch-lstm-2.onnx', 'two LSTM nodes of torch.onnx.export'],
  ['torch-gru-2.onnx', 'two GRU nodes of torch.onnx.export'],
  ['torch-last.onnx', 'LSTM with a Gemm on the last frame'],
  ['skl-lstm.onnx', 'LSTM, Squeeze, MatMul and Add'],
  ['skl-gru.onnx', 'GRU with its numbers in float_data'],
];

/** The largest difference to the peer, in z-scores. */
function distance(found: ArrayLike<number>, expected: ArrayLike<number>): number {
  expect(found.length).toBe(expected.length);
  return Array.from(expected).reduce((most, value, i) => Math.max(most, Math.abs(found[i] - value)), 0);
}

describe.each(fixtures.map(([file, what, changes = {}]) => ({ file, what, changes })))(
  '$file, $what',
  ({ file, changes }) => {
    const { frames, expected, features, outputs, means, scales } = readGolden(file);
    const { float, int8 } = exportWithoutData(importFixture(file, changes), { wide: 'auto' });
    const toZ = (value: number) => (value - means[0]) / scales[0];

    async function streamed(bytes: Uint8Array): Promise<number[]> {
      const session = (await loadModel(bytes)).openSession();
      const answers: number[] = [];
      for (let t = 0; t < 200; t++) {
        const values = frames.subarray(t * features, (t + 1) * features);
        const answer = session.step({ timeMs: t * hourMs, values });
        if (answer.kind === 'forecast') answers.push(...Array.from(answer.values, toZ));
      }
      return answers;
    }

    test('gives the answers of its program within 1e-5, streamed a frame at a time', async () => {
      expect(distance(await streamed(writeModelFile(float)), expected)).toBeLessThan(1e-5);
    });

    test('gives them through forecast(model) too', async () => {
      const model = await loadModel(writeModelFile(float));
      const readings = Array.from({ length: 200 }, (_, t) => ({
        ...{ stream: 'boiler', time: t * hourMs + 1e12 - (1e12 % hourMs) },
        ...Object.fromEntries(
          Array.from({ length: features }, (_, k) => [`f${k}`, frames[t * features + k]]),
        ),
      }));
      const all = await lastValueFrom(from(readings).pipe(forecast(model), toArray()));
      // the spec reports the last step
      const found = all.map(({ horizons: [last] }) => toZ(last.value));
      const wanted = Array.from({ length: 200 }, (_, t) => expected[(t + 1) * outputs - 1]);
      expect(distance(found, wanted)).toBeLessThan(1e-5);
    });

    if (int8 === undefined) return;
    test('stays near them in int8', async () => {
      const found = await streamed(writeModelFile(int8.model));
      const power = expected.reduce((sum, value) => sum + value * value, 0);
      const error = found.reduce((sum, value, i) => sum + (value - expected[i]) ** 2, 0);
      expect(Math.sqrt(error / power)).toBeLessThan(0.005);
      expect(int8.drift.outputOverall).toBeLessThan(0.005);
    });
  },
);
