import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createReadStream, existsSync, readFileSync } from 'node:fs';
import { cp, mkdir, readdir, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import { engines } from './pins.mjs';
import { unzip } from './unzip.mjs';

/** Node-API version of the binding, which @mapbox/node-pre-gyp expects on Node 20 and later. */
const nodeApi = 8;

/** Maps paths of the wheel to those where tfjs-node's binding expects headers and libraries. */
function placeOf(name) {
  const library = /^tensorflow\/(libtensorflow_(?:cc|framework)\.so\.2)$/.exec(name);
  if (library !== null) return `lib/${library[1]}`;
  const header =
    /^tensorflow\/include\/((?:tensorflow\/c|tensorflow\/core\/platform|tsl\/c|tsl\/platform)\/.*\.h)$/.exec(name);
  return header === null ? undefined : `include/${header[1]}`;
}

/**
 * Runs a program; throws an error with its output if it fails.
 *
 * @returns {Promise<void>}
 */
function run(command, args, cwd) {
  return new Promise((done, fail) => {
    const child = spawn(command, args, { cwd, stdio: ['ignore', 'pipe', 'pipe'] });
    const written = [];
    child.stdout.on('data', (chunk) => written.push(chunk));
    child.stderr.on('data', (chunk) => written.push(chunk));
    child.on('error', (error) => fail(new Error(`${command} could not be started: ${error.message}`)));
    child.on('close', (code, signal) => {
      if (code === 0) done();
      else fail(new Error(`${command} ${args[0]} failed (${signal ?? code}):\n${Buffer.concat(written)}`));
    });
  });
}

async function sha256Of(path) {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex');
}

/** The path of npm's program if npm started this process, so that no shell is needed. */
export function npm(args, cwd) {
  const path = process.env.npm_execpath;
  if (path !== undefined && /npm-cli\.js$/.test(path)) return run(process.execPath, [path, ...args], cwd);
  return run('npm', args, cwd);
}

async function download(engine, folder, python) {
  await mkdir(folder, { recursive: true });
  const platforms = engine.platforms.flatMap((platform) => ['--platform', platform]);
  await run(python, [
    ...['-m', 'pip', 'download', '--no-deps', '--only-binary=:all:', '--disable-pip-version-check', '--quiet'],
    ...['--python-version', engine.python, '--implementation', 'cp', ...platforms],
    ...['--dest', folder, `${engine.package}==${engine.version}`],
  ]);
  const wheel = (await readdir(folder)).find((name) => name.endsWith('.whl'));
  if (wheel === undefined) throw new Error(`pip did not download a wheel to ${folder}.`);
  return join(folder, wheel);
}

/**
 * Installs tfjs-node (or tfjs-node-gpu) in `folder`, without its install script, adds the TensorFlow C library of a
 * wheel, and compiles its binding. Does nothing if this is already done. Returns the folder of the engine's package.
 *
 * @param folder created if missing; the engine is a package in its node_modules
 * @param variant `tfjs-node` or `tfjs-node-gpu`
 * @param wheel a downloaded TensorFlow wheel; otherwise pip downloads it
 * @param python the Python whose pip downloads the wheel; default `python3`
 * @param compiler a C++17 compiler; default the environment's CXX, or g++
 * @param log called with a line at each step
 */
export async function buildEngine({
  folder,
  variant = 'tfjs-node',
  wheel,
  python = 'python3',
  compiler = process.env.CXX ?? 'g++',
  log = (/** @type {string} */ _line) => {},
}) {
  const engine = engines[variant];
  if (engine === undefined) throw new Error(`The variant is ${variant}. Use ${Object.keys(engines).join(' or ')}.`);
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    throw new Error(
      `This tool supports Linux on x64, but this is ${process.platform} on ${process.arch}. ` +
        `Elsewhere use the engine's own installation: npm install @tensorflow/${variant}.`,
    );
  }
  const home = resolve(folder);
  const stamp = join(home, 'built.json');
  const made = { variant, ...engine, nodeApi };
  const packageFolder = join(home, 'node_modules', '@tensorflow', variant);
  const known = existsSync(stamp) ? readFileSync(stamp, 'utf8') : '';
  if (known === JSON.stringify(made)) return packageFolder;

  await mkdir(home, { recursive: true });
  await rm(stamp, { force: true });
  log(`Installing @tensorflow/${variant} without its install script …`);
  await cp(fileURLToPath(new URL(`engines/${variant}/`, import.meta.url)), home, { recursive: true });
  await npm(['ci', '--ignore-scripts', '--omit=dev', '--no-audit', '--no-fund', '--loglevel=error'], home);

  const downloads = join(home, 'download');
  if (wheel === undefined) log(`Downloading the wheel ${engine.package} ${engine.version} with pip …`);
  const archive = wheel ?? (await download(engine, downloads, python));
  const sum = await sha256Of(archive);
  if (sum !== engine.sha256) {
    throw new Error(`${archive} has SHA-256 ${sum}, but ${engine.package} ${engine.version} has ${engine.sha256}.`);
  }
  log('Unpacking the C library …');
  const partial = join(packageFolder, 'deps.partial');
  const deps = join(packageFolder, 'deps');
  await rm(partial, { recursive: true, force: true });
  await unzip(archive, partial, placeOf);
  // The names with which the engine's own build links.
  await symlink('libtensorflow_cc.so.2', join(partial, 'lib', 'libtensorflow.so'));
  await symlink('libtensorflow_framework.so.2', join(partial, 'lib', 'libtensorflow_framework.so'));
  await rm(deps, { recursive: true, force: true });
  await rename(partial, deps);
  await rm(downloads, { recursive: true, force: true });

  log(`Compiling the binding with ${compiler} …`);
  await mkdir(join(packageFolder, 'lib', `napi-v${nodeApi}`), { recursive: true });
  await run(
    compiler,
    [
      ...[
        '-std=c++17',
        '-O2',
        '-fPIC',
        '-shared',
        '-pthread',
        `-DNAPI_VERSION=${nodeApi}`,
        '-DBUILDING_NODE_EXTENSION',
      ],
      ...['-I', join(home, 'node_modules', 'node-api-headers', 'include'), '-I', 'deps/include', '-I', '..'],
      ...['binding/tfjs_backend.cc', 'binding/tfjs_binding.cc', '-o', `lib/napi-v${nodeApi}/tfjs_binding.node`],
      ...['-Ldeps/lib', '-Wl,-rpath,$ORIGIN/../../deps/lib', '-ltensorflow', '-ltensorflow_framework'],
    ],
    packageFolder,
  );
  await writeFile(stamp, JSON.stringify(made));
  return packageFolder;
}
