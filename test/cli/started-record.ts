import type { RecordArguments, Report } from '../../src/cli/command.ts';
import { runRecord } from '../../src/cli/record.ts';
import { until } from '../mqtt/until.ts';

/** `record` in this process, from the moment that it hears everything. */
export interface StartedRecord {
  readonly warnings: readonly string[];
  readonly report: Promise<Report>;
}

export async function startRecord(
  args: Pick<RecordArguments, 'broker' | 'topic' | 'out'> & Partial<RecordArguments>,
): Promise<StartedRecord> {
  const [lines, warnings]: [string[], string[]] = [[], []];
  const terminal = {
    ...{ json: true, quiet: true },
    log: (line: string) => void lines.push(line),
    warn: (line: string) => void warnings.push(line),
  };
  const report = runRecord({ time: 'time', ...args }, terminal);
  let failure: unknown;
  report.catch((error) => {
    failure = error;
  });
  await until(() => failure !== undefined || lines.some((line) => line.startsWith('recording ')));
  if (failure !== undefined) throw failure;
  return { warnings, report };
}
