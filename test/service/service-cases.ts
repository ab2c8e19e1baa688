import { onTestFinished } from 'vitest';
import { loadServiceConfig } from '../../src/config/service.ts';
import type { Engine } from '../../src/engine/engine.ts';
import { parseTopicPattern } from '../../src/mqtt/topic.ts';
import { createLog } from '../../src/service/log.ts';
import { type Service, type ServiceOptions, startService } from '../../src/service/service.ts';
import { createRoutes } from '../../src/service/subscriptions.ts';
import type { Decoder } from '../../src/stream/payload.ts';
import { createTinyEngine, hourMs, startMs } from '../stream/tiny-engine.ts';

export const engine = createTinyEngine();

/** An engine with a defect of ours, which shows at that step. */
export function breakAt(step: number): Engine {
  return {
    ...engine,
    createArena() {
      const arena = engine.createArena();
      let steps = 0;
      const predict = () => {
        if (++steps === step) throw new Error('no such step');
        arena.predict();
      };
      return Object.create(arena, { predict: { value: predict } });
    },
  };
}

export interface TestService {
  readonly service: Service;
  /** The lines of its log. */
  readonly lines: readonly Readonly<Record<string, unknown>>[];
}

export interface TestServiceOptions extends Partial<Omit<ServiceOptions, 'broker' | 'routes' | 'publish'>> {
  readonly url: string;
  readonly protocol?: '5' | '3.1.1';
  readonly clientId?: string;
  /** Entries of `subscribe` in YAML. */
  readonly subscribe?: readonly string[];
  readonly publish?: { readonly topic?: string; readonly qos?: 0 | 1 };
  /** Looks at what is decoded. */
  readonly wrapDecoder?: (decoder: Decoder) => Decoder;
}

/** A service of the tiny model as a config would make it, closed when the test ends. */
export async function openTestService(options: TestServiceOptions): Promise<TestService> {
  const {
    url,
    protocol,
    clientId,
    subscribe = ['{ topic: sensors/{stream}/weather }'],
    publish,
    wrapDecoder = (decoder) => decoder,
    ...rest
  } = options;
  const lines: Record<string, unknown>[] = [];
  const log = createLog('test', { destination: { write: (line: string) => lines.push(JSON.parse(line)) } });
  const entries = subscribe.map((entry) => `  - ${entry}\n`).join('');
  const config = loadServiceConfig(
    `model: tiny.pb\nbroker: { url: "${url}" }\nsubscribe:\n${entries}`,
    'test.yaml',
  );
  const used: Engine = rest.engine ?? engine;
  const service = await startService({
    ...{ name: 'test', engine: used, log, maxStreams: 1000, staleAfterMs: Number.POSITIVE_INFINITY },
    ...rest,
    broker: {
      ...{ url, protocol, clientId, statusTopic: 'cellstream/test/status' },
      backOff: { firstMs: 20, maxMs: 100 },
    },
    routes: createRoutes(config, used.model).map((route) => ({
      ...route,
      decoder: wrapDecoder(route.decoder),
    })),
    publish: {
      topics: parseTopicPattern(publish?.topic ?? 'cellstream/{stream}/forecast'),
      qos: publish?.qos ?? 1,
      retain: false,
    },
  });
  onTestFinished(() => service.close());
  await service.open(10_000);
  return { service, lines };
}

export function payloadAt(hour: number, temp: number | null = 50 + Math.sin(hour), pressure = 1000): string {
  return JSON.stringify({ time: startMs + hour * hourMs, temp, pressure });
}
