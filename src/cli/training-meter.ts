import type { UpdateReport } from '../train/trainer.ts';
import type { Terminal } from './command.ts';
import { createProgress, formatCount } from './progress.ts';

export interface TrainingTotals {
  readonly timesteps: number;
  readonly timestepsPerSecond: number;
}

export interface TrainingMeter {
  onUpdate(report: UpdateReport): void;
  stop(): void;
  totals(): TrainingTotals;
}

/** The progress bar of the training, and its speed. */
export function createTrainingMeter({ quiet }: Terminal, epochsDone: number, epochs: number): TrainingMeter {
  const total = 1000;
  const start = Math.round((total * epochsDone) / epochs);
  const progress = createProgress({ label: 'training', total, start, quiet });
  const startMs = performance.now();
  let timesteps = 0;
  // of the networks that are done: each counts from 0
  let before = 0;
  let newest = 0;
  let timestepsPerSecond = 0;
  let running = true;
  return {
    onUpdate({ epoch, loss, validation, share, ...report }: UpdateReport) {
      if (report.timesteps < newest) before += newest;
      newest = report.timesteps;
      timesteps = before + newest;
      timestepsPerSecond = timesteps / ((performance.now() - startMs) / 1000);
      progress.update(
        Math.round(share * total),
        `epoch ${epoch}/${epochs} · loss ${loss.toFixed(4)} · validation ${validation.toFixed(4)} · ` +
          `${formatCount(timestepsPerSecond)} timesteps/s`,
      );
    },
    stop() {
      if (running) progress.stop();
      running = false;
    },
    totals: () => ({ timesteps, timestepsPerSecond }),
  };
}
