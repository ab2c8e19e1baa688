import { rm } from 'node:fs/promises';
import { connect, createServer, type Server } from 'node:net';
import { join, relative, resolve } from 'node:path';
import { StateError } from './state-error.ts';

/** A state folder held by this process. */
export interface FolderLock {
  release(): Promise<void>;
}

/** What the operating system takes for the path of a socket. */
const longestPath = 100;

/** Holds the folder for as long as the process lives, stopped or not: a socket that listens, which nobody has to clean up
 * after a kill.
 * @throws StateError when another process holds it */
export async function lockFolder(folder: string): Promise<FolderLock> {
  const path = socketPath(folder);
  const server = await listen(path).catch(async (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EADDRINUSE')
      throw new StateError(`cannot hold ${folder}: ${error.message}`, { cause: error });
    if (await isAlive(path)) {
      throw new StateError(`${folder} is in use by another cellstream: one service a folder`);
    }
    // left by a process that was killed
    await rm(path, { force: true });
    return await listen(path);
  });
  server.unref();
  return { release: () => new Promise((done) => server.close(() => done())) };
}

function socketPath(folder: string): string {
  const whole = join(resolve(folder), 'lock');
  if (process.platform === 'win32') return `\\\\.\\pipe\\cellstream-${encodeURIComponent(whole)}`;
  const short = relative(process.cwd(), whole);
  const path = short.length < whole.length ? short : whole;
  if (Buffer.byteLength(path) <= longestPath) return path;
  throw new StateError(
    `the path ${path} is too long to hold it: at most ${longestPath} bytes; name another state.dir`,
  );
}

function listen(path: string): Promise<Server> {
  return new Promise((done, failed) => {
    const server = createServer((socket) => socket.destroy());
    server.once('error', failed).listen(path, () => done(server));
  });
}

function isAlive(path: string): Promise<boolean> {
  return new Promise((done) => {
    const socket = connect(path);
    socket.once('connect', () => {
      socket.destroy();
      done(true);
    });
    socket.once('error', () => done(false));
  });
}
