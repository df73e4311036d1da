// node scripts/build.mjs [--all] [--require]: compiles the add-on into platforms/*/lmd.node, for this machine by the C compiler at hand
// (CC, cc, gcc or clang), or with --all for every platform by zig (`pip install ziglang==0.17.1`; ZIG names its program otherwise).
// Without a compiler it says so and succeeds, unless --require is given: everything runs in WebAssembly then.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { sources, targetOfThisMachine, targets } from './targets.mjs';

const folder = fileURLToPath(new URL('..', import.meta.url));
const headers = join(dirname(createRequire(import.meta.url).resolve('node-api-headers/package.json')), 'include');
/**
 * A product and a sum must stay two instructions, unless the source says otherwise: the bits are part of the contract. Packing reads words of
 * codes as floats, which strict aliasing would forbid.
 */
const flags = [
  '-std=c11',
  '-O2',
  '-fPIC',
  '-fvisibility=hidden',
  '-ffp-contract=off',
  '-fno-strict-aliasing',
  '-Wall',
  '-Wextra',
  '-Werror',
];

/** Runs a program; its output where it fails, undefined where it works. */
function failureOf(command, args) {
  const { error, status, stderr } = spawnSync(command[0], [...command.slice(1), ...args], { encoding: 'utf8' });
  if (error !== undefined) return error.message;
  return status === 0 ? undefined : stderr.trim() || `${command[0]} ended with ${status}`;
}

/** The first of some commands that answers. */
const firstWorking = (commands, question) => commands.find((command) => failureOf(command, question) === undefined);

export function findCompiler() {
  const named = process.env.CC === undefined ? [] : [process.env.CC.split(' ')];
  return firstWorking([...named, ['cc'], ['gcc'], ['clang']], ['--version']);
}

export function findZig() {
  const named = process.env.ZIG === undefined ? [] : [process.env.ZIG.split(' ')];
  const modules = ['python3', 'python'].map((python) => [python, '-m', 'ziglang']);
  return firstWorking([...named, ['zig'], ...modules], ['version']);
}

/** Windows has no symbols that are found when a library is loaded: the linker needs a library that names those of Node. */
function importLibrary(zig, name, scratch) {
  const definitions = join(dirname(headers), 'def', 'node_api.def');
  const library = join(scratch, 'node_api.lib');
  const machine = name.endsWith('arm64') ? 'arm64' : 'i386:x86-64';
  const failure = failureOf(zig, ['dlltool', '-d', definitions, '-l', library, '-m', machine]);
  if (failure !== undefined) throw new Error(failure);
  return library;
}

/**
 * Compiles for one platform.
 *
 * @param compiler the command, as a list of words
 * @param zig whether it is zig, which compiles for any platform
 * @returns the path of the binary
 * @throws Error with what the compiler says
 */
export function buildTarget(name, compiler, zig) {
  const { cpu, zig: triple } = targets[name];
  const out = join(folder, 'platforms', name, 'lmd.node');
  const scratch = mkdtempSync(join(tmpdir(), 'lmd-native-'));
  const cc = zig ? [...compiler, 'cc', '-target', triple] : compiler;
  const check = (args) => {
    const failure = failureOf(cc, args);
    if (failure !== undefined) throw new Error(`${name}: ${failure}`);
  };
  try {
    const objects = Object.entries(sources[cpu]).map(([file, instructions]) => {
      const object = join(scratch, `${file}.o`);
      check([...flags, ...instructions, '-I', headers, '-c', join(folder, 'c', file), '-o', object]);
      return object;
    });
    const link = ['-shared', '-s', '-o', out];
    if (name.startsWith('darwin')) link.push('-Wl,-undefined,dynamic_lookup');
    if (name.startsWith('win32')) link.push(importLibrary(compiler, name, scratch));
    check([...objects, ...link]);
  } finally {
    rmSync(scratch, { recursive: true });
  }
  return out;
}

function report(path) {
  const gzipped = gzipSync(readFileSync(path)).length;
  console.log(`${path.slice(folder.length)}: ${statSync(path).size} bytes, ${gzipped} gzipped`);
}

/** Builds for this machine. Gives a sentence on what was done, or why nothing was. */
export function buildForThisMachine() {
  const name = targetOfThisMachine();
  if (name === undefined) return { built: false, reason: `there is none for ${process.platform} on ${process.arch}` };
  const compiler = findCompiler();
  const zig = compiler === undefined ? findZig() : undefined;
  if (compiler === undefined && zig === undefined) return { built: false, reason: 'no C compiler was found' };
  try {
    return { built: true, path: buildTarget(name, compiler ?? zig, compiler === undefined) };
  } catch (error) {
    return { built: false, reason: error.message };
  }
}

function main(options) {
  if (options.includes('--all')) {
    const zig = findZig();
    if (zig === undefined) {
      console.error('--all needs zig. Install it: pip install ziglang==0.17.1');
      process.exitCode = 1;
      return;
    }
    for (const name of Object.keys(targets)) report(buildTarget(name, zig, true));
    return;
  }
  const { built, path, reason } = buildForThisMachine();
  if (built) report(path);
  else console.error(`The native kernels were not built: ${reason}. Everything runs in WebAssembly.`);
  if (!built && options.includes('--require')) process.exitCode = 1;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) main(process.argv.slice(2));
