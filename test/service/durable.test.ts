import { describe, expect, test } from 'vitest';
import { startBroker } from '../../src/mqtt/broker.ts';
import { openLink, send } from '../mqtt/links.ts';
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
