import { parseTopicPattern, type TopicPattern } from '../mqtt/topic.ts';
import { createToolLink, openToolLink } from './broker-link.ts';
import type { ReplayArguments, Report, Terminal } from './command.ts';
import { readInputFile } from './input-file.ts';
import { onInterrupt } from './interrupt.ts';
import { type Player, startPlayer } from './player.ts';
import { createProgress, formatCount } from './progress.ts';
import { type RecordedMessages, readRecordedMessages } from './recorded-messages.ts';
import { UsageError } from './usage-error.ts';

const progressMs = 250;
/** For what is under way when the replay is stopped: a broker that is stuck holds up nobody. */
const stopTimeoutMs = 2_000;

/** Publishes a recording as its sensors would. */
export async function runReplay(args: ReplayArguments, terminal: Terminal): Promise<Report> {
  const { topics, numberMessages } = replayTopics(args);
  const recorded = readRecordedMessages(readInputFile(args.data, 'recording'), args.data, {
    ...args,
    numberMessages,
    warn: terminal.warn,
  });
  const link = createToolLink(args, { terminal });
  try {
    await openToolLink(link);
    const startMs = performance.now();
    const { speed, qos } = args;
    const player = startPlayer({ link, topics, ticks: recorded.ticks, speed, qos });
    await play(player, recorded, { quiet: terminal.quiet, isAway: () => !link.connected });
    const seconds = (performance.now() - startMs) / 1000;
    await link.close();
    warnOfLosses(player, { qos, losses: link.reconnects }, terminal);
    return report(player, { args, seconds, streams: recorded.streams.length, address: link.address });
  } finally {
    await link.close();
  }
}

/** Until the end of the recording, Ctrl+C or SIGTERM. */
async function play(
  player: Player,
  { tickCount }: RecordedMessages,
  { quiet, isAway }: { readonly quiet: boolean; readonly isAway: () => boolean },
): Promise<void> {
  const progress = createProgress({ label: 'replaying', total: tickCount, quiet });
  const show = () => {
    const state = isAway() ? ' · waiting for the broker' : '';
    progress.update(player.ticks, `${formatCount(player.messages)} messages${state}`);
  };
  const timer = setInterval(show, progressMs);
  let expired: NodeJS.Timeout | undefined;
  let giveUp = () => {};
  const stuck = new Promise<void>((resolve) => {
    giveUp = resolve;
  });
  const detach = onInterrupt(() => {
    player.stop();
    expired = setTimeout(giveUp, stopTimeoutMs);
  });
  try {
    await Promise.race([player.done, stuck]);
  } finally {
    detach();
    clearInterval(timer);
    clearTimeout(expired);
    show();
    progress.stop();
  }
}

/** A message for each number where the topic has a place for its name. */
function replayTopics({ topic, stream }: ReplayArguments): { topics: TopicPattern; numberMessages: boolean } {
  const levels = topic.split('/');
  const hasStream = levels.includes('{stream}');
  if (hasStream && stream === undefined) {
    throw new UsageError(
      `--topic ${topic} has a place for {stream}: name the column that tells the sensors apart with --stream, ` +
        'or write the name of the one sensor in its place',
    );
  }
  if (!hasStream && stream !== undefined) {
    throw new UsageError(
      `--topic ${topic} would mix the sensors of --stream ${stream}: put {stream} in place of a level`,
    );
  }
  return {
    topics: parseTopicPattern(topic, hasStream ? {} : { stream: 'default' }),
    numberMessages: levels.includes('{feature}'),
  };
}

function warnOfLosses(
  { unfinished }: Player,
  { qos, losses }: { readonly qos: 0 | 1; readonly losses: number },
  { warn }: Terminal,
): void {
  if (unfinished > 0) {
    const fate = qos === 0 ? 'were not written' : 'may not have arrived';
    warn(`stopped before the broker had everything: the last ${unfinished} messages ${fate}`);
  }
  if (qos === 0 && losses > 0) {
    const times = losses === 1 ? 'once' : `${losses} times`;
    warn(`the connection was lost ${times}: at QoS 0 what was on its way is lost too; --qos 1 repeats it`);
  }
}

interface Outcome {
  readonly args: ReplayArguments;
  readonly seconds: number;
  readonly streams: number;
  readonly address: string;
}

function report(player: Player, { args, seconds, streams, address }: Outcome): Report {
  const { messages, numbers, again, unfinished } = player;
  const messagesPerSecond = messages / seconds;
  const repeated = again > 0 ? `, ${again} of them published again` : '';
  return {
    summary: { messages, numbers, streams, again, unfinished, seconds, messagesPerSecond },
    text:
      `${messages} messages with ${numbers} numbers of ${streams} ${streams === 1 ? 'stream' : 'streams'} ` +
      `to ${args.topic} at ${address} in ${seconds.toFixed(1)} s ` +
      `(${formatCount(messagesPerSecond)} a second)${repeated}`,
  };
}
