import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { TrainingError } from './training-error.ts';

/** What can be handed out: a shard of a minibatch, a group of streams of the state pass. */
const taskKinds = ['shard', 'group'] as const;
type TaskKind = (typeof taskKinds)[number];
/** How a thread does each; `thread` counts from 0, which is the caller's. */
export type Tasks = Readonly<Record<TaskKind, (task: number, thread: number) => void>>;
/** Does the tasks 0 .. count - 1 of a kind, in any order, and returns when all are done. */
export type RunTasks = (kind: TaskKind, count: number) => void;

/** Every task on the thread that asks. */
export function runAlone(tasks: Tasks): RunTasks {
  return (kind, count) => {
    for (let task = 0; task < count; task++) tasks[kind](task, 0);
  };
}

/** Numbers that all threads of a team share. */
const word = { open: 0, done: 1, round: 2, kind: 3, ready: 4, failed: 5, closed: 6 } as const;
const MESSAGE_AT = 64;
const MESSAGE_BYTES = 2048;
/** `open` holds the tasks nobody has taken yet and, above these bits, the round they belong to. */
const ROUND_SHIFT = 16;
/** Looks at a number before a thread goes to sleep, about 50 us: waking takes as long as a small shard. */
const SPINS = 3000;
const START_MS = 10_000;
/** No task takes this long: a thread that died must not stop the others for ever. */
const LONGEST_TASK_MS = 600_000;

export interface Team {
  readonly run: RunTasks;
  close(): void;
}

/** One thread a core, at most one a task. */
export function coreCount(): number {
  return availableParallelism();
}

/** Starts threads - 1 workers beside the caller's. They sleep between rounds and keep no process alive.
 * @param worker team-worker.ts as JavaScript
 * @param training what it needs to do the same tasks */
export function createTeam(
  threads: number,
  worker: URL,
  tasks: Tasks,
  training: object,
  startMs = START_MS,
): Team {
  const control = new Int32Array(new SharedArrayBuffer(MESSAGE_AT + MESSAGE_BYTES));
  for (let thread = 1; thread < threads; thread++) {
    const workerData: WorkerData<object> = { control, thread, training };
    // it loads nothing that this process was told to, such as a loader that would wait for this thread;
    // one that cannot start is missed by nobody: the others take its tasks
    new Worker(worker, { workerData, execArgv: [] }).on('error', () => {}).unref();
  }
  awaitValue(control, word.ready, threads - 1, startMs);
  let round = 0;

  function run(kind: TaskKind, count: number): void {
    round = (round + 1) % (1 << (31 - ROUND_SHIFT));
    Atomics.store(control, word.kind, taskKinds.indexOf(kind));
    Atomics.store(control, word.done, 0);
    Atomics.store(control, word.open, (round << ROUND_SHIFT) | count);
    Atomics.add(control, word.round, 1);
    Atomics.notify(control, word.round);
    takeTasks(control, tasks, 0);
    const finished = awaitValue(control, word.done, count, LONGEST_TASK_MS);
    if (Atomics.load(control, word.failed) !== 0) throw new TrainingError(readMessage(control));
    if (!finished) throw new TrainingError(`a thread has not answered for ${LONGEST_TASK_MS / 1000} s`);
  }

  function close(): void {
    Atomics.store(control, word.closed, 1);
    Atomics.add(control, word.round, 1);
    Atomics.notify(control, word.round);
  }

  return { run, close };
}

/** What a worker is given. */
export interface WorkerData<Training extends object> {
  readonly control: Int32Array;
  readonly thread: number;
  readonly training: Training;
}

/** A worker's life: round after round until the team closes. */
export function serve(control: Int32Array, tasks: Tasks, thread: number): void {
  let round = Atomics.load(control, word.round);
  Atomics.add(control, word.ready, 1);
  Atomics.notify(control, word.ready);
  while (Atomics.load(control, word.closed) === 0) {
    takeTasks(control, tasks, thread);
    for (let i = 0; i < SPINS && Atomics.load(control, word.round) === round; i++);
    Atomics.wait(control, word.round, round);
    round = Atomics.load(control, word.round);
  }
}

/** Takes open tasks until none is left. A failed one counts as done: the caller must not wait for it. */
function takeTasks(control: Int32Array, tasks: Tasks, thread: number): void {
  for (let task = takeTask(control); task >= 0; task = takeTask(control)) {
    try {
      tasks[taskKinds[Atomics.load(control, word.kind)]](task, thread);
    } catch (error) {
      writeMessage(control, error);
    }
    Atomics.add(control, word.done, 1);
    Atomics.notify(control, word.done);
  }
}

/** @returns -1 when all are taken */
function takeTask(control: Int32Array): number {
  for (;;) {
    const open = Atomics.load(control, word.open);
    const left = open & ((1 << ROUND_SHIFT) - 1);
    if (left === 0) return -1;
    // the round in the number keeps a thread that slept here from a task of a later one
    if (Atomics.compareExchange(control, word.open, open, open - 1) === open) return left - 1;
  }
}

/** @returns false when it took longer than `mostMs` without any change */
function awaitValue(control: Int32Array, index: number, wanted: number, mostMs: number): boolean {
  for (let i = 0; i < SPINS && Atomics.load(control, index) < wanted; i++);
  for (;;) {
    const found = Atomics.load(control, index);
    if (found >= wanted) return true;
    if (Atomics.wait(control, index, found, mostMs) === 'timed-out') return false;
  }
}

function writeMessage(control: Int32Array, error: unknown): void {
  // the first one tells most
  if (Atomics.compareExchange(control, word.failed, 0, 1) !== 0) return;
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  const bytes = new Uint8Array(control.buffer, MESSAGE_AT);
  bytes.set(new TextEncoder().encode(text).subarray(0, MESSAGE_BYTES - 1));
}

function readMessage(control: Int32Array): string {
  const bytes = new Uint8Array(control.buffer, MESSAGE_AT).slice();
  return `a thread of the training failed: ${new TextDecoder().decode(bytes.subarray(0, bytes.indexOf(0)))}`;
}
