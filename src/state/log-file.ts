import { type FileHandle, open } from 'node:fs/promises';
import { type FileHeader, writeHeader } from './file-header.ts';
import { frameOf } from './frames.ts';
import { pathOf, syncFolder } from './state-files.ts';

/** A file of the input log that is written. */
export interface LogFile {
  readonly number: number;
  /** Bytes in it, its header among them. */
  readonly length: number;
  /** Resolves when the bytes are on disk (fdatasync).
   * @throws the error of the disk; the file ends where it did before */
  append(bytes: Buffer): Promise<void>;
  close(): Promise<void>;
}

/** A new one, in the place of any that has the number. */
export async function createLogFile(folder: string, number: number, header: FileHeader): Promise<LogFile> {
  const handle = await open(pathOf(folder, 'log', number), 'w');
  const first = frameOf(writeHeader(header));
  let length = first.length;
  try {
    await writeAt(handle, first, 0);
    await syncFolder(folder);
  } catch (error) {
    await handle.close();
    throw error;
  }
  return {
    number,
    get length() {
      return length;
    },
    async append(bytes) {
      try {
        await writeAt(handle, bytes, length);
        await handle.datasync();
      } catch (error) {
        // half a frame must not stand before the next try
        await handle.truncate(length).catch(() => {});
        throw error;
      }
      length += bytes.length;
    },
    close: () => handle.close(),
  };
}

async function writeAt(handle: FileHandle, bytes: Buffer, position: number): Promise<void> {
  let done = 0;
  while (done < bytes.length) {
    const { bytesWritten } = await handle.write(bytes, done, bytes.length - done, position + done);
    done += bytesWritten;
  }
}
