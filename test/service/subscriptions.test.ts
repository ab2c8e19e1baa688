import { describe, expect, test } from 'vitest';
import { loadServiceConfig } from '../../src/config/service.ts';
import { createPublishTopics, createRoutes } from '../../src/service/subscriptions.ts';
import { sharedChannels } from '../../src/stream/decode.ts';
import type { Message } from '../../src/stream/payload.ts';
import { createTinyEngine } from '../stream/tiny-engine.ts';

const { model } = createTinyEngine();
const arrivedMs = 1_700_000_000_000;

function routes(...entries: string[]) {
  const list = entries.map((entry) => `  - ${entry}\n`).join('');
  const config = `model: tiny.pb\nbroker: { url: mqtt://pi }\nsubscribe:\n${list}`;
  return createRoutes(loadServiceConfig(config, 'etc/plant.yaml'), model);
}

/** What the first route that knows the topic makes of a payload. */
function read(list: ReturnType<typeof routes>, topic: string, payload: string) {
  for (const [route, { topics, decoder }] of list.entries()) {
    const match = topics.match(topic);
    if (!match) continue;
    const bytes = new TextEncoder().encode(payload);
    const message: Message = { route, ...match, payload: bytes, retained: false, arrivedMs };
    const { timeMs, features, values, malformed } = decoder(message);
    return { stream: match.stream, timeMs, features, values, malformed };
  }
  return undefined;
}

describe('subscriptions', () => {
  test('bring flat JSON under the names of the features', () => {
    const list = routes('{ topic: plant/{stream}/telemetry }');
    expect(list[0].topics.filter).toBe('plant/+/telemetry');
    expect(read(list, 'plant/boiler/telemetry', '{"time":1357020000,"temp":1,"pressure":2}')).toEqual({
      ...{ stream: 'boiler', timeMs: 1_357_020_000_000 },
      ...{ features: [0, 1], values: [1, 2], malformed: [] },
    });
    expect(read(list, 'plant/boiler/other', '{}')).toBeUndefined();
  });

  test('bring two features on two topics, as JSON by path and as a plain number', () => {
    const list = routes(
      '{ topic: a/{stream}, time: $.meta.at, features: { temp: "$.values[1]" } }',
      '{ topic: b/attic, stream: attic, format: number, feature: pressure, qos: 0 }',
    );
    expect(list.map(({ qos }) => qos)).toEqual([1, 0]);
    expect(read(list, 'a/attic', '{"meta":{"at":1357020000},"values":[0,7]}')).toMatchObject({
      ...{ stream: 'attic', features: [0], values: [7] },
    });
    expect(read(list, 'b/attic', '1013')).toMatchObject({
      ...{ stream: 'attic', timeMs: arrivedMs, features: [1], values: [1013] },
    });
  });

  test('bring a topic a feature', () => {
    const list = routes('{ topic: home/{stream}/{feature}, format: number }');
    expect(read(list, 'home/attic/pressure', '1013')).toMatchObject({ stream: 'attic', features: [1] });
    expect(read(list, 'home/attic/humidity', '40')?.malformed).toEqual(['no feature']);
  });

  test.each([
    [
      ['{ topic: a/{stream}, features: { temp: t, presure: p } }'],
      'etc/plant.yaml:4: features: found "presure", which the model tiny does not read; did you mean "pressure"?',
    ],
    [
      ['{ topic: a/{stream}, features: { temp: t } }'],
      'etc/plant.yaml:4: no subscription brings pressure, which the model tiny reads; add features: { pressure: KEY }',
    ],
    [
      ['{ topic: a/{stream}, format: number, feature: humidity }'],
      'etc/plant.yaml:4: features: found "humidity", which the model tiny does not read; it reads temp, pressure',
    ],
    [
      ['{ topic: a/{stream}, features: { temp: $.., pressure: p } }'],
      'etc/plant.yaml:4: found "$..", expected a key or a path such as $.sensors[0].temp',
    ],
    [['{ topic: a/+/{stream} }'], 'etc/plant.yaml:4: topic: '],
  ])('%j are refused with their line', (entries, expected) => {
    expect(() => routes(...entries)).toThrow(expected);
  });

  test('of a model whose channels share their weights bring the channels', () => {
    const shared = {
      ...model,
      input: {
        ...model.input,
        features: 1,
        names: ['value'],
        channels: ['EWR/temp', 'EWR/dewp', 'JFK/temp', 'JFK/dewp'],
        shared: true,
      },
    };
    const config = loadServiceConfig(
      'model: a.pb\nbroker: { url: mqtt://pi }\nsubscribe: [{ topic: a/{stream} }]\n',
      'a.yaml',
    );
    expect(createRoutes(config, shared)[0].brings).toEqual(['temp', 'dewp']);
  });

  test('of a model whose streams have scalers of their own bring its features', () => {
    const own = { ...model, input: { ...model.input, channels: ['EWR', 'plant/JFK'] } };
    const config = loadServiceConfig(
      'model: a.pb\nbroker: { url: mqtt://pi }\nsubscribe: [{ topic: a/{stream} }]\n',
      'a.yaml',
    );
    expect(createRoutes(config, own)[0].brings).toEqual(model.input.names);
    expect(sharedChannels(own)).toBeUndefined();
  });

  test.each([
    ['plant/{stream}/telemetry', 'plant/{stream}/telemetry'],
    ['{stream}/{feature}, format: number', 'out/{stream}'],
  ])('of %s do not go together with forecasts on %s', (topic, publish) => {
    const config = loadServiceConfig(
      `model: a.pb\nbroker: { url: mqtt://pi }\nsubscribe: [{ topic: ${topic} }]\npublish: { topic: ${publish} }\n`,
      'a.yaml',
    );
    expect(() => createPublishTopics(config, createRoutes(config, model), model)).toThrow(
      `a.yaml:4: publish.topic: found "${publish}", which the subscription of`,
    );
  });
});
