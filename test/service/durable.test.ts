import { describe, expect, test } from 'vitest';
import { startBroker } from '../../src/mqtt/broker.ts';
import { openLink, send } from '../mqtt/links.ts';
import { startNarrowBroker } from '../mqtt/narrow-broker.ts';
import { until } from '../mqtt/until.ts';
import { makeFolder } from '../state/folder.ts';
import { openTestService, payloadAt } from './service-cases.ts';

describe('a service with a state folder, at a broker that speaks MQTT 3.1.1 only,', () => {
  test.each([
    ['auto', 1],
    ['on-receipt', 0],
    ['on-commit', 0],
  ] as const)('with ack: %s says %i times what a kill would lose', async (ack, times) => {
    const broker = await startBroker();
    const folder = await makeFolder();
    const { service, lines } = await openTestService({
      ...{ url: broker.url, clientId: `durable-${ack}` },
      state: { folder, commitMs: 20, ack },
    });
    const warnings = () => lines.filter(({ msg }) => String(msg).includes('acknowledged on arrival'));
    const sensor = await openLink({ url: broker.url, protocol: '3.1.1' });
    for (let hour = 0; hour < 5; hour++) await send(sensor.link, 'sensors/a/weather', payloadAt(hour));
    await until(() => service.sink.published === 5);
    await until(() => service.durable?.view().uncommitted === 0);
    await until(() => service.durable?.view().unacknowledged === 0);
    expect(warnings()).toHaveLength(times);
    await service.close();
    await broker.close();
  });
});

test('a service at a broker of MQTT 5 that sends 16 messages at a time waits for the interval only at first', async () => {
  const broker = await startNarrowBroker(16);
  const { service } = await openTestService({
    ...{ url: broker.url, protocol: '5', clientId: 'durable-narrow' },
    state: { folder: await makeFolder(), commitMs: 400, ack: 'auto' },
  });
  const messages = Array.from({ length: 960 }, (_, hour) => ({
    topic: 'sensors/a/weather',
    payload: payloadAt(hour),
  }));
  broker.send(messages);
  // 60 intervals would take 24 s
  await until(() => broker.acknowledged === messages.length, 10_000);
  expect(service.readings.ended).toMatchObject({ applied: 2 * messages.length });
});
