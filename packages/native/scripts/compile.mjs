// How the add-on is compiled: by the C compiler of this machine, or by zig for any platform.
import { spawn } from 'node:child_process';
import { copyFileSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { sourcesOf, targets } from './targets.mjs';

export const folder = fileURLToPath(new URL('..', import.meta.url));
const headers = join(dirname(createRequire(import.meta.url).resolve('node-api-headers/package.json')), 'include');

/**
 * A product and a sum must stay two instructions, unless the source says otherwise: the bits are part of the contract.
 * Packing reads words of codes as floats, which strict aliasing would forbid.
 */
const flags = [
  ...['-std=c11', '-Wall', '-Wextra', '-Werror', '-ffp-contract=off', '-fno-strict-aliasing'],
  // What pays is unrolled and in vectors already; elsewhere both would only add to the size.
  ...['-Os', '-fno-unroll-loops', '-fno-tree-vectorize', '-fno-tree-slp-vectorize'],
  // A square root is one instruction, and nothing of the C library's.
  '-fno-math-errno',
];
const libraryFlags = [
  ...['-fPIC', '-fvisibility=hidden', '-g0', '-fno-asynchronous-unwind-tables', '-fno-unwind-tables'],
  // zig keeps frame pointers otherwise, at the cost of a register.
  '-fomit-frame-pointer',
];

/** Runs a program; what it says where it fails, undefined where it works. */
export function failureOf(command, args, options = {}) {
  return new Promise((resolve) => {
    const child = spawn(command[0], [...command.slice(1), ...args], { stdio: ['ignore', 'pipe', 'pipe'], ...options });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (text) => (output += text));
    child.on('error', (error) => resolve(error.message));
    child.on('close', (code, signal) =>
      resolve(code === 0 ? undefined : output.trim() || `${command[0]}: ${code ?? signal}`),
    );
  });
}

async function firstWorking(commands, question) {
  for (const command of commands) if ((await failureOf(command, question)) === undefined) return command;
  return undefined;
}

const words = (name) => (process.env[name] === undefined ? [] : [process.env[name].split(' ')]);

/** The C compiler of this machine, as the words of a command: CC, cc, gcc or clang; undefined where there is none. */
export async function findCompiler() {
  // macOS without its developer tools has commands of these names that open a dialog.
  const isMac = process.platform === 'darwin';
  const hasTools = !isMac || (await failureOf(['xcode-select'], ['--print-path'])) === undefined;
  return firstWorking([...words('CC'), ...(hasTools ? [['cc'], ['gcc'], ['clang']] : [])], ['--version']);
}

/** zig: the words in ZIG, zig itself, or that of the Python package ziglang. */
export const findZig = () =>
  firstWorking(
    [...words('ZIG'), ['zig'], ...['python3', 'python'].map((name) => [name, '-m', 'ziglang'])],
    ['version'],
  );

/** Windows finds no symbols when a library is loaded: the linker needs a library that names those of Node. */
async function importLibrary(zig, name, scratch) {
  const definitions = join(dirname(headers), 'def', 'node_api.def');
  const library = join(scratch, 'node_api.lib');
  const machine = name.endsWith('arm64') ? 'arm64' : 'i386:x86-64';
  const failure = await failureOf(zig, ['dlltool', '-d', definitions, '-l', library, '-m', machine]);
  if (failure !== undefined) throw new Error(`${name}: ${failure}`);
  return library;
}

/**
 * Compiles for one platform.
 *
 * @param name of the platform
 * @param compiler `{ cc }` or `{ zig }`, as the words of a command
 * @returns the path of the binary
 * @throws Error with what the compiler says
 */
export async function compileAddOn(name, { cc, zig }) {
  const out = join(folder, 'platforms', name, 'lmd.node');
  const command = cc ?? [...zig, 'cc', '-target', targets[name].zig];
  const scratch = mkdtempSync(join(tmpdir(), 'lmd-native-'));
  const check = async (args) => {
    const failure = await failureOf(command, args, { cwd: scratch });
    if (failure !== undefined) throw new Error(`${name}: ${failure}`);
  };
  try {
    const objects = await Promise.all(
      Object.entries(sourcesOf(targets[name].cpu, zig !== undefined)).map(async ([file, instructions]) => {
        const object = join(scratch, `${file}.o`);
        const all = [...flags, ...libraryFlags, ...instructions, '-I', headers];
        await check([...all, '-c', join(folder, 'c', file), '-o', object]);
        return object;
      }),
    );
    const library = join(scratch, 'lmd.node');
    const link = ['-shared', '-s', '-o', library];
    if (name.startsWith('darwin')) link.push('-Wl,-undefined,dynamic_lookup');
    if (name.startsWith('win32')) {
      link.push(await importLibrary(zig, name, scratch), '-nostdlib', '-lkernel32', '-Wl,-e,DllMainCRTStartup');
    }
    await check([...objects, ...link]);
    // Renamed at last, so that a process that has loaded the old one keeps it.
    const aside = `${out}.${process.pid}.new`;
    copyFileSync(library, aside);
    renameSync(aside, out);
  } finally {
    rmSync(scratch, { recursive: true });
  }
  return out;
}

/**
 * Compiles `test/c/check.c` with every kernel, as a program.
 *
 * @param name of the platform
 * @param compiler as for `compileAddOn`
 * @param options of the compiler, such as those of the sanitizers
 * @throws Error with what the compiler says
 */
export async function compileCheck(name, { cc, zig }, options, out) {
  const { cpu, zig: triple } = targets[name];
  const command = cc ?? [...zig, 'cc', '-target', triple];
  const scratch = mkdtempSync(join(tmpdir(), 'lmd-native-check-'));
  const check = async (args) => {
    const failure = await failureOf(command, [...flags, ...options, ...args], { cwd: scratch });
    if (failure !== undefined) throw new Error(`${name}: ${failure}`);
  };
  try {
    const kernels = Object.entries(sourcesOf(cpu, zig !== undefined)).filter(([file]) => file !== 'addon.c');
    // In plain C, which the binaries have not.
    const plain = ['wide-scalar.c', 'common-scalar.c'].map((file) => [file, []]);
    const files = [
      ...[...kernels, ...plain].map(([file, own]) => [join('c', file), own]),
      [join('test', 'c', 'check.c'), []],
    ];
    const objects = await Promise.all(
      files.map(async ([file, instructions], i) => {
        const object = join(scratch, `${i}.o`);
        await check([...instructions, '-c', join(folder, file), '-o', object]);
        return object;
      }),
    );
    await check([...objects, '-lm', '-o', out]);
  } finally {
    rmSync(scratch, { recursive: true });
  }
}
