import type { DemoSnapshot } from './demo-snapshot.ts';
import { summarize } from './demo-table.ts';

class DemoError extends Error {
  override readonly name = 'DemoError';
}

interface ReportOptions {
  readonly json: boolean;
  readonly seconds?: number | undefined;
}

/** The last words of the demo.
 * @throws DemoError when it has nothing to show */
export function reportDemo(snapshot: DemoSnapshot, { json, seconds }: ReportOptions): void {
  const { overview, rows, messages, forecasts } = snapshot;
  const { mae, persistenceMae } = overview.error;
  if (forecasts === 0) {
    throw new DemoError(
      `no forecast came back for ${messages} messages: ${JSON.stringify(overview.readings)}`,
    );
  }
  if (mae === null || persistenceMae === null) {
    const fix = seconds === undefined ? 'let it run longer' : `give --seconds more than ${seconds}`;
    throw new DemoError(`no target of ${forecasts} forecasts has arrived in ${messages} messages; ${fix}`);
  }
  if (!json) {
    console.log(
      `${messages} messages, ${forecasts} forecasts of ${rows.length} sensors. ${summarize(snapshot)}`,
    );
    return;
  }
  const measures = {
    ...{ mae, persistenceMae },
    stepUsP50: overview.stepUs.p50,
    stepUsP99: overview.stepUs.p99,
    latencyMsP50: snapshot.roundTripMs.p50,
    latencyMsP99: snapshot.roundTripMs.p99,
  };
  const rounded = Object.entries(measures).map(([name, value]) => [name, Number((value ?? 0).toFixed(4))]);
  console.log(
    JSON.stringify({
      url: snapshot.url,
      broker: `mqtt://${overview.broker.address}`,
      streams: rows.length,
      messages,
      forecasts,
      ...Object.fromEntries(rounded),
      counters: overview.readings,
    }),
  );
}
