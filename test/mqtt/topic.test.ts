import { expect, test } from 'vitest';
import { parseTopicPattern } from '../../src/mqtt/topic.ts';

test('a pattern subscribes with a wildcard, finds the stream and writes a topic', () => {
  const pattern = parseTopicPattern('plant/{stream}/telemetry');
  expect(pattern.filter).toBe('plant/+/telemetry');
  expect(pattern.topicOf('boiler')).toBe('plant/boiler/telemetry');
  expect(pattern.streamOf('plant/boiler/telemetry')).toBe('boiler');
});

test.each([
  'plant/boiler/forecast',
  'plant/boiler/1/telemetry',
  'plant/telemetry',
  'other/boiler/telemetry',
  '',
])('the topic "%s" is none of its', (topic) => {
  expect(parseTopicPattern('plant/{stream}/telemetry').streamOf(topic)).toBeUndefined();
});

test('the stream may be the first or the last level', () => {
  expect(parseTopicPattern('{stream}/temp').streamOf('a/temp')).toBe('a');
  expect(parseTopicPattern('temp/{stream}').streamOf('temp/a')).toBe('a');
  expect(parseTopicPattern('{stream}').streamOf('a')).toBe('a');
});

test.each([
  'plant/telemetry',
  '{stream}/{stream}',
  'plant/x{stream}/t',
  'plant/+/{stream}',
  '#/{stream}',
  '',
])('the pattern "%s" is refused and the message names it', (pattern) => {
  expect(() => parseTopicPattern(pattern)).toThrow(`topic "${pattern}"`);
});
