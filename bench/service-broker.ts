import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { findPort } from '../test/mqtt/ports.ts';

export interface Broker {
  readonly port: number;
  readonly pid: number;
  stop(): void;
}

/** Starts mosquitto as a service would have it: every queue without a bound, no wait for small packets. */
export async function startBroker(folder: string): Promise<Broker> {
  const port = await findPort();
  const config = join(folder, 'mosquitto.conf');
  const limits = 'max_queued_messages 0\nmax_inflight_messages 0\nset_tcp_nodelay true';
  writeFileSync(config, `allow_anonymous true\nlog_type error\n${limits}\nlistener ${port} 127.0.0.1\n`);
  // Debian keeps it where only root looks
  const env = { ...process.env, PATH: `${process.env.PATH}:/usr/sbin` };
  const child = spawn('mosquitto', ['-c', config], { env, stdio: ['ignore', 'inherit', 'inherit'] });
  await once(child, 'spawn');
  return { port, pid: child.pid as number, stop: () => child.kill() };
}

/** Cuts the connection of a client, whose session the broker keeps: another of its id connects, and hangs up. */
export async function takeOver(port: number, clientId: string): Promise<void> {
  const id = Buffer.from(clientId);
  const socket = connect(port, '127.0.0.1');
  // MQTT 3.1.1 without a clean session
  socket.write(
    Buffer.from([0x10, 12 + id.length, 0, 4, ...Buffer.from('MQTT'), 4, 0, 0, 0, 0, id.length, ...id]),
  );
  await once(socket, 'data');
  socket.destroy();
}
