import { LmdError, messageOf } from '@lmd/core';
import { type InMemoryKernels, kernelModule } from '@lmd/mx-formats';
import type { Native } from '@lmd/native';
import type { WasmMemory } from '../arena.js';
import type { RangedKernel } from '../threads/chunks.js';
import { noThreads, workerThreads } from '../threads/platform.js';
import { ThreadPool } from '../threads/pool.js';
import type { WorkerModules } from '../threads/worker-data.js';
import { argumentOrder, type KernelModule, type Kernels } from './kernels.js';
import { importingSharedMemory } from './shared-memory.js';

/**
 * The part of the WebAssembly API that is used here: TypeScript declares it only together with the DOM
 * library.
 */
declare const WebAssembly: {
  readonly Memory: new (size: { initial: number; maximum: number; shared: boolean }) => WasmMemory;
  validate(bytes: Uint8Array): boolean;
  compile(bytes: Uint8Array): Promise<object>;
  instantiate(module: object, imports: object): Promise<{ readonly exports: object }>;
};

/** `fused` rounds a·b + c once, by relaxed SIMD; `strict` rounds twice, and gives the same bits on every machine. */
export type Arithmetic = 'strict' | 'fused';

export interface WasmInstance {
  /** Of the calling thread. */
  readonly kernels: Kernels;
  readonly memory: WasmMemory;
  readonly arithmetic: Arithmetic;
  readonly native: Native | undefined;
  /** Absent where there is one thread. */
  readonly pool: ThreadPool | undefined;
  /** Start data of other threads. */
  readonly shares: WorkerModules;
  /** The first byte of memory that no thread uses for itself. */
  readonly firstFree: number;
}

export interface WasmSettings {
  /** Bytes that will ever be needed beside what the kernels use themselves. Default: all that a memory can have. */
  readonly memoryLimit?: number | undefined;
  /** Kernels that take the place of those of the same name. */
  readonly native?: Native | undefined;
}

const page = 65_536;
const leastPages = 256;
const largestPages = 65_536;

/**
 * Starts the kernels on a memory of their own.
 *
 * @param wish which arithmetic; the fused one where this engine has it, when absent
 * @throws LmdError `ENGINE_MISSING` where the engine lacks what is asked for, `UNSUPPORTED` where it has no threads
 */
export async function startWasm(
  wish: Arithmetic | undefined,
  threads: number,
  { memoryLimit = Number.POSITIVE_INFINITY, native }: WasmSettings = {},
): Promise<WasmInstance> {
  const arithmetic = wish ?? (isValid(relaxedProduct) ? 'fused' : 'strict');
  const own = await bytesOf(arithmetic);
  if (!isValid(own)) throw missing(arithmetic);
  const platform = workerThreads();
  const shared = threads > 1;
  if (shared && platform === undefined) throw noThreads(threads);
  const modules = await Promise.all(
    [own, kernelModule()].map((bytes) => WebAssembly.compile(shared ? importingSharedMemory(bytes) : bytes)),
  );
  // The size of workspaces is known only from an instance.
  const initial = leastPages + 16 * threads;
  // A shared memory takes addresses for all that it may grow to.
  const maximum = Math.min(largestPages, initial + Math.ceil(memoryLimit / page) + 1);
  const memory = reserve({ initial, maximum, shared });
  const [exported, formats] = await Promise.all(
    modules.map(async (module) => (await WebAssembly.instantiate(module, { env: { memory } })).exports),
  );
  const kernels = exported as KernelModule;
  const formatKernels = formats as InMemoryKernels;
  const start = kernels.firstFree() >>> 0;
  const ownBytes = kernels.workspaceBytes();
  const bytesEach = ownBytes + formatKernels.workspaceBytes();
  const workspaces = Array.from({ length: threads }, (_, thread) => {
    const first = start + thread * bytesEach;
    return [first, first + ownBytes] as const;
  });
  const firstFree = start + threads * bytesEach;
  if (firstFree > initial * page) throw new Error('Workspaces do not fit into the first pages.');
  kernels.initialize(workspaces[0]![0]);
  formatKernels.initialize(workspaces[0]![1]);
  const ranged = { ...rangedKernels(formats!), ...rangedKernels(exported!), ...native?.kernels(memory) };
  const shares = { modules, memory, workspaces, native: native?.source };
  const pool =
    platform === undefined || !shared
      ? undefined
      : new ThreadPool(platform, threads, shares, ranged as Record<string, RangedKernel>);
  return { kernels: ranged as unknown as Kernels, memory, arithmetic, native, pool, shares, firstFree };
}

/** A memory that begins with some pages and may grow: engines reserve addresses for all of it at once. */
function reserve(size: { readonly initial: number; readonly maximum: number; readonly shared: boolean }): WasmMemory {
  try {
    return new WebAssembly.Memory(size);
  } catch (cause) {
    throw new LmdError(
      'BACKEND_FAILURE',
      `The cpu backend could not allocate WebAssembly memory: ${messageOf(cause)}.`,
      {
        subject: 'memory',
        value: size.initial * page,
        remedy:
          'V8 reserves over 8 GiB of addresses for it before Node 24: raise the limit of the process (ulimit ' +
          '-v), or run ' +
          'node --disable-wasm-trap-handler, which needs 3 GiB with threads: 1; otherwise use @lmd/backends/reference.',
        cause,
      },
    );
  }
}

/** Kernels: all functions except those that set a module up. */
function rangedKernels(exports: object): Record<string, RangedKernel> {
  return Object.fromEntries(Object.entries(exports).filter(([name]) => name in argumentOrder));
}

/**
 * A module whose only function returns `f32x4.relaxed_madd` of zeros: an engine that has it runs the fused kernels, so
 * that a page loads only those that it runs.
 */
const relaxedProduct = Uint8Array.of(
  ...[0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 19, 1, 17, 0],
  ...[65, 0, 253, 15, 65, 0, 253, 15, 65, 0, 253, 15, 253, 133, 2, 11],
);

function isValid(bytes: Uint8Array): boolean {
  return typeof WebAssembly === 'object' && WebAssembly.validate(bytes);
}

async function bytesOf(arithmetic: Arithmetic): Promise<Uint8Array> {
  const { deflatedWasm } = await (arithmetic === 'fused'
    ? import('./fused.generated.js')
    : import('./strict.generated.js'));
  return await inflated(deflatedWasm);
}

/** @param base64 raw DEFLATE (RFC 1951), which every engine that has SIMD in WebAssembly decompresses */
async function inflated(base64: string): Promise<Uint8Array> {
  const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
  const reader = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('deflate-raw')).getReader();
  const parts: Uint8Array<ArrayBuffer>[] = [];
  // Response would do this, but in Node it starts a parser of HTTP, with a WebAssembly memory of its own.
  for (let part = await reader.read(); !part.done; part = await reader.read()) parts.push(part.value);
  return new Uint8Array(await new Blob(parts).arrayBuffer());
}

function missing(arithmetic: Arithmetic): LmdError {
  const [lacking, remedy] =
    arithmetic === 'fused'
      ? ['relaxed SIMD', "Use arithmetic: 'strict', or Node 22 or later."]
      : ['SIMD', 'Use Node 20 or later, or @lmd/backends/tfjs.'];
  return new LmdError('ENGINE_MISSING', `This JavaScript engine has no WebAssembly with ${lacking}.`, {
    subject: 'arithmetic',
    value: arithmetic,
    remedy,
  });
}
