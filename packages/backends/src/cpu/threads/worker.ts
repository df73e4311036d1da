/**
 * The program of a worker. `scripts/build-worker.mjs` bundles it to text (`worker.generated.ts`), which the pool
 * starts: so it needs no file, runs alike from sources and bundles, and starts without the calling thread's event loop.
 * It does chunks of the jobs in the control memory, spins for a moment when there is none, then sleeps. It never
 * returns: the pool ends it.
 */
import { builtIn } from './built-in.js';
import { type RangedKernel, takeChunks } from './chunks.js';
import { createControl, words } from './control.js';
import { followGrowth } from './growth.js';
import type { WorkerData } from './worker-data.js';

type Kernels = Readonly<Record<string, RangedKernel>>;

declare const WebAssembly: {
  readonly Instance: new (module: object, imports: object) => { readonly exports: object };
};
/** Node defines it in a worker that is started from text. */
declare const require: (file: string) => {
  open(level: string, fused: boolean): Readonly<Record<string, (memory: Uint8Array, ...rest: number[]) => void>>;
};

const { workerData } = builtIn<{ readonly workerData: WorkerData }>('node:worker_threads')!;
const { modules, memory, native, workspaces, names, threads, self, spins } = workerData;
const control = createControl(workerData.control, threads);
const state = control.words;

const exported = modules.map((module, i) => {
  const { exports } = new WebAssembly.Instance(module, { env: { memory } });
  (exports as { initialize(workspace: number): void }).initialize(workspaces[i]!);
  return exports as Kernels;
});
if (native !== undefined) exported.unshift(nativeKernels(native));
const kernels = names.map((name) => exported.find((one) => name in one)![name]!);

function nativeKernels({ binary, level, fused }: NonNullable<WorkerData['native']>): Kernels {
  let view = new Uint8Array(memory.buffer);
  const opened = Object.entries(require(binary).open(level, fused));
  const onMemory = opened.map(([name, kernel]): [string, RangedKernel] => [
    name,
    (...task) => {
      if (view.buffer !== memory.buffer) view = new Uint8Array(memory.buffer);
      kernel(view, ...task);
    },
  ]);
  return Object.fromEntries(onMemory);
}

function work(): void {
  const job = {
    kernel: kernels[state[words.kernel]!]!,
    total: state[words.total]!,
    grain: state[words.grain]!,
    chunks: state[words.chunks]!,
    rest: control.arguments.subarray(0, state[words.count]),
  };
  try {
    followGrowth(memory, state[words.pages]!);
    takeChunks(state, job, self, threads);
  } catch {
    Atomics.store(state, words.failed, 1);
  }
}

for (let seen = 0; ; ) {
  for (let left = spins; left > 0 && Atomics.load(state, words.generation) === seen; left--);
  if (Atomics.load(state, words.generation) === seen) {
    Atomics.add(state, words.asleep, 1);
    Atomics.wait(state, words.generation, seen);
    Atomics.sub(state, words.asleep, 1);
  }
  seen = Atomics.load(state, words.generation);
  Atomics.add(state, words.active, 1);
  if (Atomics.load(state, words.open) === 1) work();
  if (Atomics.sub(state, words.active, 1) === 1 && Atomics.load(state, words.awaited) === 1) {
    Atomics.notify(state, words.active);
  }
}
