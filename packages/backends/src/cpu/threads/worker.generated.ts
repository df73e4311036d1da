// Made by scripts/build-worker.mjs from worker.ts: do not edit.
export const workerProgram = `'use strict';

// src/cpu/threads/built-in.ts
function builtIn(name) {
  return globalThis.process?.getBuiltinModule?.(name);
}

// src/cpu/threads/control.ts
var words = {
  /** Counts jobs; threads without work wait for it to change. */
  generation: 0,
  /** 1 while there may be chunks to take. */
  open: 1,
  /** Workers that look at the job at hand: it must not change while there are any. */
  active: 2,
  /** Workers that wait for \`generation\`, and need to be woken. */
  asleep: 3,
  /** 1 while the calling thread waits for \`active\` to become 0. */
  awaited: 4,
  /** 1 once a kernel has failed in a worker. */
  failed: 5,
  /** Which kernel, and of its range: how long it is, and how long a chunk. */
  kernel: 6,
  count: 7,
  total: 8,
  grain: 9,
  chunks: 10,
  /** Size of the memory of the tensors in pages of 64 KiB when the job began. */
  pages: 11,
  /** How many chunks of each thread's own have been taken: a cache line for each thread. */
  taken: 16
};
var lineWords = 16;
var mostArguments = 32;
function createControl(buffer, threads2) {
  const count = words.taken + lineWords * threads2;
  return {
    words: new Int32Array(buffer, 0, count),
    arguments: new Float64Array(buffer, 4 * count, mostArguments),
    buffer
  };
}
function takenWord(thread) {
  return words.taken + lineWords * thread;
}
function firstChunk(thread, threads2, chunks) {
  return Math.floor(thread * chunks / threads2);
}

// src/cpu/threads/chunks.ts
function takeChunks(state2, { kernel, total, grain, chunks, rest }, self2, threads2) {
  for (let i = 0; i < threads2; i++) {
    const owner = (self2 + i) % threads2;
    const first = firstChunk(owner, threads2, chunks);
    const own = firstChunk(owner + 1, threads2, chunks) - first;
    for (; ; ) {
      const next = Atomics.add(state2, takenWord(owner), 1);
      if (next >= own) break;
      const from = (first + next) * grain;
      kernel(from, Math.min(total, from + grain), ...rest);
    }
  }
}

// src/cpu/threads/growth.ts
var pageBytes = 65536;
function pagesOf(memory2) {
  return memory2.buffer.byteLength / pageBytes;
}
function followGrowth(memory2, pages) {
  if (pagesOf(memory2) < pages) memory2.grow(0);
}

// src/cpu/threads/worker.ts
var { workerData } = builtIn("node:worker_threads");
var { modules, memory, native, workspaces, names, threads, self, spins } = workerData;
var control = createControl(workerData.control, threads);
var state = control.words;
var exported = modules.map((module, i) => {
  const { exports } = new WebAssembly.Instance(module, { env: { memory } });
  exports.initialize(workspaces[i]);
  return exports;
});
if (native !== void 0) exported.unshift(nativeKernels(native));
var kernels = names.map((name) => exported.find((one) => name in one)[name]);
function nativeKernels({ binary, level, fused }) {
  let view = new Uint8Array(memory.buffer);
  const opened = Object.entries(require(binary).open(level, fused));
  const onMemory = opened.map(([name, kernel]) => [
    name,
    (...task) => {
      if (view.buffer !== memory.buffer) view = new Uint8Array(memory.buffer);
      kernel(view, ...task);
    }
  ]);
  return Object.fromEntries(onMemory);
}
function work() {
  const job = {
    kernel: kernels[state[words.kernel]],
    total: state[words.total],
    grain: state[words.grain],
    chunks: state[words.chunks],
    rest: control.arguments.subarray(0, state[words.count])
  };
  try {
    followGrowth(memory, state[words.pages]);
    takeChunks(state, job, self, threads);
  } catch {
    Atomics.store(state, words.failed, 1);
  }
}
for (let seen = 0; ; ) {
  for (let left = spins; left > 0 && Atomics.load(state, words.generation) === seen; left--) ;
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
`;
