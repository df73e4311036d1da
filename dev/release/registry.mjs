// A registry on loopback: verdaccio with its storage in one folder. Packages of @lmd are its own, so that a published
// version is never mixed in; all others come from the registry that this machine uses.
import { spawnSync } from 'node:child_process';
import { mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { npmProgram } from './npm-program.mjs';
import { startGroup } from './process-group.mjs';

/** The registry that this machine uses. */
function upstreamRegistry() {
  const [command, ...args] = npmProgram();
  const { status, stdout, stderr } = spawnSync(command, [...args, 'config', 'get', 'registry'], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`npm config get registry ended with ${status}: ${stderr}`);
  return stdout.trim();
}

/** @returns {Promise<number>} */
const freePort = () =>
  new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
      server.close(() => resolve(port));
    });
  });

const configuration = (upstream) => ({
  storage: './storage',
  auth: {},
  uplinks: { upstream: { url: upstream, timeout: '60s', maxage: '60m', max_fails: 100 } },
  packages: {
    '@lmd/*': { access: '$all', publish: '$all' },
    '**': { access: '$all', proxy: 'upstream' },
  },
  web: { enable: false },
  max_body_size: '50mb',
  log: { type: 'stdout', format: 'pretty', level: 'warn' },
});

/**
 * Starts it and waits until it answers.
 *
 * @param {{ folder: string, verdaccio: string }} options `folder`: for storage and log, created if missing;
 * `verdaccio`: the folder of the package.
 * @throws Error with the log if it does not answer within a minute.
 */
export async function startRegistry({ folder, verdaccio }) {
  mkdirSync(folder, { recursive: true });
  const [file, log] = [join(folder, 'config.yaml'), join(folder, 'log.txt')];
  // JSON is YAML.
  writeFileSync(file, JSON.stringify(configuration(upstreamRegistry())));
  const url = `http://127.0.0.1:${await freePort()}`;
  const output = openSync(log, 'a');
  const program = join(verdaccio, 'bin', 'verdaccio');
  const group = startGroup(process.execPath, [program, '--config', file, '--listen', new URL(url).host], {
    cwd: folder,
    stdio: ['ignore', output, output],
  });
  let running = true;
  group.ended.then(() => {
    running = false;
  });
  for (const until = Date.now() + 60_000; running && Date.now() < until; await delay(100)) {
    const answer = await fetch(`${url}/-/ping`).catch(() => undefined);
    if (answer?.ok) return { url, log, stop: group.stop };
  }
  await group.stop();
  throw new Error(`The registry on loopback does not answer:\n${readFileSync(log, 'utf8')}`);
}
