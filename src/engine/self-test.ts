import { type Model, outputSize } from '../model/model.ts';
import { createSession } from './session.ts';

const WARM_STEPS = 1000;
const WARM_MS = 25;

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

/** Steps until the compiler has optimized the step (it is 2 to 5 times as slow before), so that no stream's first frames
 * wait for that. */
export function warmUp(model: Model): void {
  const { golden, input } = model;
  const session = createSession(model, golden.stream);
  const startMs = performance.now();
  for (let i = 0; i < WARM_STEPS && performance.now() - startMs < WARM_MS; i++) {
    const frame = i % golden.timesMs.length;
    if (frame === 0) session.reset();
    const values = golden.frames.subarray(frame * input.features, (frame + 1) * input.features);
    session.step({ timeMs: golden.timesMs[frame], values });
  }
}

function firstDifference(found: Float32Array, expected: Float32Array): number {
  for (let i = 0; i < found.length; i++) if (!Object.is(found[i], expected[i])) return i;
  return -1;
}
