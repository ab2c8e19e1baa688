import type { z } from 'zod';
import { parseDuration } from '../signal/duration.ts';
import type { Problem } from './problems.ts';
import type { serviceSchema } from './service-schema.ts';

type Parsed = z.output<typeof serviceSchema>;
type Subscription = Parsed['subscribe'][number];

/** Every open frame is held in memory. */
const longestLateness = '7d';
/** A timer that is set to 2^31 ms or more fires at once, and again and again. */
const longestCommit = '24d';

/** What no field can say alone. */
export function checkServiceRules(config: Parsed): Problem[] {
  return [
    ...checkBroker(config),
    ...config.subscribe.flatMap((entry, i) => checkSubscription(entry, ['subscribe', i])),
    ...checkRepeats(config),
    ...checkPublish(config),
    ...checkLongest(['lateness'], config.lateness, longestLateness),
    ...checkLongest(['state', 'commit'], config.state.commit, longestCommit),
    ...checkModels(config),
  ];
}

function checkBroker({ broker }: Parsed): Problem[] {
  const { url, ca, cert, key, servername } = broker;
  const problems: Problem[] = [];
  if ((cert === undefined) !== (key === undefined)) {
    const [has, lacks] = cert === undefined ? ['key', 'cert'] : ['cert', 'key'];
    problems.push({
      path: ['broker', has],
      message: `${has} without ${lacks}; a client certificate needs both`,
    });
  }
  if (url.includes('@')) {
    const message =
      'a user name or password has no place in it; use username and password_file, or CELLSTREAM_MQTT_PASSWORD';
    problems.push({ path: ['broker', 'url'], message });
  }
  const tls = ca ?? cert ?? servername;
  if (tls !== undefined && /^(mqtt|ws):/.test(url)) {
    const message = 'found an address that is not encrypted, with certificates; expected mqtts://';
    problems.push({ path: ['broker', 'url'], message });
  }
  return problems;
}

function checkSubscription(entry: Subscription, path: readonly (string | number)[]): Problem[] {
  const { topic, stream, format, time, feature, features } = entry;
  const problem = (key: string, message: string): Problem => ({ path: [...path, key], message });
  const problems: Problem[] = [];
  const namesStream = topic.split('/').includes('{stream}');
  const namesFeature = topic.split('/').includes('{feature}');
  if (namesStream === (stream !== undefined)) {
    problems.push(
      namesStream
        ? problem('stream', 'the topic names the stream already; take stream out, or {stream}')
        : problem('topic', `found "${topic}", expected {stream} in place of a level, or a key stream: NAME`),
    );
  }
  if (format === 'number') {
    if (namesFeature === (feature !== undefined)) {
      problems.push(
        problem('format', 'a number needs one of feature: NAME and a level {feature} in the topic'),
      );
    }
    if (time !== undefined)
      problems.push(problem('time', 'a number carries no time; it is of the moment it arrives'));
    if (features) problems.push(problem('features', 'a number is one feature; use feature: NAME'));
    return problems;
  }
  if (feature !== undefined)
    problems.push(problem('feature', `is for format: number, found format: ${format}`));
  if (namesFeature)
    problems.push(problem('topic', `{feature} is for format: number, found format: ${format}`));
  if (format === 'protobuf' && time !== undefined && time !== 'arrival') {
    problems.push(
      problem('time', `found "${time}", expected arrival or nothing: protobuf has a field for the time`),
    );
  }
  return problems;
}

function checkRepeats({ subscribe }: Parsed): Problem[] {
  return subscribe.flatMap(({ topic }, i) =>
    subscribe.findIndex((other) => other.topic === topic) < i
      ? [
          {
            path: ['subscribe', i, 'topic'],
            message: `found "${topic}" a second time; one subscription can hold several features`,
          },
        ]
      : [],
  );
}

function checkPublish({ publish }: Parsed): Problem[] {
  const { topic } = publish;
  const problems: Problem[] = [];
  if (!topic.split('/').includes('{stream}')) {
    problems.push({
      path: ['publish', 'topic'],
      message: `found "${topic}", expected {stream} in place of a level`,
    });
  }
  return problems;
}

/** Nothing is wrong with an `off`. */
function checkLongest(path: readonly string[], found: string | undefined, longest: string): Problem[] {
  const foundMs = parseDuration(found ?? '') ?? 0;
  if (foundMs <= (parseDuration(longest) as number)) return [];
  return [{ path, message: `found ${found}, expected at most ${longest}` }];
}

/** Not a pattern that means several. */
export function isOneTopic(topic: string): boolean {
  return /^[^+#{}\0]+$/.test(topic);
}

function checkModels({ models }: Parsed): Problem[] {
  const { topic, trust } = models;
  if (topic === undefined) return [];
  const problem = (message: string): Problem => ({ path: ['models', 'topic'], message });
  if (!isOneTopic(topic)) {
    return [problem(`found "${topic}", expected one topic such as cellstream/plant/model`)];
  }
  // whoever may publish there could put any model in place
  if (trust.length === 0)
    return [problem('found without models.trust, expected the public keys of those who sign models')];
  return [];
}
