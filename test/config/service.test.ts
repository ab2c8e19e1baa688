import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { ConfigError } from '../../src/config/config-error.ts';
import { readCredentials } from '../../src/config/credentials.ts';
import { loadServiceConfig, serviceJsonSchema } from '../../src/config/service.ts';

const minimal = 'model: oil.pb\nbroker: { url: mqtt://pi }\nsubscribe:\n  - topic: oil/{stream}\n';
const full = `name: plant-2
model: ../models/weather.pb
broker: { url: mqtts://broker:8883, username: pi, password_file: secret, ca: ca.pem, cert: c.pem, key: k.pem, protocol: "5" }
subscribe:
  - { topic: plant/{stream}/telemetry, format: json, time: ts, features: { temp: $.temperature } }
  - { topic: home/attic/pressure, stream: attic, format: number, feature: pressure, qos: 0 }
  - { topic: pb/{stream}, format: protobuf, time: arrival }
publish: { topic: out/{stream}, qos: 0, format: protobuf, retain: true }
combine: mean
lateness: 90s
staleAfter: 10m
maxStreams: 50
state: { dir: /var/lib/cellstream, commit: 5s }
dashboard: { port: 9000, host: 0.0.0.0 }
`;

function problemsOf(text: string, path = 'etc/plant.yaml'): readonly string[] {
  try {
    loadServiceConfig(text, path);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  return [];
}

describe('a config', () => {
  test('that says the least gets every default', () => {
    expect(loadServiceConfig(minimal, '/etc/cellstream/oil press.yaml')).toEqual({
      name: 'oil-press',
      model: '/etc/cellstream/oil.pb',
      broker: { url: 'mqtt://pi', protocol: 'auto' },
      clientId: 'cellstream-oil-press',
      subscribe: [{ topic: 'oil/{stream}', qos: 1, format: 'json', at: '/etc/cellstream/oil press.yaml:4' }],
      publish: {
        ...{ topic: 'cellstream/{stream}/forecast', qos: 1, format: 'json', retain: false },
        at: '/etc/cellstream/oil press.yaml:1',
      },
      latenessMs: 0,
      maxStreams: 10_000,
      threads: 1,
      stateDir: '/etc/cellstream/oil-press.state',
      commitMs: 5000,
      ack: 'auto',
      models: { trust: [], shadowMs: 3_600_000 },
    });
  });

  test('that takes models by MQTT names whom it trusts, and one topic', () => {
    const config = (models: string) => `${minimal}models: ${models}\n`;
    const { models } = loadServiceConfig(
      config('{ trust: [a.pub.pem, /keys/b.pub.pem], topic: plant/model, shadow: off }'),
      '/etc/oil.yaml',
    );
    expect(models).toEqual({
      trust: ['/etc/a.pub.pem', '/keys/b.pub.pem'],
      topic: 'plant/model',
      shadowMs: 0,
    });
    expect(problemsOf(config('{ topic: plant/model }'))).toEqual([
      expect.stringContaining('models.topic: found without models.trust, expected the public keys'),
    ]);
    expect(problemsOf(config('{ trust: [a.pem], topic: plant/+ }'))).toEqual([
      expect.stringContaining('found "plant/+", expected one topic such as cellstream/plant/model'),
    ]);
    expect(problemsOf(config('{ shadow: never }'))).toEqual([
      expect.stringContaining(
        'models.shadow: found "never", expected a duration such as 5s, 10m or 1h, or off',
      ),
    ]);
  });

  test('that says everything is read as it stands, its files beside it', () => {
    const config = loadServiceConfig(full, '/etc/plant.yaml');
    expect(config).toMatchObject({
      ...{ name: 'plant-2', model: '/models/weather.pb', clientId: 'cellstream-plant-2' },
      broker: {
        ...{ url: 'mqtts://broker:8883', username: 'pi', protocol: '5' },
        ...{ passwordFile: '/etc/secret', ca: '/etc/ca.pem', cert: '/etc/c.pem', key: '/etc/k.pem' },
      },
      subscribe: [
        { topic: 'plant/{stream}/telemetry', features: { temp: '$.temperature' }, at: '/etc/plant.yaml:5' },
        { stream: 'attic', feature: 'pressure', qos: 0, at: '/etc/plant.yaml:6' },
        { format: 'protobuf', time: 'arrival' },
      ],
      publish: { topic: 'out/{stream}', qos: 0, format: 'protobuf', retain: true },
      ...{ combine: 'mean', latenessMs: 90_000, staleAfterMs: 600_000, maxStreams: 50 },
      ...{ stateDir: '/var/lib/cellstream', commitMs: 5000, ack: 'auto' },
      dashboard: { port: 9000, host: '0.0.0.0' },
    });
  });
});

describe('a wrong config is named with its line, what was found and what to do', () => {
  const subscribe = (entry: string) => `model: a.pb\nbroker: { url: mqtt://pi }\nsubscribe:\n  - ${entry}\n`;

  test.each([
    ['', 'etc/plant.yaml:1: found nothing, expected a map with at least model, broker and subscribe'],
    [
      'model: a.pb\nsubscribe: [{ topic: a/{stream} }]\n',
      'missing, expected a map such as { url: mqtt://localhost }',
    ],
    [minimal.replace('url', 'ulr'), 'etc/plant.yaml:2: broker.ulr: unknown key; did you mean "url"?'],
    [
      minimal.replace('mqtt://pi', 'pi:1883'),
      'found "pi:1883", expected an address such as mqtt://broker:1883',
    ],
    [
      `${minimal}dashbord: { port: 1 }\n`,
      'etc/plant.yaml:5: dashbord: unknown key; did you mean "dashboard"?',
    ],
    [`${minimal}dashboard: { port: 99999 }\n`, 'found 99999, expected a whole number from 1 to 65535'],
    [`${minimal}lateness: 5\n`, 'found 5, expected a duration such as 5s, 10m or 1h; write it in quotes'],
    [`${minimal}lateness: 8d\n`, 'found 8d, expected at most 7d'],
    [`${minimal}state: { commit: 25d }\n`, 'etc/plant.yaml:5: state.commit: found 25d, expected at most 24d'],
    [`${minimal}combine: avg\n`, 'found "avg", expected last, mean, sum or max'],
    [`${minimal}publish: { topic: out }\n`, 'found "out", expected {stream} in place of a level'],
    [minimal.replace('oil/{stream}', 'oil'), 'expected {stream} in place of a level, or a key stream: NAME'],
    [subscribe('{ topic: a/{stream}, stream: b }'), 'the topic names the stream already'],
    [
      subscribe('{ topic: a/{stream}, format: number }'),
      'a number needs one of feature: NAME and a level {feature}',
    ],
    [
      subscribe('{ topic: a/{stream}, format: number, feature: t, time: ts }'),
      'subscribe[0].time: a number carries no time',
    ],
    [subscribe('{ topic: a/{stream}, feature: t }'), 'is for format: number, found format: json'],
    [subscribe('{ topic: a/{stream}/{feature} }'), '{feature} is for format: number, found format: json'],
    [subscribe('{ topic: a/{stream}, format: protobuf, time: ts }'), 'protobuf has a field for the time'],
    [
      subscribe('{ topic: a/{stream} }\n  - { topic: a/{stream} }'),
      'etc/plant.yaml:5: subscribe[1].topic: found "a/{stream}" a second time',
    ],
    [subscribe('{ topic: a/{stream}, qos: 2 }'), 'found 2, expected 0 or 1'],
    [
      minimal.replace('mqtt://pi', 'mqtt://pi, cert: c.pem'),
      'cert without key; a client certificate needs both',
    ],
    [
      minimal.replace('mqtt://pi', 'mqtt://pi, ca: c.pem'),
      'found an address that is not encrypted, with certificates',
    ],
    [
      minimal.replace('mqtt://pi', 'mqtt://pi, password: hunter2'),
      'broker.password: unknown key; did you mean "password_file"?',
    ],
    ['model: [\n', 'etc/plant.yaml:2: Flow sequence'],
  ])('%j', (text, expected) => {
    expect(problemsOf(text).join('\n')).toContain(expected);
  });

  test.each([
    '{ url: "mqt://pi:sup3rsecret@127.0.0.1:1883" }',
    '"mqtt://pi:sup3rsecret@127.0.0.1"',
    '{ url: "mqtt:/pi:sup3rsecret@h" }',
    '{ url: "mqtt://u:sup3rsecret@secret@h", ca: a }',
    '{ url: "mqtt://u:sup3rsecret/secret@h", ca: a }',
    '{ url: "mqtt://u:sup3rsecret@pi", password: sup3rsecret }',
  ])('without the password that somebody wrote into it: %s', (broker) => {
    const problems = problemsOf(`model: a.pb\nbroker: ${broker}\nsubscribe: [{ topic: a/{stream} }]\n`);
    expect(problems.length).toBeGreaterThan(0);
    expect(problems.join('\n')).not.toContain('sup3r');
    expect(problems.join('\n')).not.toContain('secret@');
  });
});

describe('credentials', () => {
  const folder = mkdtempSync(join(tmpdir(), 'cellstream-credentials-'));
  afterAll(() => rmSync(folder, { recursive: true }));
  const file = (name: string, text: string) => {
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  };
  const broker = { url: 'mqtt://pi', protocol: 'auto' } as const;

  test('come from the files of the config, without the line feed of an editor', () => {
    const passwordFile = file('password', 'hunter2\n');
    const ca = file('ca.pem', 'PEM\n');
    expect(readCredentials({ ...broker, username: 'pi', passwordFile, ca }, {})).toEqual({
      ...{ username: 'pi', password: 'hunter2', ca: Buffer.from('PEM\n') },
    });
  });

  test('come from the environment, which wins', () => {
    const passwordFile = file('other', 'from the config');
    const environment = {
      CELLSTREAM_MQTT_USERNAME: 'me',
      CELLSTREAM_MQTT_PASSWORD_FILE: file('secret', ' spaces count '),
    };
    expect(readCredentials({ ...broker, username: 'pi', passwordFile }, environment)).toEqual({
      ...{ username: 'me', password: ' spaces count ' },
    });
    expect(readCredentials(broker, { ...environment, CELLSTREAM_MQTT_PASSWORD: 'p' }).password).toBe('p');
  });

  test('that cannot be read are named by their file', () => {
    expect(() => readCredentials({ ...broker, passwordFile: join(folder, 'none') }, {})).toThrow(
      `cannot read the password file ${join(folder, 'none')}: there is no such file`,
    );
    expect(() => readCredentials({ ...broker, ca: folder }, {})).toThrow('it is a folder');
  });
});

test('the JSON Schema describes every field and refuses others', () => {
  const schema = serviceJsonSchema() as { properties: Record<string, object>; required: string[] };
  expect(schema).toMatchObject({ type: 'object', additionalProperties: false });
  expect(schema.required).toEqual(['model', 'broker', 'subscribe']);
  expect(Object.keys(schema.properties)).toContain('lateness');
});
