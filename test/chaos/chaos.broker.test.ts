import { expect, test } from 'vitest';
import { describeWithMosquitto } from '../mqtt/mosquitto.ts';
import { longestStopMs, runChaos } from './run-chaos.ts';

describeWithMosquitto('ten kills and other faults at 5,000 messages a second', () => {
  test('lose no reading, step none twice and leave every state and forecast as without them', async () => {
    // a seed that draws a full disk too
    const said: string[] = [];
    const report = await runChaos({ kills: 10, seed: 8, say: (line) => said.push(line) });
    expect(report, said.join('\n')).toMatchObject({
      ...{ kills: 10, streams: 1_000, lost: 0, doubled: 0, wrongStates: 0, wrongForecasts: 0, miscounted: 0 },
    });
    expect(report.messages).toBeGreaterThan(50_000);
    expect(report.slowestStopMs).toBeLessThan(longestStopMs);
    // where this user may mount one
    expect(report.faults['full disk'] ?? 0).toBe(report.hasDisk ? 1 : 0);
    expect(said.some((line) => line.includes('degraded'))).toBe(report.hasDisk);
  }, 300_000);
});
