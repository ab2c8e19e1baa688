import type { Report, Terminal, TrainArguments } from './command.ts';

export async function runTrain(_args: TrainArguments, _terminal: Terminal): Promise<Report> {
  throw new Error('not built yet');
}
