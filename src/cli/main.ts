#!/usr/bin/env node
import { runCommandLine } from './command-line.ts';

// MQTT.js prints its packets under it, passwords and all
delete process.env.DEBUG;
// `cellstream inspect model.pb | head -1` closes the pipe early, which is no failure
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
});
// not process.exit(): what was written to a pipe would be lost
process.exitCode = await runCommandLine(process.argv.slice(2));
