import { createSession } from '../src/engine/session.ts';
import type { Model } from '../src/model/model.ts';
import { createDice } from '../test/fixtures/random-model.ts';
import type { StepRun } from './step-run.ts';

/** Raw frames that are repeated. */
const FRAMES = 1000;

/** A stream's session, from raw frames: a random walk of every feature about its mean. */
export function openSessionRun(model: Model): Pick<StepRun, 'batch' | 'call' | 'sink'> {
  const { features, scalers, periodMs } = model.input;
  const session = createSession(model, '');
  const dice = createDice(1);
  const walks = new Float64Array(features);
  const frames = Array.from({ length: FRAMES }, () =>
    Float64Array.from(walks, (walk, k) => {
      walks[k] = 0.9 * walk + dice.next() - 0.5;
      return scalers[2 * k] + scalers[2 * k + 1] * walks[k];
    }),
  );
  let timeMs = 0;
  let at = 0;
  let sum = 0;
  const call = () => {
    timeMs += periodMs;
    at = at + 1 < frames.length ? at + 1 : 0;
    const answer = session.step({ timeMs, values: frames[at] });
    if (answer.kind === 'forecast') sum += answer.values[0];
  };
  return { batch: 1, call, sink: () => sum };
}
