import { SingleBar } from 'cli-progress';

export interface Progress {
  /** @param done of `total`, the count so far
   * @param detail such as `epoch 3/50 · loss 0.1234` */
  update(done: number, detail?: string): void;
  stop(): void;
}

export interface ProgressOptions {
  readonly label: string;
  readonly total: number;
  /** What is counted, for the speed: `timesteps`. */
  readonly unit?: string;
  /** Done before this run, by a resume: it counts for the bar and not for the speed. */
  readonly start?: number;
  readonly quiet?: boolean;
  readonly stream?: Output;
  readonly now?: () => number;
}

/** A stream that may be a terminal. */
type Output = NodeJS.WritableStream & { readonly isTTY?: boolean };

/** Progress on standard error: a bar on a terminal, elsewhere a line about every tenth. */
export function createProgress(options: ProgressOptions): Progress {
  const { quiet = false, stream = process.stderr } = options;
  if (quiet) return { update() {}, stop() {} };
  return stream.isTTY ? createBar(options, stream) : createLines(options, stream);
}

function createBar(options: ProgressOptions, stream: Output): Progress {
  const { label, total, start = 0 } = options;
  const pace = createPace(options);
  const bar = new SingleBar({
    format: `${label} {bar} {percentage} %{detail}{pace}`,
    barCompleteChar: '█',
    barIncompleteChar: '░',
    barsize: 24,
    hideCursor: true,
    // the last line stays, with the loss that the training ended at
    clearOnComplete: false,
    fps: 8,
    stream,
  });
  bar.start(total, start, { detail: '', pace: '' });
  return {
    update(done, detail) {
      bar.update(done, { detail: prefixed(detail), pace: prefixed(pace(done)) });
    },
    stop() {
      bar.stop();
    },
  };
}

function createLines(options: ProgressOptions, stream: Output): Progress {
  const { label, total, start = 0 } = options;
  const pace = createPace(options);
  const tenthOf = (done: number) => Math.floor((10 * done) / total);
  let shown = tenthOf(start);
  let last: { done: number; detail: string | undefined } | undefined;
  const write = (done: number, detail: string | undefined) => {
    const percent = String(Math.floor((100 * done) / total)).padStart(3);
    stream.write(`${label} ${percent} %${prefixed(detail)}${prefixed(pace(done))}\n`);
  };
  return {
    update(done, detail) {
      last = { done, detail };
      if (tenthOf(done) <= shown) return;
      shown = tenthOf(done);
      last = undefined;
      write(done, detail);
    },
    stop() {
      // an early stop leaves its last word too
      if (last) write(last.done, last.detail);
      last = undefined;
    },
  };
}

/** Speed and time left, from the second that they mean something. */
function createPace({ total, unit, start = 0, now = () => performance.now() }: ProgressOptions) {
  const startMs = now();
  return (done: number): string | undefined => {
    const seconds = (now() - startMs) / 1000;
    if (seconds < 1 || done <= start) return undefined;
    const speed = (done - start) / seconds;
    const left = done < total ? `${formatSeconds((total - done) / speed)} left` : formatSeconds(seconds);
    return unit === undefined ? left : `${formatCount(speed)} ${unit}/s · ${left}`;
  };
}

function prefixed(text: string | undefined): string {
  return text === undefined || text === '' ? '' : ` · ${text}`;
}

/** 90 s, 12 min, 3 h 20 min. */
export function formatSeconds(seconds: number): string {
  const whole = Math.round(seconds);
  if (whole < 120) return `${whole} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 120 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** 812, 9.4 k, 1.29 M. */
export function formatCount(count: number): string {
  if (count < 1000) return count < 10 ? count.toFixed(1) : count.toFixed(0);
  const [scaled, unit] = count < 999_500 ? [count / 1000, 'k'] : [count / 1e6, 'M'];
  return `${scaled.toPrecision(3)} ${unit}`;
}
