import type { FileHeader } from './file-header.ts';
import { frameOf } from './frames.ts';
import { createLogFile, type LogFile } from './log-file.ts';
import type { MarkSource } from './marks.ts';
import { createReadingsWriter, type ReadingsWriter, takeRecord } from './readings-record.ts';

/** The input log of a state folder: readings in the order in which they changed states. */
export interface Journal {
  /** Notes a reading for the next commit. Never waits. */
  note(stream: string, feature: number, timeMs: number, value: number): void;
  /** Readings noted and not yet on disk. */
  readonly uncommitted: number;
  /** Those of them that came since the last commit began, or the file in hand. */
  readonly unsealed: number;
  /** The number of the file that notes go to. */
  readonly number: number;
  /** Bytes of the file in hand, with what is noted. */
  readonly fileBytes: number;
  /** Bytes written since the start. */
  readonly writtenBytes: number;
  /** Resolves when all that was noted before the call is on disk (fdatasync). Calls while one runs join the next.
   * @throws the error of the disk; what was noted is kept, and the next commit tries again */
  commit(): Promise<void>;
  /** What is noted from now on goes into a new file: a snapshot is taken here.
   * @returns the number of the new file */
  rotate(): number;
  /** The same, and drops what is not on disk: the snapshot has it. */
  restart(): Promise<number>;
  /** Commits and closes the file. A commit after that throws. */
  close(): Promise<void>;
}

/** What waits for the disk. */
interface Piece {
  readonly file: number;
  readonly bytes: Buffer;
  readonly readings: number;
}

export interface JournalOptions {
  /** Of a file that is made now. */
  readonly header: () => FileHeader;
  /** The number of its first file, which must not exist. */
  readonly first: number;
  readonly marks?: MarkSource | undefined;
}

export function createJournal(folder: string, { header, first, marks }: JournalOptions): Journal {
  let number = first;
  let writer: ReadingsWriter = createReadingsWriter();
  let pieces: Piece[] = [];
  let waiting = 0;
  let sealedBytes = 0;
  let written = 0;
  let log: LogFile | undefined;
  let running: Promise<void> | undefined;
  let next: Promise<void> | undefined;
  let closed = false;

  function seal(): void {
    const taken = marks?.take();
    if (writer.count === 0 && taken === undefined) return;
    const readings = writer.count;
    const bytes = frameOf(takeRecord(writer, taken));
    pieces.push({ file: number, bytes, readings });
    waiting += readings;
    sealedBytes += bytes.length;
  }

  async function closeLog(): Promise<void> {
    const closing = log;
    log = undefined;
    await closing?.close();
  }

  async function logOf(file: number): Promise<LogFile> {
    if (log?.number === file) return log;
    await closeLog();
    log = await createLogFile(folder, file, header());
    written += log.length;
    return log;
  }

  /** Writes all pieces, file after file. */
  async function flush(): Promise<void> {
    while (pieces.length > 0) {
      const to = await logOf(pieces[0].file);
      const batch = pieces.filter(({ file }) => file === to.number);
      const bytes = Buffer.concat(batch.map((piece) => piece.bytes));
      await to.append(bytes);
      written += bytes.length;
      pieces = pieces.filter((piece) => !batch.includes(piece));
      for (const { readings } of batch) waiting -= readings;
    }
  }

  function commit(): Promise<void> {
    // it would begin the file anew
    if (closed) return Promise.reject(new Error('the log is closed'));
    seal();
    if (running !== undefined) {
      next ??= running
        .catch(() => {})
        .then(() => {
          next = undefined;
          return commit();
        });
      return next;
    }
    running = flush().finally(() => {
      running = undefined;
    });
    return running;
  }

  function rotate(): number {
    seal();
    number++;
    // names are numbered anew in each file
    writer = createReadingsWriter();
    sealedBytes = 0;
    return number;
  }

  return {
    note: (stream, feature, timeMs, value) => writer.add(stream, feature, timeMs, value),
    get uncommitted() {
      return waiting + writer.count;
    },
    get unsealed() {
      return writer.count;
    },
    get number() {
      return number;
    },
    get fileBytes() {
      return sealedBytes + writer.size;
    },
    get writtenBytes() {
      return written;
    },
    commit,
    rotate,
    async restart() {
      await running?.catch(() => {});
      const begun = rotate();
      pieces = [];
      waiting = 0;
      return begun;
    },
    async close() {
      if (closed) return;
      try {
        await commit();
      } finally {
        closed = true;
        await closeLog();
      }
    },
  };
}
