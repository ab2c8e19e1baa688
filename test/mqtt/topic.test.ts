import { describe, expect, test } from 'vitest';
import { parseTopicPattern, TopicPatternError } from '../../src/mqtt/topic.ts';

test('a pattern subscribes with a wildcard, finds the stream and writes a topic', () => {
  const pattern = parseTopicPattern('plant/{stream}/telemetry');
  expect(pattern.filter).toBe('plant/+/telemetry');
  expect(pattern.topicOf('boiler')).toBe('plant/boiler/telemetry');
  expect(pattern.match('plant/boiler/telemetry')).toEqual({ stream: 'boiler' });
});

test('a pattern may have a place for the feature, in any order', () => {
  const pattern = parseTopicPattern('{feature}/of/{stream}');
  expect(pattern.filter).toBe('+/of/+');
  expect(pattern.topicOf('boiler', 'temp')).toBe('temp/of/boiler');
  expect(pattern.match('temp/of/boiler')).toEqual({ stream: 'boiler', feature: 'temp' });
  expect(() => pattern.topicOf('boiler')).toThrow(TopicPatternError);
});

test('a pattern without a place for the stream takes the one that is named beside it', () => {
  const pattern = parseTopicPattern('home/boiler/{feature}', { stream: 'boiler' });
  expect(pattern.filter).toBe('home/boiler/+');
  expect(pattern.match('home/boiler/temp')).toEqual({ stream: 'boiler', feature: 'temp' });
  expect(pattern.topicOf('boiler', 'temp')).toBe('home/boiler/temp');
  expect(parseTopicPattern('home/temp', { stream: 'home' }).match('home/temp')).toEqual({ stream: 'home' });
});

test.each([
  'plant/boiler/forecast',
  'plant/boiler/1/telemetry',
  'plant/boiler/telemetry/',
  '/plant/boiler/telemetry',
  'plant//telemetry',
  'plant/boiler',
  'plant/telemetry',
  'other/boiler/telemetry',
  '',
])('the topic "%s" is none of its', (topic) => {
  expect(parseTopicPattern('plant/{stream}/telemetry').match(topic)).toBeUndefined();
});

test('an empty level names no feature', () => {
  expect(parseTopicPattern('{stream}/{feature}').match('boiler/')).toBeUndefined();
});

test('the place may be the first, the last or the only level', () => {
  expect(parseTopicPattern('{stream}/temp').match('a/temp')).toEqual({ stream: 'a' });
  expect(parseTopicPattern('temp/{stream}').match('temp/a')).toEqual({ stream: 'a' });
  expect(parseTopicPattern('{stream}').match('a')).toEqual({ stream: 'a' });
});

describe('covers', () => {
  const pattern = parseTopicPattern('cellstream/{stream}/forecast.1');

  test.each(['JFK', 'forecast.1', 'line\nbreak'])(
    'all that it could have written, of the stream "%s" too',
    (stream) => {
      expect(pattern.covers(pattern.topicOf(stream))).toBe(true);
    },
  );

  test('streams of two levels, where channels share their weights', () => {
    const shared = parseTopicPattern('cellstream/{stream}/forecast.1', { streamLevels: 2 });
    expect(shared.covers(shared.topicOf('JFK/temp'))).toBe(true);
    expect(shared.covers('cellstream/JFK/forecast.1')).toBe(false);
  });

  test.each([
    'cellstream/forecast.1',
    'cellstream//forecast.1',
    'cellstream/JFK/temp/forecast.1',
    'cellstream/JFK/forecast41',
    'x/cellstream/JFK/forecast.1',
  ])('nothing else: %s', (topic) => {
    expect(pattern.covers(topic)).toBe(false);
  });

  test('of a pattern with a fixed stream exactly its topics', () => {
    const fixed = parseTopicPattern('home/{feature}', { stream: 'home' });
    expect(fixed.covers('home/temp')).toBe(true);
    expect(fixed.covers('home/temp/x')).toBe(false);
  });
});

test.each([
  ['', 'found nothing, expected a topic with {stream}'],
  ['plant/telemetry', 'names no stream: put {stream} in place of a level'],
  ['{stream}/{stream}', 'has 2 places {stream}, expected one'],
  ['{stream}/{feature}/{feature}', 'has 2 places {feature}, expected one'],
  ['plant/x{stream}/t', 'found the level "x{stream}"'],
  ['plant/{steam}', 'found the level "{steam}"'],
  ['plant/+/{stream}', 'found the level "+"'],
  ['#/{stream}', 'found the level "#"'],
  ['a\0b/{stream}', 'found the level "a\0b"'],
  ['$SYS/{stream}', 'starts with $'],
])('the pattern "%s" is refused and the message names it', (pattern, message) => {
  expect(() => parseTopicPattern(pattern)).toThrow(TopicPatternError);
  expect(() => parseTopicPattern(pattern)).toThrow(`topic "${pattern}"`);
  expect(() => parseTopicPattern(pattern)).toThrow(message);
});

test('a place for the stream and a name beside it contradict each other', () => {
  expect(() => parseTopicPattern('a/{stream}', { stream: 'b' })).toThrow('expected one of them');
});

test.each([
  ['a/{stream}/b', 'a/{stream}/b', true],
  ['a/{stream}', 'a/{stream}/b', false],
  ['a/{stream}/b', 'a/x/{stream}', true],
  ['a/{stream}/b', 'a/{stream}/c', false],
  ['{stream}/{feature}', 'a/{stream}', true],
])('%s and %s may meet: %s', (one, other, meet) => {
  const [first, second] = [parseTopicPattern(one), parseTopicPattern(other)];
  expect(first.meets(second)).toBe(meet);
  expect(second.meets(first)).toBe(meet);
});
