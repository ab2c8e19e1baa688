import { readFileSync } from 'node:fs';
import { readFrames } from '../../src/state/frames.ts';
import { createReadingsReader } from '../../src/state/readings-record.ts';
import { listNumbers, pathOf } from '../../src/state/state-files.ts';
import type { Tally } from './tally.ts';

/** Counts what the files of a log hold, each file once: a service removes old ones. */
export interface LogReader {
  /** To be called while no service runs. */
  readNew(): Promise<void>;
}

export function createLogReader(folder: string, tally: Tally): LogReader {
  let newest = 0;
  return {
    async readNew() {
      for (const number of await listNumbers(folder, 'log')) {
        if (number <= newest) continue;
        newest = number;
        const read = createReadingsReader();
        const { payloads } = readFrames(readFileSync(pathOf(folder, 'log', number)));
        for (const record of payloads.slice(1)) for (const reading of read(record)) tally.note(reading);
      }
    },
  };
}
