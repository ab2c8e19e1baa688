import type { SnapshotWriter } from '../state/snapshot.ts';
import type { AlignedStream } from '../stream/stream-table.ts';
import { type KeptStreams, saveStream } from './stream-state.ts';

/** A snapshot of the moment in which this was made, taken while the streams go on changing. */
export interface SnapshotPass {
  /** A stream is about to change: it is saved as it was. */
  before(stream: AlignedStream): void;
  /** Saves all streams, a few a turn of the event loop.
   * @param check throws when the snapshot is to end */
  saveAll(check: () => void): Promise<void>;
}

/** Streams that are saved at a time, and the rest between two times: what comes meanwhile goes first. */
const streamsATurn = 32;
const restMs = 1;

export function createSnapshotPass(of: KeptStreams, writer: SnapshotWriter): SnapshotPass {
  /** Still as they were. */
  const missing = new Set(of.memory.table.streams.values());

  function before(stream: AlignedStream): void {
    if (missing.delete(stream)) writer.add(saveStream(stream, of));
  }

  return {
    before,
    async saveAll(check) {
      while (missing.size > 0) {
        check();
        let count = 0;
        for (const stream of missing) {
          before(stream);
          if (++count === streamsATurn) break;
        }
        await writer.flush();
        await new Promise((resolve) => setTimeout(resolve, restMs));
      }
    },
  };
}
