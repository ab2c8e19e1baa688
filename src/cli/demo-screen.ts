import type { WriteStream } from 'node:tty';

/** Lines that are drawn again in the same place of a terminal. */
export interface Screen {
  draw(lines: readonly string[]): void;
  close(): void;
}

const hideCursor = '\x1b[?25l';
const showCursor = '\x1b[?25h';

export function openScreen(terminal: WriteStream): Screen {
  let height = 0;
  const show = () => terminal.write(showCursor);
  // a crash must not leave a terminal without its cursor
  process.once('exit', show);
  terminal.write(hideCursor);
  return {
    draw(lines) {
      const up = height > 0 ? `\x1b[${height}A` : '';
      const text = lines.map((line) => `\x1b[2K${line}\n`).join('');
      // one write, so that nothing flickers; then whatever was below is cleared
      terminal.write(`${up}${text}\x1b[J`);
      height = lines.length;
    },
    close() {
      process.off('exit', show);
      show();
    },
  };
}
