import { describe, expect, test } from 'vitest';
import { cellstream } from '#proto/telemetry.js';
import { parseJsonPath } from '../../src/stream/json-path.ts';
import type { Decoder, Message } from '../../src/stream/payload.ts';
import { jsonDecoder } from '../../src/stream/read-json.ts';
import { numberDecoder } from '../../src/stream/read-number.ts';
import { protobufDecoder } from '../../src/stream/read-protobuf.ts';

const arrivedMs = 1_700_000_000_123;

function read(decoder: Decoder, payload: string | Uint8Array, feature?: string) {
  const bytes = typeof payload === 'string' ? new TextEncoder().encode(payload) : payload;
  const message: Message = { route: 0, stream: 's', feature, payload: bytes, retained: false, arrivedMs };
  return decoder(message);
}

describe('a path into JSON', () => {
  test.each([
    ['temp', ['temp']],
    ['a.b', ['a.b']],
    ['$.temperature', ['temperature']],
    ['$.sensors[0].temp', ['sensors', 0, 'temp']],
    ["$['air temp'].value", ['air temp', 'value']],
    ['$["a.b"][12]', ['a.b', 12]],
    ['$.a-b_c', ['a-b_c']],
  ])('%s', (text, path) => {
    expect(parseJsonPath(text)).toEqual(path);
  });

  test.each(['', '$', '$temp', '$.', '$.a..b', '$.a[', '$.a[-1]', '$.*', '$..a', "$['']"])(
    'not %j',
    (text) => {
      expect(parseJsonPath(text)).toBeUndefined();
    },
  );
});

describe('JSON by path', () => {
  const decoder = jsonDecoder({
    features: [parseJsonPath('$.sensors[0].temp'), undefined, parseJsonPath('$.p')],
    time: parseJsonPath('$.meta.ts'),
  });

  test('finds values, lists and times inside of objects', () => {
    expect(read(decoder, '{"meta":{"ts":1357020000},"sensors":[{"temp":39.02}],"p":null}')).toEqual({
      timeMs: 1_357_020_000_000,
      features: [0, 2],
      values: [Math.fround(39.02), Number.NaN],
      malformed: [],
    });
  });

  test.each([
    ['no time', '{"sensors":[{"temp":39.02}]}'],
    ['no time', '{"meta":7,"p":1}'],
    ['no feature', '{"meta":{"ts":0},"sensors":[]}'],
    ['no feature', '{"meta":{"ts":0},"sensors":"text"}'],
    ['not a number', '{"meta":{"ts":0},"p":[1]}'],
  ])('says %s of %s', (reason, payload) => {
    expect(read(decoder, payload).malformed).toEqual([reason]);
  });

  test('takes the time of arrival where the subscription says so', () => {
    const timeless = jsonDecoder({ features: [['temp']] });
    expect(read(timeless, '{"temp":1,"time":"garbage"}')).toMatchObject({ timeMs: arrivedMs, values: [1] });
  });
});

describe('a plain number', () => {
  const decoder = numberDecoder({ names: ['temp', 'pressure'] });

  test.each([
    ['39.02', Math.fround(39.02)],
    [' -4e-3\n', Math.fround(-0.004)],
    ['null', Number.NaN],
  ])('%j is a reading of the feature of its topic at the time of its arrival', (payload, value) => {
    const expected = { timeMs: arrivedMs, features: [1], values: [value], malformed: [] };
    expect(read(decoder, payload, 'pressure')).toEqual(expected);
  });

  test.each([
    ['not a number', 'NaN', 'temp'],
    ['not a number', 'Infinity', 'temp'],
    ['not a number', '0x10', 'temp'],
    ['not a number', '', 'temp'],
    ['not a number', '1,5', 'temp'],
    ['not a number', '1'.repeat(65), 'temp'],
    ['out of range', '1e300', 'temp'],
    ['not UTF-8', Uint8Array.of(0xff, 0x31), 'temp'],
    ['no feature', '1', 'humidity'],
    ['no feature', '1', undefined],
  ])('says %s of %j', (reason, payload, feature) => {
    expect(read(decoder, payload, feature).malformed).toEqual([reason]);
  });

  test('is of the feature of its subscription where the topic names none', () => {
    expect(read(numberDecoder({ names: ['temp', 'pressure'], feature: 'temp' }), '7').features).toEqual([0]);
  });
});

describe('protobuf', () => {
  const decoder = protobufDecoder({ features: ['temp', 'pressure'] });
  const encode = (reading: cellstream.IReading) => cellstream.Reading.encode(reading).finish();
  const timeMs = Date.UTC(2013, 0, 1, 6);

  test('gives the bits that JSON gives', () => {
    const json = jsonDecoder({ features: [['temp'], ['pressure']], time: ['time'] });
    for (const value of [39.02, -0.1, 1e-40, 16_777_217, 0.1 + 0.2]) {
      const values = [{ feature: 'temp', value }, { feature: 'pressure' }];
      const text = JSON.stringify({ time: timeMs, temp: value, pressure: null });
      expect(read(decoder, encode({ timeMs, values }))).toEqual(read(json, text));
    }
  });

  test.each<[string, Uint8Array]>([
    ['not protobuf', Uint8Array.of(0x0b, 0xff)],
    ['not protobuf', new TextEncoder().encode('{"temp":1}')],
    ['no time', encode({ values: [{ feature: 'temp', value: 1 }] })],
    ['bad time', encode({ timeMs: Number.NaN, values: [{ feature: 'temp', value: 1 }] })],
    ['bad time', encode({ timeMs: 1e300, values: [{ feature: 'temp', value: 1 }] })],
    ['no feature', encode({ timeMs, values: [{ feature: 'humidity', value: 1 }] })],
    ['no feature', encode({ timeMs })],
    ['not a number', encode({ timeMs, values: [{ feature: 'temp', value: Number.NaN }] })],
    ['out of range', encode({ timeMs, values: [{ feature: 'temp', value: Number.POSITIVE_INFINITY }] })],
    ['too large', new Uint8Array(70_000)],
  ])('says %s of %j', (reason, payload) => {
    expect(read(decoder, payload).malformed).toEqual([reason]);
  });

  test('takes the time of arrival where the subscription says so', () => {
    const timeless = protobufDecoder({ features: ['temp'], timeOfArrival: true });
    const payload = encode({ values: [{ feature: 'temp', value: 1 }] });
    expect(read(timeless, payload).timeMs).toBe(arrivedMs);
  });
});
