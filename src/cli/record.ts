import { parseTopicPattern, type TopicPattern } from '../mqtt/topic.ts';
import { parseJsonPath } from '../stream/json-path.ts';
import { createToolLink, openToolLink } from './broker-link.ts';
import type { RecordArguments, Report, Terminal } from './command.ts';
import { onInterrupt } from './interrupt.ts';
import { jsonReader, numberReader, type PayloadReader } from './record-payload.ts';
import { openRecordView } from './record-view.ts';
import { createRecorder, type Recorder } from './recorder.ts';
import { createRecording, type Recording } from './recording.ts';
import { UsageError } from './usage-error.ts';

const flushMs = 1_000;

/** Writes what sensors publish into a CSV that train reads, until Ctrl+C, SIGTERM or a limit. */
export async function runRecord(args: RecordArguments, terminal: Terminal): Promise<Report> {
  const levels = args.topic.split('/');
  const withStreams = levels.includes('{stream}');
  const topics = parseTopicPattern(args.topic, withStreams ? {} : { stream: 'default' });
  const read = levels.includes('{feature}') ? numberReader() : jsonReader(timePath(args.time));
  const recording = createRecording(args.out, { withStreams });
  try {
    const recorder = await record({ args, topics, read, recording }, terminal);
    recorder.end();
    recording.close();
    return report(recorder, recording, { withStreams, terminal });
  } finally {
    recording.close();
  }
}

interface Task {
  readonly args: RecordArguments;
  readonly topics: TopicPattern;
  readonly read: PayloadReader;
  readonly recording: Recording;
}

async function record({ args, topics, read, recording }: Task, terminal: Terminal): Promise<Recorder> {
  const view = openRecordView(() => look(recorder, recording), terminal);
  const recorder = createRecorder({ topics, read, recording, warn: view.warn });
  const link = createToolLink(args, {
    filters: [{ topic: topics.filter, qos: 1 }],
    terminal: { ...terminal, warn: view.warn },
  });
  const end = createEnd();
  const limit = args.messages ?? Number.POSITIVE_INFINITY;
  const detach = link.onMessage((delivery) => {
    // what is thrown here would be the connection's to bear
    end.attempt(() => recorder.take(delivery));
    if (recorder.messages < limit) return;
    detach();
    end.now();
  });
  const restore = onInterrupt(end.now);
  const timers: NodeJS.Timeout[] = [];
  try {
    await Promise.race([openToolLink(link), end.reached]);
    terminal.log(`recording ${topics.filter} into ${args.out}; Ctrl+C ends it`);
    view.start();
    timers.push(setInterval(() => end.attempt(recording.flush), flushMs));
    if (args.seconds !== undefined) timers.push(setTimeout(end.now, args.seconds * 1000));
    await end.reached;
    return recorder;
  } finally {
    detach();
    restore();
    for (const timer of timers) clearTimeout(timer);
    view.stop();
    await link.close();
  }
}

/** The end of the recording, wanted or not. */
function createEnd() {
  let now = () => {};
  let fail = (_: unknown) => {};
  const reached = new Promise<void>((resolve, reject) => {
    now = resolve;
    fail = reject;
  });
  // it may fail before anybody waits for it
  reached.catch(() => {});
  return {
    reached,
    now,
    /** What goes wrong ends it. */
    attempt(work: () => void): void {
      try {
        work();
      } catch (error) {
        fail(error);
      }
    },
  };
}

function timePath(time: string) {
  const path = parseJsonPath(time);
  if (path) return path;
  throw new UsageError(`--time ${time} is no key and no path, expected such as ts or $.header.time`);
}

function look({ messages, streams }: Recorder, { rows }: Recording) {
  return { messages, rows, streams };
}

function report(
  { messages, streams, counters, ignored }: Recorder,
  { path: out, rows, bytes, columns }: Recording,
  { withStreams, terminal }: { readonly withStreams: boolean; readonly terminal: Terminal },
): Report {
  const { applied, duplicate: duplicates, late, retained, malformed, overflow } = counters.ended;
  const counts = { duplicates, late, retained, malformed, overflow };
  if (rows === 0) terminal.warn(`nothing was recorded, so there is no file ${out}`);
  const setAside = Object.entries(counts).flatMap(([name, count]) => (count > 0 ? [`${count} ${name}`] : []));
  const next = `Train on it: cellstream train ${out} --target COLUMN${withStreams ? ' --stream stream' : ''}`;
  return {
    summary: {
      ...{ messages, rows, bytes, streams, columns, numbers: applied },
      ...counts,
      malformedReasons: counters.malformed,
      ignored: Object.fromEntries(ignored),
      out,
    },
    text: [
      `${out}: ${rows} rows (${bytes} bytes) of ${streams} ${streams === 1 ? 'stream' : 'streams'}, from ${messages} messages`,
      `columns: ${columns.join(', ') || 'none'}`,
      ...(setAside.length > 0 ? [`left out: ${setAside.join(', ')}`] : []),
      ...(rows > 0 ? [next] : []),
    ].join('\n'),
  };
}
