import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { type FileHeader, readHeader, writeHeader } from './file-header.ts';
import { frameOf, readFrames } from './frames.ts';
import { type Marks, readMarks } from './marks.ts';
import { DamageError } from './state-error.ts';
import { pathOf, readWhole, syncFolder } from './state-files.ts';

/** A snapshot on its way to disk. It counts only when it is finished. */
export interface SnapshotWriter {
  /** Takes a stream's state; the bytes are written by `flush`. */
  add(state: Uint8Array): void;
  /** Bytes so far. */
  readonly bytes: number;
  flush(): Promise<void>;
  /** Writes the rest and puts the file in its place.
   * @param marks of the messages that had come by the moment of the snapshot */
  finish(marks?: Buffer): Promise<void>;
  /** Leaves nothing behind. */
  abandon(): Promise<void>;
}

export function createSnapshot(folder: string, number: number, header: FileHeader): Promise<SnapshotWriter> {
  return createSnapshotAt(pathOf(folder, 'snapshot', number), header);
}

/** One of any name, anywhere.
 * @param unfinished where it is written until it is finished */
export async function createSnapshotAt(
  path: string,
  header: FileHeader,
  unfinished = `${path}.new`,
): Promise<SnapshotWriter> {
  const handle: FileHandle = await open(unfinished, 'w');
  let parts: Buffer[] = [frameOf(writeHeader(header))];
  let count = 0;
  let bytes = parts[0].length;

  async function flush(): Promise<void> {
    const whole = Buffer.concat(parts);
    parts = [];
    for (let done = 0; done < whole.length; ) done += (await handle.write(whole, done)).bytesWritten;
  }

  return {
    add(state) {
      const frame = frameOf(state);
      parts.push(frame);
      bytes += frame.length;
      count++;
    },
    get bytes() {
      return bytes;
    },
    flush,
    async finish(marks = Buffer.alloc(0)) {
      const end = Buffer.alloc(endBytes);
      end.writeUInt32LE(count);
      const frame = frameOf(Buffer.concat([end, marks]));
      parts.push(frame);
      bytes += frame.length;
      await flush();
      await handle.sync();
      await handle.close();
      await rename(unfinished, path);
      await syncFolder(dirname(path));
    },
    async abandon() {
      await handle.close().catch(() => {});
      await rm(unfinished, { force: true });
    },
  };
}

export interface Snapshot {
  readonly header: FileHeader;
  /** A stream's state each. */
  readonly states: readonly Buffer[];
  readonly marks: Marks | undefined;
  /** Of the file. */
  readonly bytes: number;
}

// Frames: the header, a state each, and the number of states with the marks behind it.

const endBytes = 4;

/** @throws DamageError for a file that is damaged or was never finished
 * @throws StateError for one of a newer program */
export async function readSnapshot(path: string): Promise<Snapshot> {
  return parseSnapshot(await readWhole(path), path);
}

/** @param path where the bytes come from, for messages */
export function parseSnapshot(bytes: Buffer, path: string): Snapshot {
  const { payloads, wholeBytes } = readFrames(bytes);
  const header = readHeader(payloads[0], path);
  const states = payloads.slice(1, -1);
  const end = payloads.at(-1);
  const isWhole =
    wholeBytes === bytes.length &&
    end !== undefined &&
    end.length >= endBytes &&
    end.readUInt32LE() === states.length;
  if (!isWhole) {
    throw new DamageError(`${path} is damaged after ${wholeBytes} of ${bytes.length} bytes`);
  }
  const marks = end.length > endBytes ? readMarks(end.subarray(endBytes)) : undefined;
  return { header, states, marks, bytes: bytes.length };
}
