import { z } from 'zod';
import { durationPattern, parseDuration } from '../signal/duration.ts';
import { choice, text, wholeNumber } from './fields.ts';

const durationText = 'a duration such as 5s, 10m or 1h';

function duration() {
  return z
    .string(durationText)
    .regex(durationPattern, durationText)
    .refine((value) => parseDuration(value) !== undefined, durationText);
}

function durationOrOff() {
  const expected = `${durationText}, or off`;
  return z
    .string(expected)
    .regex(new RegExp(`^off$|${durationPattern.source}`), expected)
    .refine((value) => value === 'off' || parseDuration(value) !== undefined, expected);
}

function flag(expected = 'true or false') {
  return z.boolean(expected);
}

const path = text('the path of a file');
const topicText = 'a topic such as plant/{stream}/telemetry';
const qosText = '0 or 1';
const qos = z.union([z.literal(0, qosText), z.literal(1, qosText)], qosText);

const brokerSchema = z.strictObject(
  {
    url: z
      .string('an address such as mqtt://broker:1883 or mqtts://broker:8883')
      .regex(/^(mqtts?|wss?):\/\/[^\s/]/, 'an address such as mqtt://broker:1883 or mqtts://broker:8883')
      .describe('mqtt://HOST[:1883], or mqtts://HOST[:8883] for TLS.'),
    username: text('a user name').exactOptional(),
    password_file: path
      .exactOptional()
      .describe(
        'A file that holds the password; or set CELLSTREAM_MQTT_PASSWORD or CELLSTREAM_MQTT_PASSWORD_FILE.',
      ),
    ca: path.exactOptional().describe('The certificate authority of the broker, PEM.'),
    cert: path.exactOptional().describe('The certificate of this client, PEM.'),
    key: path.exactOptional().describe('The key of that certificate, PEM.'),
    servername: text('a host name')
      .exactOptional()
      .describe('The name in the certificate of the broker, where it is not the host of the url.'),
    protocol: choice(['auto', '5', '3.1.1']).default('auto').describe('auto: MQTT 5, then 3.1.1.'),
    clientId: text('a client id').exactOptional().describe('Stable; cellstream-NAME unless set.'),
  },
  'a map such as { url: mqtt://localhost }',
);

const subscriptionSchema = z.strictObject(
  {
    topic: text(topicText).describe('{stream} is the place of the stream, {feature} that of a feature.'),
    stream: text('the name of a stream').exactOptional().describe('Of a topic without {stream}.'),
    qos: qos.default(1),
    format: choice(['json', 'number', 'protobuf'])
      .default('json')
      .describe('number: the payload is one number. protobuf: Reading of proto/telemetry.proto.'),
    time: text('a key, a path such as $.meta.time, or arrival')
      .exactOptional()
      .describe('Where the time stands in JSON: `time` unless set. arrival: the time at which it arrives.'),
    features: z
      .record(
        z.string(),
        text('a key, or a path such as $.sensors[0].temp'),
        'a map such as { temp: $.temperature }',
      )
      .exactOptional()
      .describe('Feature of the model -> key or path in the payload; the same names unless set.'),
    feature: text('a feature of the model').exactOptional().describe('With format: number.'),
  },
  'a map such as { topic: plant/{stream}/telemetry }',
);

const publishSchema = z.strictObject(
  {
    topic: text('a topic such as cellstream/{stream}/forecast').default('cellstream/{stream}/forecast'),
    qos: qos.default(1),
    format: choice(['json', 'protobuf']).default('json'),
    retain: flag().default(false).describe('The broker keeps the newest forecast for those who come later.'),
  },
  'a map such as { topic: cellstream/{stream}/forecast }',
);

const nameText = 'letters, digits, dots, dashes and underscores (it stands in topics and in the client id)';

/** What a config file of `cellstream run` may say. Paths in it are relative to the file. */
export const serviceSchema = z.strictObject(
  {
    name: z
      .string(nameText)
      .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, nameText)
      .exactOptional()
      .describe("Of this service; the config file's own unless set."),
    model: path.describe('The .pb file.'),
    broker: brokerSchema,
    subscribe: z
      .array(subscriptionSchema, 'a list of subscriptions such as - { topic: plant/{stream}/telemetry }')
      .min(1, 'at least one subscription')
      .max(64, 'at most 64 subscriptions'),
    publish: publishSchema.prefault({}),
    combine: choice(['last', 'mean', 'sum', 'max'])
      .exactOptional()
      .describe("How several readings in one frame become one; the model's way unless set."),
    lateness: duration()
      .exactOptional()
      .describe(
        'How long, by the time stamps, a frame waits for readings out of order; not at all unless set.',
      ),
    staleAfter: duration()
      .exactOptional()
      .describe('A stream that was silent for that long is stale; three periods of the model unless set.'),
    maxStreams: wholeNumber(1, 1_000_000).default(10_000).describe('Readings of more streams are set aside.'),
    threads: wholeNumber(1, 64)
      .default(1)
      .describe(
        'Cores that step the streams; more than one help where 1,000 messages and more come at once.',
      ),
    state: z
      .strictObject(
        {
          dir: path.exactOptional().describe('A folder; NAME.state beside the config unless set.'),
          commit: durationOrOff()
            .default('5s')
            .describe(
              'How often readings go to disk, all of that time in one write; at most 24d. off: states live in memory alone.',
            ),
          ack: choice(['auto', 'on-commit', 'on-receipt'])
            .default('auto')
            .describe(
              'When a message of QoS 1 is acknowledged: when it is on disk, or on arrival. auto: on disk with MQTT 5, on arrival with 3.1.1.',
            ),
        },
        'a map such as { dir: /var/lib/cellstream }',
      )
      .prefault({}),
    models: z
      .strictObject(
        {
          trust: z
            .array(path, 'a list of files')
            .max(16, 'at most 16 files')
            .default([])
            .describe('Public keys, PEM: a new model has to be signed by one of them.'),
          topic: text('a topic such as cellstream/plant/model')
            .exactOptional()
            .describe('Where new models come, beside the file; for signed ones only.'),
          shadow: durationOrOff()
            .default('1h')
            .describe(
              'How long a new model runs beside the old one, unpublished, before the better one serves. off: it serves at once.',
            ),
        },
        'a map such as { trust: [model-key.pub.pem] }',
      )
      .prefault({}),
    dashboard: z
      .strictObject(
        {
          port: wholeNumber(1, 65_535).default(8080),
          host: text('a host name or address').default('127.0.0.1').describe('127.0.0.1: this machine only.'),
          token_file: path
            .exactOptional()
            .describe(
              'A file with the token that opens the page, /?token=TOKEN; needed where host is not this machine. Or set CELLSTREAM_PAGE_TOKEN or CELLSTREAM_PAGE_TOKEN_FILE.',
            ),
        },
        'a map such as { port: 8080 }',
      )
      .exactOptional()
      .describe('The page; none unless set.'),
  },
  'a map with at least model, broker and subscribe',
);
