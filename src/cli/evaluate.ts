import type { EvaluateArguments, Report, Terminal } from './command.ts';

export async function runEvaluate(_args: EvaluateArguments, _terminal: Terminal): Promise<Report> {
  throw new Error('not built yet');
}
