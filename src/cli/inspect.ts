import type { InspectArguments, Report, Terminal } from './command.ts';

export async function runInspect(_args: InspectArguments, _terminal: Terminal): Promise<Report> {
  throw new Error('not built yet');
}
