import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readdir, rename, rm, rmdir, stat, unlink } from 'node:fs/promises';
import { connect, createServer, type Server } from 'node:net';
import { join, relative, resolve } from 'node:path';
import { takesNoWrite } from './disk-error.ts';
import { StateError, StateFolderError } from './state-error.ts';

/** A state folder held by this process. */
export interface FolderLock {
  release(): Promise<void>;
}

/** In the folder; while a process tries, another name begins with it. */
const lockName = 'lock';

/** Nobody tries that long: it takes milliseconds. */
const longestTryMs = 3_600_000;

/** What the operating system takes for the path of a socket. */
const longestPath = 100;

/** Of a name without a file, all that there may be: some versions of Node fill up a shorter one with zero bytes, which makes
 * another name of it. */
const namelessBytes = 108;

/** Holds the folder for as long as the process lives, stopped or not: a socket that listens, which nobody has to clean up
 * after a kill.
 * @throws StateError when another process holds it */
export async function lockFolder(folder: string): Promise<FolderLock> {
  try {
    return await holdHere(folder);
  } catch (error) {
    if (error instanceof StateError) throw error;
    const { code, message } = error as NodeJS.ErrnoException;
    if (!existsSync(folder))
      throw new StateFolderError(`there is no state folder ${folder}`, { cause: error });
    if (code === 'ENOTDIR')
      throw new StateFolderError(`${folder} is a file, expected a folder; name another state.dir`, {
        cause: error,
      });
    throw new StateError(`cannot hold ${folder}: ${message}`, { cause: error });
  }
}

function holdHere(folder: string): Promise<FolderLock> {
  if (process.platform === 'win32') return holdPipe(folder);
  return process.platform === 'linux' ? holdTwice(folder) : holdSocket(folder);
}

function placeIn(folder: string): string {
  return join(resolve(folder), lockName);
}

function inUse(folder: string): StateError {
  return new StateError(
    `${folder} is in use by another cellstream: one service a folder; stop that one first`,
  );
}

/** Windows lets one process have a name, for as long as it lives. */
async function holdPipe(folder: string): Promise<FolderLock> {
  return await holdName(folder, `\\\\.\\pipe\\cellstream-${encodeURIComponent(placeIn(folder))}`);
}

/** A name that the system gives to one process at a time. */
async function holdName(folder: string, path: string): Promise<FolderLock> {
  const server = await listen(path).catch((error: NodeJS.ErrnoException) => {
    throw error.code === 'EADDRINUSE' ? inUse(folder) : error;
  });
  return { release: () => close(server) };
}

/** Linux has sockets without a file, which need no disk but count in one network namespace only. With the socket in the folder
 * it is held against another container too. A read-only or full disk takes no socket, and a service has to start all the same:
 * there the one without a file holds alone, and another container that starts meanwhile is not kept out. */
async function holdTwice(folder: string): Promise<FolderLock> {
  const nameless = await holdName(folder, await namelessPath(folder));
  try {
    const inFolder = await holdSocket(folder).catch(async (error: unknown) => {
      if (!takesNoWrite(error)) throw error;
      // somebody who came while the disk still took writes
      if (await isHeld(placeIn(folder), async () => {})) throw inUse(folder);
      return undefined;
    });
    return {
      async release() {
        await inFolder?.release();
        await nameless.release();
      },
    };
  } catch (error) {
    await nameless.release();
    throw error;
  }
}

/** Names the folder itself and not its path: containers that share a network may each have another folder of the same path. */
async function namelessPath(folder: string): Promise<string> {
  const { dev, ino } = await stat(folder, { bigint: true });
  return `\0cellstream-${dev}-${ino}`.padEnd(namelessBytes, '.');
}

/** A socket of a name that nobody has again listens in a folder of its own, which is renamed to `lock`. That succeeds where
 * `lock` is absent or empty, for one of many who try at once. What a killed process has left in it is removed by its name,
 * and so never the socket of somebody who came meanwhile. */
async function holdSocket(folder: string): Promise<FolderLock> {
  const name = randomBytes(6).toString('base64url');
  const place = placeIn(folder);
  const own = `${place}.${name}`;
  const path = socketPath(join(own, name));
  await mkdir(own);
  let server: Server | undefined;
  try {
    server = await listen(path);
    while (!(await takePlace(own, place))) {
      if (await isHeld(place, removeFile)) throw inUse(folder);
    }
    await removeAbandoned(folder);
  } catch (error) {
    if (server) await close(server);
    // what stays is removed by a later start
    await rm(own, { recursive: true, force: true }).catch(() => {});
    throw error;
  }
  const held = server;
  return {
    async release() {
      await close(held);
      // nobody listens there any more, should the disk by now refuse to remove it
      await removeFile(join(place, name)).catch(() => {});
      // another may have it by now
      await rmdir(place).catch(() => {});
    },
  };
}

/** Folders of processes that were killed as they tried. One that still tries has made its own just now. */
async function removeAbandoned(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    if (!name.startsWith(`${lockName}.`)) continue;
    const path = join(folder, name);
    const { mtimeMs } = await stat(path).catch(() => ({ mtimeMs: Date.now() }));
    if (Date.now() - mtimeMs > longestTryMs) await rm(path, { recursive: true, force: true });
  }
}

/** False when there is something in the place. */
async function takePlace(own: string, place: string): Promise<boolean> {
  try {
    await rename(own, place);
    return true;
  } catch (error) {
    if (['ENOTEMPTY', 'EEXIST', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? ''))
      return false;
    throw error;
  }
}

function removeFile(path: string): Promise<void> {
  return rm(path, { force: true });
}

/** Whether a process listens in the place.
 * @param remove gets what nobody listens at */
async function isHeld(place: string, remove: (path: string) => Promise<void>): Promise<boolean> {
  let names: string[] = [];
  try {
    names = await readdir(place);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOTDIR') {
      // a socket of an older cellstream
      if (await isAlive(socketPath(place))) return true;
      // or by now the folder of another process, which stays
      await unlink(place).catch(() => {});
    } else if (code !== 'ENOENT') throw error;
  }
  for (const name of names) {
    const path = join(place, name);
    if (await isAlive(socketPath(path))) return true;
    await remove(path);
  }
  return false;
}

/** The shorter one, from here or from the root. */
function socketPath(whole: string): string {
  const short = relative(process.cwd(), whole);
  const path = short.length < whole.length ? short : whole;
  if (Buffer.byteLength(path) <= longestPath) return path;
  throw new StateFolderError(
    `the path ${path} is too long to hold it: at most ${longestPath} bytes; name another state.dir`,
  );
}

function listen(path: string): Promise<Server> {
  return new Promise((done, failed) => {
    const server = createServer((socket) => socket.destroy()).unref();
    server.once('error', failed).listen(path, () => done(server));
  });
}

function close(server: Server): Promise<void> {
  return new Promise((done) => server.close(() => done()));
}

function isAlive(path: string): Promise<boolean> {
  return new Promise((done) => {
    const socket = connect(path);
    socket.once('connect', () => {
      socket.destroy();
      done(true);
    });
    // any other error, as of a stopped process whose queue is full, does not say that nobody listens
    socket.once('error', ({ code }: NodeJS.ErrnoException) =>
      done(code !== 'ECONNREFUSED' && code !== 'ENOENT'),
    );
  });
}
