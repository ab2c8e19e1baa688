import { map, type OperatorFunction } from 'rxjs';
import type { Arena } from '../engine/arena.ts';
import type { StepResult } from '../engine/forecast.ts';
import type { StreamFrame } from './align.ts';
import type { Origin } from './decode.ts';
import type { ReadyRound } from './normalize.ts';

/** A frame beside the engine's answer to it. */
interface Answer {
  readonly frame: StreamFrame;
  readonly result: StepResult;
}

/** The answers of one round. The next round overwrites their results: copy what you keep. */
export interface Answers {
  readonly origin: Origin;
  readonly answers: readonly Answer[];
  /** Microseconds from normalize to denormalize, a frame. */
  readonly stepUs: number;
}

export function denormalize(arena: Arena): OperatorFunction<ReadyRound, Answers> {
  return map(({ origin, frames, startedMs }) => {
    const answers = frames.map((frame, i) => ({ frame, result: arena.denormalize(i) }));
    const stepUs = ((performance.now() - startedMs) * 1000) / frames.length;
    return { origin, answers, stepUs };
  });
}
