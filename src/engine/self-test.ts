import { type Model, outputSize } from '../model/model.ts';
import { createSession } from './session.ts';

/** Steps the golden frames from a zero state and compares outputs and final state bit for bit.
 * @returns what differs first, undefined when nothing does */
export function proveGolden(model: Model): string | undefined {
  const { golden, input, output } = model;
  const session = createSession(model, golden.stream);
  const size = outputSize(output);
  for (let i = 0; i < golden.timesMs.length; i++) {
    const values = golden.frames.subarray(i * input.features, (i + 1) * input.features);
    const answer = session.step({ timeMs: golden.timesMs[i], values });
    if (answer.kind !== 'forecast') continue;
    const expected = golden.outputs.subarray(i * size, (i + 1) * size);
    const at = firstDifference(answer.values, expected);
    if (at >= 0) return `output ${at} of frame ${i} is ${answer.values[at]}, the file says ${expected[at]}`;
  }
  const state = session.state();
  const at = firstDifference(state, golden.state);
  return at >= 0 ? `state ${at} ends as ${state[at]}, the file says ${golden.state[at]}` : undefined;
}

function firstDifference(found: Float32Array, expected: Float32Array): number {
  for (let i = 0; i < found.length; i++) if (!Object.is(found[i], expected[i])) return i;
  return -1;
}
