import { ConfigError } from '../config/config-error.ts';
import type { ServiceConfig, Subscription } from '../config/service.ts';
import { nearestName } from '../math/nearest.ts';
import type { Model } from '../model/model.ts';
import { parseTopicPattern, type TopicPattern, type TopicPatternOptions } from '../mqtt/topic.ts';
import { sensorFeatures, sharedChannels } from '../stream/decode.ts';
import { type JsonPath, parseJsonPath } from '../stream/json-path.ts';
import type { Decoder } from '../stream/payload.ts';
import { jsonDecoder } from '../stream/read-json.ts';
import { numberDecoder } from '../stream/read-number.ts';
import { protobufDecoder } from '../stream/read-protobuf.ts';

/** A subscription made ready for one model. */
export interface Route {
  readonly topics: TopicPattern;
  readonly qos: 0 | 1;
  readonly decoder: Decoder;
  /** Its messages say when they were measured; of others the time is that of their arrival. */
  readonly saysTime: boolean;
  /** The model's features that come this way. */
  readonly brings: readonly string[];
}

const arrival = 'arrival';

/** Where a service says what has become of a model that came on a topic. */
export function answerTopicOf(modelTopic: string): string {
  return `${modelTopic}/status`;
}

/** What a config's subscriptions mean for a model.
 * @throws ConfigError where a feature is none of the model's, or one of the model's comes by no subscription */
export function createRoutes({ subscribe }: Pick<ServiceConfig, 'subscribe'>, model: Model): Route[] {
  const names = sensorFeatures(model);
  const routes = subscribe.map((entry) => createRoute(entry, names, model.name));
  const missing = names.filter((name) => routes.every(({ brings }) => !brings.includes(name)));
  if (missing.length > 0) {
    const map = `features: { ${missing[0]}: KEY }`;
    throw new ConfigError([
      `${subscribe[0].at}: no subscription brings ${missing.join(', ')}, which the model ${model.name} reads; add ${map}`,
    ]);
  }
  return routes;
}

function createRoute(entry: Subscription, names: readonly string[], modelName: string): Route {
  const { topic, stream, qos, at } = entry;
  const topics = topicsOf(topic, at, { stream });
  for (const name of [...Object.keys(entry.features ?? {}), ...(entry.feature ? [entry.feature] : [])]) {
    if (names.includes(name)) continue;
    const nearest = nearestName(name, names);
    const fix = nearest === undefined ? `it reads ${names.join(', ')}` : `did you mean "${nearest}"?`;
    throw new ConfigError([
      `${at}: features: found "${name}", which the model ${modelName} does not read; ${fix}`,
    ]);
  }
  return { topics, qos, ...readerOf(entry, names) };
}

/** The topics of the forecasts.
 * @throws ConfigError when sensors could publish on one of them: whatever comes there is taken for a forecast */
export function createPublishTopics(
  { publish }: Pick<ServiceConfig, 'publish'>,
  routes: readonly Route[],
  model: Model,
): TopicPattern {
  const streamLevels = sharedChannels(model) === undefined ? 1 : 2;
  const topics = topicsOf(publish.topic, publish.at, { streamLevels });
  const met = routes.find((route) => topics.meets(route.topics));
  if (met === undefined) return topics;
  throw new ConfigError([
    `${publish.at}: publish.topic: found "${topics.pattern}", which the subscription of "${met.topics.pattern}" takes in too; ` +
      'give the forecasts topics of their own, such as cellstream/{stream}/forecast',
  ]);
}

/** @throws ConfigError with the place of the topic in the config */
function topicsOf(topic: string, at: string, options: TopicPatternOptions): TopicPattern {
  try {
    return parseTopicPattern(topic, options);
  } catch (cause) {
    throw new ConfigError([`${at}: topic: ${(cause as Error).message}`], { cause });
  }
}

function readerOf(
  entry: Subscription,
  names: readonly string[],
): Pick<Route, 'decoder' | 'saysTime' | 'brings'> {
  const { format, feature, features, time, at } = entry;
  if (format === 'number') {
    return {
      decoder: numberDecoder({ names, feature }),
      saysTime: false,
      brings: feature === undefined ? names : [feature],
    };
  }
  // without a map every feature is looked for under its own name
  const keys = names.map((name) => (features === undefined ? name : features[name]));
  const brings = names.filter((_, k) => keys[k] !== undefined);
  const saysTime = time !== arrival;
  if (format === 'protobuf') {
    return { decoder: protobufDecoder({ features: keys, timeOfArrival: !saysTime }), saysTime, brings };
  }
  const paths = keys.map((key) => (key === undefined ? undefined : pathOf(key, at)));
  const timePath = saysTime ? pathOf(time ?? 'time', at) : undefined;
  return { decoder: jsonDecoder({ features: paths, time: timePath }), saysTime, brings };
}

function pathOf(text: string, at: string): JsonPath {
  const path = parseJsonPath(text);
  if (path) return path;
  throw new ConfigError([`${at}: found "${text}", expected a key or a path such as $.sensors[0].temp`]);
}
