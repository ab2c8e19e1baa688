import type { Terminal } from './command.ts';

export interface RecordCounts {
  readonly messages: number;
  readonly rows: number;
  readonly streams: number;
}

/** Shows a recording while it runs: a live line on a terminal, elsewhere a line now and then, on standard error. */
export interface RecordView {
  start(): void;
  /** A line above the live one. */
  warn(line: string): void;
  stop(): void;
}

const redrawMs = 250;
const logMs = 5_000;
const clearLine = '\r\x1b[2K';

export function openRecordView(look: () => RecordCounts, { quiet, log, warn }: Terminal): RecordView {
  const isLive = process.stderr.isTTY && !quiet;
  const line = () => {
    const { messages, rows, streams } = look();
    return `recording: ${messages} messages, ${rows} rows, ${streams} ${streams === 1 ? 'stream' : 'streams'}`;
  };
  const show = () => {
    if (isLive) process.stderr.write(`${clearLine}${line()}`);
    else log(line());
  };
  let timer: NodeJS.Timeout | undefined;
  return {
    start() {
      timer = setInterval(show, isLive ? redrawMs : logMs);
    },
    warn(text) {
      if (isLive && timer) process.stderr.write(clearLine);
      warn(text);
    },
    stop() {
      if (!timer) return;
      clearInterval(timer);
      // elsewhere the report says it
      if (isLive) process.stderr.write(`${clearLine}${line()}\n`);
    },
  };
}
