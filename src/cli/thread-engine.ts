import { createArena } from '../engine/arena.ts';
import type { Engine } from '../engine/engine.ts';
import { createStepTeam } from '../kernels/step-team.ts';
import { isForSimd } from '../kernels/wasm.ts';
import type { Log } from '../service/log.ts';

/** Frames of a batch: enough of them that several threads share it. */
const batchLimit = 4096;

/** An engine whose arena is stepped by so many threads. What they give is what one gives. */
export function withThreads(engine: Engine, threads: number, log: Pick<Log, 'warn'>): Engine {
  if (threads === 1) return engine;
  if (!isForSimd(engine.model)) {
    log.warn({}, `threads: ${threads} have no use for this model: it has no fast step`);
    return engine;
  }
  try {
    const { createKernel } = createStepTeam(threads);
    return { ...engine, createArena: () => createArena(engine.model, batchLimit, createKernel) };
  } catch (error) {
    log.warn({ reason: (error as Error).message }, `threads: ${threads} cannot be had; one steps all`);
    return engine;
  }
}
