import type { GradientsArguments, Report, Terminal } from './command.ts';

export async function runGradients(_args: GradientsArguments, _terminal: Terminal): Promise<Report> {
  throw new Error('not built yet');
}
