/** `sensors/{stream}/weather`: a topic with the stream's place in it. */
export interface TopicPattern {
  readonly pattern: string;
  /** What to subscribe to: `sensors/+/weather`. */
  readonly filter: string;
  topicOf(stream: string): string;
  /** The stream of a topic, or undefined when the topic is of another pattern. */
  streamOf(topic: string): string | undefined;
}

class TopicPatternError extends Error {
  override readonly name = 'TopicPatternError';
}

const place = '{stream}';

export function parseTopicPattern(pattern: string): TopicPattern {
  const levels = pattern.split('/');
  if (levels.filter((level) => level === place).length !== 1) {
    throw new TopicPatternError(`topic "${pattern}" needs ${place} as exactly one of its levels`);
  }
  if (levels.some((level) => level !== place && /[{}+#\0]/.test(level))) {
    throw new TopicPatternError(`topic "${pattern}" may hold no wildcard but ${place}`);
  }
  const [head, tail] = pattern.split(place);
  return {
    pattern,
    filter: `${head}+${tail}`,
    topicOf: (stream) => `${head}${stream}${tail}`,
    streamOf(topic) {
      if (topic.length < head.length + tail.length) return undefined;
      if (!topic.startsWith(head) || !topic.endsWith(tail)) return undefined;
      const stream = topic.slice(head.length, topic.length - tail.length);
      return stream.includes('/') ? undefined : stream;
    },
  };
}
