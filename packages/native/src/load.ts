import { bounds } from './bounds.js';
import { NativeError } from './errors.js';
import type { AllKernels, ElementKernels, KernelName, Memory, NativeKernels, RawKernel } from './kernels.js';
import { type Arithmetic, type Level, levels } from './levels.js';
import { platformPackages, type Require, requireFrom } from './platform.js';

export interface NativeOptions {
  /** Whether a·b + c is rounded once or twice. Default: `'fused'`. */
  readonly arithmetic?: Arithmetic;
  /** The instruction set. Default: the fastest that this processor has. */
  readonly level?: Level;
  /** The file of a binary. Default: that of the package for this platform, `@lmd/native-<platform>`. */
  readonly binary?: string;
}

/**
 * Another thread opens the same kernels with `require(binary).open(level, fused)`, on a `Uint8Array` before each
 * call's arguments.
 */
export interface NativeSource {
  readonly binary: string;
  readonly level: Level;
  readonly fused: boolean;
}

/** Native kernels that work here. */
export interface Native {
  readonly level: Level;
  readonly arithmetic: Arithmetic;
  readonly source: NativeSource;
  /**
   * The kernels on a memory, which is looked up at each call. They throw `NativeError` `INVALID_ARGUMENT` for what does
   * not lie within it.
   */
  kernels(memory: Memory): NativeKernels & Partial<ElementKernels>;
}

/** The kernels, or the reason why there are none, as a sentence. */
export type NativeLoad =
  | { readonly native: Native; readonly reason?: undefined }
  | { readonly native?: undefined; readonly reason: string };

type RawKernels = Partial<Record<KernelName, RawKernel>>;

/** What the binary exports. */
interface AddOn {
  open(level: string, fused: boolean): ({ readonly level: Level } & RawKernels) | undefined;
}

const remedies: Readonly<Record<keyof NativeOptions, string>> = {
  arithmetic: "Use 'fused' or 'strict', or leave it out.",
  level: `Use one of ${levels.join(', ')}, or leave it out.`,
  binary: 'Give the path of a file, or leave it out.',
};

function checkOptions(options: NativeOptions): void {
  for (const name of Object.keys(options)) {
    if (!(name in remedies)) {
      throw new NativeError('UNKNOWN_OPTION', `loadNative has no option "${name}".`, {
        subject: name,
        value: options[name as keyof NativeOptions],
        remedy: `Its options are ${Object.keys(remedies).join(', ')}.`,
      });
    }
  }
  const refuse = (subject: keyof NativeOptions) => {
    const value = options[subject];
    const message = `loadNative: ${subject} is ${JSON.stringify(value)}.`;
    throw new NativeError('INVALID_ARGUMENT', message, { subject, value, remedy: remedies[subject] });
  };
  const { arithmetic = 'fused', level = 'scalar', binary = '.' } = options;
  if (arithmetic !== 'fused' && arithmetic !== 'strict') refuse('arithmetic');
  if (!levels.includes(level)) refuse('level');
  if (typeof binary !== 'string' || binary === '') refuse('binary');
}

/**
 * Loads the binary for this platform and processor. Where there is none, or it does not load or does not work, the
 * result says why: nothing is thrown, since everything runs in WebAssembly too.
 *
 * @throws NativeError `UNKNOWN_OPTION`, `INVALID_ARGUMENT` for invalid options
 */
export function loadNative(options: NativeOptions = {}): NativeLoad {
  checkOptions(options);
  const require = requireFrom(import.meta.url);
  if (require === undefined) return { reason: 'Native kernels need Node 20.16 or later.' };
  const found = options.binary === undefined ? findBinary(require) : { binary: options.binary };
  if (found.binary === undefined) return { reason: found.reason };
  try {
    return open(require, found.binary, options);
  } catch (error) {
    return { reason: `${found.binary} does not work here: ${messageOf(error)}` };
  }
}

function findBinary(
  require: Require,
): { readonly binary: string } | { readonly binary?: undefined; readonly reason: string } {
  const names = platformPackages();
  const failures: string[] = [];
  for (const name of names) {
    try {
      const binary = require.resolve(`${name}/lmd.node`);
      require(binary);
      return { binary };
    } catch (error) {
      const missing = (error as { code?: unknown }).code === 'MODULE_NOT_FOUND';
      failures.push(`${name} ${missing ? 'is not installed' : `does not load: ${messageOf(error)}`}`);
    }
  }
  return { reason: `${failures.join('; ')}.` };
}

function open(require: Require, binary: string, { arithmetic = 'fused', level }: NativeOptions): NativeLoad {
  const addOn = require(binary) as AddOn;
  const fused = arithmetic === 'fused';
  const opened = addOn.open(level ?? '', fused);
  if (opened === undefined) return { reason: `This processor lacks the instructions of level ${level}.` };
  const source = { binary, level: opened.level, fused };
  const native: Native = {
    level: opened.level,
    arithmetic,
    source,
    kernels: (memory) => kernelsOn(memory, opened),
  };
  multiplyOnce(native);
  return { native };
}

function kernelsOn(memory: Memory, opened: RawKernels): NativeKernels & Partial<ElementKernels> {
  let view = new Uint8Array(memory.buffer);
  const checked = (name: KernelName, raw: RawKernel) => {
    const check = bounds[name] as (memory: Uint8Array, ...task: readonly (number | boolean)[]) => void;
    return (...task: readonly (number | boolean)[]): void => {
      if (view.buffer !== memory.buffer) view = new Uint8Array(memory.buffer);
      check(view, ...task);
      raw(view, ...task);
    };
  };
  const names = Object.keys(bounds) as KernelName[];
  const there = names.filter((name) => opened[name] !== undefined);
  const kernels = Object.fromEntries(there.map((name) => [name, checked(name, opened[name]!)]));
  return kernels as unknown as NativeKernels & Partial<AllKernels>;
}

/** Detects a binary of another version or a broken one. */
function multiplyOnce(native: Native): void {
  const buffer = new ArrayBuffer(64);
  const values = new Float32Array(buffer);
  values.set([1, 2, 3, 4, 5, 6, 7, 8]);
  native.kernels({ buffer }).matmul(0, 1, 0, 16, 32, 2, 2, 2, false, false, 0, 0, 2, 2);
  const found = [...values.subarray(8, 12)].join(' ');
  if (found !== '19 22 43 50') throw new Error(`it gives ${found} for a product that is 19 22 43 50.`);
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
