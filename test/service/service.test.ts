import { onTestFinished } from 'vitest';
import { startBroker } from '../../src/mqtt/broker.ts';
import { describeRoad } from './road-cases.ts';

async function start(): Promise<string> {
  const broker = await startBroker();
  onTestFinished(() => broker.close());
  return broker.url;
}

describeRoad('the embedded broker', { protocol: '3.1.1', start });
