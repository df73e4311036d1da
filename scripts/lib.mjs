// What the root scripts share. Node only, no shell: they run on Linux, macOS and Windows, before anything is installed.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('..', import.meta.url));
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const stamp = join(root, 'node_modules', '.lmd-setup');

/** Runs a program to its end, its standard output going to our standard error unless asked otherwise; gives its exit code. */
export function run(command, args, { stdout = 'stderr', env = {}, cwd = root } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd,
      stdio: ['inherit', stdout === 'stderr' ? 2 : 'inherit', 'inherit'],
      env: { ...process.env, ...env },
    });
    // The terminal sends Ctrl-C to the whole group: the child decides what to do with it, and we report how it ended.
    const ignore = () => {};
    process.on('SIGINT', ignore);
    const forward = () => child.kill('SIGTERM');
    process.on('SIGTERM', forward);
    child.on('error', reject);
    child.on('close', (code, signal) => {
      process.off('SIGINT', ignore);
      process.off('SIGTERM', forward);
      resolve(signal === null ? code : 128 + (signal === 'SIGINT' ? 2 : 15));
    });
  });
}

/** A tool of the workspace by its package and bin path, run by this very Node: no .cmd shims, no PATH. */
export function tool(packageName, bin, args, options) {
  return run(process.execPath, [join(root, 'node_modules', packageName, bin), ...args], options);
}

/** turbo starts package scripts through pnpm, which it looks for on the PATH: ours comes first. */
export function turbo(args, options = {}) {
  const path = `${join(root, 'node_modules', '.bin')}${delimiter}${process.env.PATH ?? process.env.Path ?? ''}`;
  return tool('turbo', join('bin', 'turbo'), args, {
    ...options,
    env: { PATH: path, TURBO_TELEMETRY_DISABLED: '1', DO_NOT_TRACK: '1', ...options.env },
  });
}

function lockHash() {
  const hash = createHash('sha256');
  for (const file of ['pnpm-lock.yaml', 'pnpm-workspace.yaml', 'package.json'])
    hash.update(readFileSync(join(root, file)));
  return `${hash.digest('hex')} ${process.platform} ${process.arch} ${process.versions.modules}`;
}

function fail(message) {
  console.error(message);
  process.exit(1);
}

/** Installs what the lockfile says, unless that has been done, with exactly the package manager that `packageManager` names. */
async function install() {
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === lockHash()) return;
  console.error(`Installing dependencies (${manifest.packageManager}, from the npm registry; once) …`);
  const npm = process.env.npm_execpath;
  const args = [
    'exec',
    '--yes',
    `--package=${manifest.packageManager}`,
    '--',
    'pnpm',
    'install',
    '--frozen-lockfile',
    '--config.confirmModulesPurge=false',
    '--reporter=append-only',
  ];
  const viaNpm = npm !== undefined && /npm-cli\.js$/.test(npm);
  const code = viaNpm
    ? await run(process.execPath, [npm, ...args], { env: { npm_config_loglevel: 'error' } })
    : process.platform === 'win32'
      ? await run(process.env.ComSpec ?? 'cmd.exe', ['/d', '/s', '/c', 'npm', ...args])
      : await run('npm', args);
  if (code !== 0) fail(`Installing the dependencies failed (exit code ${code}). Is the npm registry reachable?`);
  writeFileSync(stamp, lockHash());
}

/** Compiles the native kernels where there is a C compiler, once, and says so; the rest works without them. */
export async function buildNative({ quiet = true } = {}) {
  const { buildForThisMachine } = await import('../packages/native/scripts/build.mjs');
  const { built, path, reason } = await buildForThisMachine();
  if (path !== undefined) console.error(`Built the native kernels: ${path}`);
  else if (!quiet && built) console.error('The native kernels are built.');
  else if (!built && !quiet)
    console.error(`The native kernels were not built: ${reason}. Everything runs in WebAssembly.`);
}

/** Everything a fresh clone needs: dependencies and builds. Quick when nothing has changed. */
export async function setUp({ build = true, native = {} } = {}) {
  const major = Number(process.versions.node.split('.')[0]);
  if (major < 20) fail(`Node ${process.versions.node} is too old: install Node 20 or later.`);
  await install();
  if (!build) return;
  const code = await turbo(['run', 'build', '--output-logs=errors-only', '--log-order=grouped']);
  if (code !== 0) fail(`The build failed (exit code ${code}).`);
  await buildNative(native);
}
