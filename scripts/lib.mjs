// Functions of the root scripts. They use only Node and no shell, since they run on Linux, macOS and Windows before
// anything is installed.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('..', import.meta.url));
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const stamp = join(root, 'node_modules', '.lmd-setup');
/** The last printed reason why there are no native kernels. */
const nativeNote = join(root, 'node_modules', '.lmd-native');

/**
 * Runs a program and returns its exit code. Its standard output goes to standard error unless specified otherwise.
 *
 * @param {string} command
 * @param {string[]} args
 * @param {{
 *   stdout?: string, env?: object, cwd?: string, onLine?: (line: string) => void, passInterrupt?: boolean
 * }} [options] `onLine` receives each line of both outputs, which are then not printed. With `passInterrupt`, the
 * program gets Ctrl-C from this process too: it must take two within a second for one, as `interruptSignal` does.
 */
export function run(command, args, { stdout = 'stderr', env = {}, cwd = root, onLine, passInterrupt = false } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd,
      stdio:
        onLine === undefined
          ? ['inherit', stdout === 'stderr' ? 2 : 'inherit', 'inherit']
          : ['inherit', 'pipe', 'pipe'],
      env: { ...process.env, ...env },
    });
    for (const stream of onLine === undefined ? [] : [child.stdout, child.stderr]) {
      createInterface({ input: stream }).on('line', onLine);
    }
    // The terminal sends Ctrl-C to the whole process group: the child handles it, and its exit code is reported. A
    // signal for this process alone reaches the child only if it is passed on.
    const onInterrupt = () => {
      if (passInterrupt) child.kill('SIGINT');
    };
    process.on('SIGINT', onInterrupt);
    const forward = () => child.kill('SIGTERM');
    process.on('SIGTERM', forward);
    child.on('error', reject);
    child.on('close', (code, signal) => {
      process.off('SIGINT', onInterrupt);
      process.off('SIGTERM', forward);
      resolve(signal === null ? code : 128 + (signal === 'SIGINT' ? 2 : 15));
    });
  });
}

/** A tool of the workspace by its package and bin path, run with the current Node, without .cmd shims or PATH. */
export function tool(packageName, bin, args, options) {
  return run(process.execPath, [join(root, 'node_modules', packageName, bin), ...args], options);
}

/** turbo starts package scripts with the pnpm on the PATH, so that of the workspace comes first. */
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

/**
 * Installs the locked dependencies if needed, with the exact version of the package manager in `packageManager`.
 */
async function install() {
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === lockHash()) return;
  console.error(
    `Installing the dependencies with ${manifest.packageManager} from the npm registry. This takes about a ` +
      'minute, the first time only.',
  );
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
  if (code !== 0)
    fail(
      `Installing the dependencies failed (exit code ${code}). Check that the npm registry is reachable, and ` +
        'run again.',
    );
  writeFileSync(stamp, lockHash());
}

/**
 * Compiles the native kernels once, if a C compiler is installed, and prints one line. They are optional.
 *
 * @param {{ quiet?: boolean }} [options] `quiet`: print only changes
 */
async function buildNative({ quiet = true } = {}) {
  const { buildForThisMachine } = await import('../packages/native/scripts/build.mjs');
  const { built, path, reason = '' } = await buildForThisMachine();
  if (path !== undefined) console.error(`Built the native kernels: ${path}`);
  else if (built && !quiet) console.error('The native kernels are built.');
  if (built) return;
  const [first] = reason.split('\n');
  if (quiet && existsSync(nativeNote) && readFileSync(nativeNote, 'utf8') === first) return;
  console.error(
    `Native kernels are not available, and WebAssembly is used: ${first}. Run npm run native to try again.`,
  );
  writeFileSync(nativeNote, first);
}

/**
 * Sets up a clone: installs dependencies and builds. Fast if nothing has changed.
 *
 * @param {{ build?: boolean, declarations?: boolean, native?: { quiet?: boolean } }} [options] `declarations`: write
 * the types too, which only packing and editors outside the clone need
 */
export async function setUp({ build = true, declarations = false, native = {} } = {}) {
  const major = Number(process.versions.node.split('.')[0]);
  if (major < 20) fail(`Node ${process.versions.node} is too old. Install Node 20 or later.`);
  await install();
  if (!build) return;
  // First, since test results, which turbo caches, depend on the native kernels.
  await buildNative(native);
  await buildPackages(declarations ? ['build', 'declarations'] : ['build']);
}

/**
 * Builds changed packages and shows the current one. The first build takes minutes. A build without changes is silent.
 */
async function buildPackages(tasks) {
  const began = performance.now();
  const output = [];
  let begun = 0;
  let missed = 0;
  let total = 0;
  const onLine = (line) => {
    output.push(line);
    total = Number(/Running [\w, ]+ in (\d+) packages/.exec(line)?.[1] ?? total);
    const [, name, isMiss] = /^(\S+):build: cache (?:(miss|bypass)|hit)/.exec(line) ?? [];
    if (name === undefined) return;
    begun += 1;
    if (isMiss === undefined) return;
    if (missed === 0)
      console.error(`Building ${total} packages. The first build takes about a minute; later ones seconds.`);
    missed += 1;
    console.error(`  ${begun}/${total}  ${name}`);
  };
  const code = await turbo(['run', ...tasks, '--output-logs=full', '--log-order=stream'], { onLine });
  if (code !== 0) fail(`${output.join('\n')}\nThe build failed (exit code ${code}). See the output above.`);
  if (missed > 0) console.error(`Built in ${Math.round((performance.now() - began) / 1000)} s.`);
}
