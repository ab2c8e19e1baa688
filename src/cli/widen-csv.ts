import { closeSync, fsyncSync, openSync, readSync, renameSync, rmSync, writeSync } from 'node:fs';

const chunkBytes = 1 << 20;
const [quote, lineFeed] = [0x22, 0x0a];

/** Gives a CSV another header line and its rows empty cells for the new columns. The file is replaced as a whole: who
 * reads it, and a crash, finds the old one or the new one.
 * @returns its bytes */
export function widenCsv(path: string, header: string, newColumns: number): number {
  const part = `${path}.part`;
  const [from, to] = [openSync(path, 'r'), openSync(part, 'w')];
  let bytes = 0;
  try {
    const write = (text: Buffer) => {
      for (let written = 0; written < text.length; ) written += writeSync(to, text, written);
      bytes += text.length;
    };
    write(Buffer.from(`${header}\n`));
    const widen = createWidener(Buffer.from(','.repeat(newColumns)));
    const chunk = Buffer.alloc(chunkBytes);
    for (let length = readSync(from, chunk); length > 0; length = readSync(from, chunk)) {
      write(widen(chunk.subarray(0, length)));
    }
    fsyncSync(to);
  } catch (error) {
    rmSync(part, { force: true });
    throw error;
  } finally {
    closeSync(from);
    closeSync(to);
  }
  renameSync(part, path);
  return bytes;
}

/** Drops the first line, and puts `cells` before the end of every other row: a line feed outside of quotes. */
function createWidener(cells: Buffer): (chunk: Buffer) => Buffer {
  let inHeader = true;
  let inQuotes = false;
  return (chunk) => {
    const parts: Buffer[] = [];
    let start = 0;
    for (let i = 0; i < chunk.length; i++) {
      if (chunk[i] === quote) inQuotes = !inQuotes;
      if (chunk[i] !== lineFeed || inQuotes) continue;
      if (inHeader) {
        inHeader = false;
        start = i + 1;
        continue;
      }
      parts.push(chunk.subarray(start, i), cells);
      start = i;
    }
    if (!inHeader) parts.push(chunk.subarray(start));
    return Buffer.concat(parts);
  };
}
