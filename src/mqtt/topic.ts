/** `sensors/{stream}/weather`: a topic with the places of a stream and, perhaps, of a feature in it. */
export interface TopicPattern {
  readonly pattern: string;
  /** What to subscribe to: `sensors/+/weather`. */
  readonly filter: string;
  /** @throws TopicPatternError when the pattern has a place for a feature and none is given */
  topicOf(stream: string, feature?: string): string;
  /** Undefined when the topic is of another pattern. */
  match(topic: string): TopicMatch | undefined;
  /** Whether `topicOf` could have made the topic of a stream with as many levels as `streamLevels` says. */
  covers(topic: string): boolean;
  /** Whether some topic belongs to both. */
  meets(other: TopicPattern): boolean;
  /** One for each level of the topics, undefined for a place. */
  readonly levels: readonly (string | undefined)[];
}

interface TopicMatch {
  readonly stream: string;
  readonly feature?: string | undefined;
}

export interface TopicPatternOptions {
  /** The stream of a pattern that has no place for it. */
  readonly stream?: string | undefined;
  /** Levels of a stream's name: 2 where channels share their weights, `JFK/temp`; 1 unless set. */
  readonly streamLevels?: number | undefined;
}

export class TopicPatternError extends Error {
  override readonly name = 'TopicPatternError';
}

const streamPlace = '{stream}';
const featurePlace = '{feature}';

/** @throws TopicPatternError */
export function parseTopicPattern(
  pattern: string,
  { stream, streamLevels = 1 }: TopicPatternOptions = {},
): TopicPattern {
  const levels = pattern.split('/');
  checkLevels(pattern, levels);
  checkPlaces(pattern, levels, stream);
  const open = levels.flatMap((level) =>
    isPlace(level) ? Array(level === streamPlace ? streamLevels : 1).fill(undefined) : [level],
  );
  // places, and what stands between them
  const parts = pattern.split(/(\{stream\}|\{feature\})/);
  return {
    pattern,
    levels: open,
    filter: levels.map((level) => (isPlace(level) ? '+' : level)).join('/'),
    topicOf(name, feature) {
      let topic = '';
      for (const part of parts) {
        if (part === streamPlace) topic += name;
        else if (part !== featurePlace) topic += part;
        else if (feature !== undefined) topic += feature;
        else {
          throw new TopicPatternError(
            `topic "${pattern}" has a place for a feature, found none to write there`,
          );
        }
      }
      return topic;
    },
    match: (topic) => matchLevels(levels, topic, stream),
    covers: (topic) => levelsCover(open, topic),
    meets: (other) => levelsMeet(open, other.levels),
  };
}

/** Called with every message: level by level, without taking the topic apart first. */
function matchLevels(
  levels: readonly string[],
  topic: string,
  fixed: string | undefined,
): TopicMatch | undefined {
  let stream = fixed;
  let feature: string | undefined;
  let start = 0;
  for (let i = 0; i < levels.length; i++) {
    const slash = topic.indexOf('/', start);
    const last = i === levels.length - 1;
    if (last !== (slash === -1)) return undefined;
    const end = last ? topic.length : slash;
    if (levels[i] === streamPlace) stream = topic.slice(start, end);
    else if (levels[i] === featurePlace) feature = topic.slice(start, end);
    else if (!isLevel(topic, start, end, levels[i])) return undefined;
    start = end + 1;
  }
  // + matches an empty level too, which names nothing
  return stream && feature !== '' ? { stream, feature } : undefined;
}

function checkLevels(pattern: string, levels: readonly string[]): void {
  if (pattern === '')
    throw new TopicPatternError(`topic "": found nothing, expected a topic with ${streamPlace}`);
  if (pattern.startsWith('$')) {
    throw new TopicPatternError(`topic "${pattern}" starts with $, which belongs to the broker itself`);
  }
  const wrong = levels.find((level) => !isPlace(level) && /[{}+#\0]/.test(level));
  if (wrong === undefined) return;
  throw new TopicPatternError(
    `topic "${pattern}": found the level "${wrong}", expected plain text, ${streamPlace} or ${featurePlace}, ` +
      'and no + or #',
  );
}

function checkPlaces(pattern: string, levels: readonly string[], stream: string | undefined): void {
  for (const place of [streamPlace, featurePlace]) {
    const count = levels.filter((level) => level === place).length;
    if (count > 1)
      throw new TopicPatternError(`topic "${pattern}" has ${count} places ${place}, expected one`);
  }
  const placed = levels.includes(streamPlace);
  if (placed && stream !== undefined) {
    throw new TopicPatternError(
      `topic "${pattern}" has ${streamPlace} and is given the stream "${stream}", expected one of them`,
    );
  }
  if (!placed && !stream) {
    throw new TopicPatternError(
      `topic "${pattern}" names no stream: put ${streamPlace} in place of a level, or name the stream beside it`,
    );
  }
}

function isPlace(level: string): boolean {
  return level === streamPlace || level === featurePlace;
}

type Levels = readonly (string | undefined)[];

function isLevel(topic: string, start: number, end: number, level: string): boolean {
  return end - start === level.length && topic.startsWith(level, start);
}

/** Called with every message, as matchLevels is. */
function levelsCover(levels: Levels, topic: string): boolean {
  let start = 0;
  for (let i = 0; i < levels.length; i++) {
    const slash = topic.indexOf('/', start);
    const last = i === levels.length - 1;
    if (last !== (slash === -1)) return false;
    const end = last ? topic.length : slash;
    const level = levels[i];
    // an empty level names nothing
    const fits =
      level === undefined ? end > start : topic.startsWith(level, start) && end - start === level.length;
    if (!fits) return false;
    start = end + 1;
  }
  return true;
}

function levelsMeet(one: Levels, other: Levels): boolean {
  if (one.length !== other.length) return false;
  // an empty level names nothing, so that no place holds one
  const fits = (level: string | undefined, found: string | undefined) =>
    level === undefined ? found !== '' : found === undefined || level === found;
  return one.every((level, i) => fits(level, other[i]));
}
