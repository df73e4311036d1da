import { words } from './control.js';

/**
 * The program of a worker, as text: so it needs no file, runs alike from sources and bundles, and starts without this thread's event
 * loop. It does chunks of the jobs in the control memory (see `control.ts`; `takeChunks` in `pool.ts` is the same loop), spins for a
 * moment when there is none, then sleeps. It never returns: the pool ends it.
 */
export const workerSource = `
'use strict';
const { workerData } = require('node:worker_threads');
const { modules, memory, native, workspaces, names, control, threads, self, spins } = workerData;
const state = new Int32Array(control, 0, ${words.taken} + 16 * threads);
const given = new Float64Array(control, state.byteLength, 32);
const exported = modules.map((module, i) => {
  const { exports } = new WebAssembly.Instance(module, { env: { memory } });
  exports.initialize(workspaces[i]);
  return exports;
});
if (native !== undefined) {
  let view = new Uint8Array(memory.buffer);
  const onMemory = (kernel) => (...task) => {
    if (view.buffer !== memory.buffer) view = new Uint8Array(memory.buffer);
    kernel(view, ...task);
  };
  const opened = Object.entries(require(native.binary).open(native.level, native.fused));
  exported.unshift(Object.fromEntries(opened.map(([name, kernel]) => [name, onMemory(kernel)])));
}
const kernels = names.map((name) => exported.find((one) => name in one)[name]);

function takeChunks() {
  const kernel = kernels[state[${words.kernel}]];
  const total = state[${words.total}];
  const grain = state[${words.grain}];
  const chunks = state[${words.chunks}];
  const rest = given.subarray(0, state[${words.count}]);
  for (let i = 0; i < threads; i++) {
    const owner = (self + i) % threads;
    const first = Math.floor((owner * chunks) / threads);
    const own = Math.floor(((owner + 1) * chunks) / threads) - first;
    for (;;) {
      const next = Atomics.add(state, ${words.taken} + 16 * owner, 1);
      if (next >= own) break;
      const from = (first + next) * grain;
      kernel(from, Math.min(total, from + grain), ...rest);
    }
  }
}

for (let seen = 0; ; ) {
  for (let left = spins; left > 0 && Atomics.load(state, ${words.generation}) === seen; left--);
  if (Atomics.load(state, ${words.generation}) === seen) {
    Atomics.add(state, ${words.asleep}, 1);
    Atomics.wait(state, ${words.generation}, seen);
    Atomics.sub(state, ${words.asleep}, 1);
  }
  seen = Atomics.load(state, ${words.generation});
  Atomics.add(state, ${words.active}, 1);
  if (Atomics.load(state, ${words.open}) === 1) {
    try {
      takeChunks();
    } catch {
      Atomics.store(state, ${words.failed}, 1);
    }
  }
  if (Atomics.sub(state, ${words.active}, 1) === 1 && Atomics.load(state, ${words.awaited}) === 1) {
    Atomics.notify(state, ${words.active});
  }
}
`;
