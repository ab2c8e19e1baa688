import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

/** A program that answers a line of JSON with a line of JSON, one at a time; it says its name first. */
export interface Peer {
  readonly name: string;
  ask(question: object): Promise<Record<string, unknown>>;
  close(): void;
}

/** @returns undefined, with the reason on standard error, when the program does not start */
export async function startPeer(command: string, args: readonly string[]): Promise<Peer | undefined> {
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'pipe'] });
  let complaint = '';
  child.stderr.on('data', (chunk) => {
    complaint = `${complaint}${chunk}`.slice(-500);
  });
  child.on('error', (error) => {
    complaint = error.message;
  });
  child.stdin.on('error', () => {});
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  // a library may greet first
  const next = async (): Promise<Record<string, unknown> | undefined> => {
    for (let line = await lines.next(); line.done !== true; line = await lines.next()) {
      if (line.value.startsWith('{')) return JSON.parse(line.value);
    }
    return undefined;
  };
  const hello = await next();
  if (hello === undefined) {
    const lines = complaint.trim().split('\n');
    const reason = lines.filter((line) => line.includes('Error')).at(-1) ?? lines.at(-1);
    console.error(`${command} ${args.join(' ')} did not start: ${reason}`);
    return undefined;
  }
  return {
    name: String(hello.name),
    async ask(question) {
      child.stdin.write(`${JSON.stringify(question)}\n`);
      const answer = await next();
      if (answer === undefined) throw new Error(`${command} ended: ${complaint.trim()}`);
      return answer;
    },
    close: () => child.kill(),
  };
}
