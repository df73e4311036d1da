import type { WebgpuBackend } from '@lmd/backends/webgpu';
import {
  type AdamwUpdateOptions,
  createOperations,
  type EagerOperations,
  type LmdTensors,
  type LmdUpdateOptions,
  type RandomKey,
  type Tensor,
} from '@lmd/core';
import { afterAll, describe, expect, it } from 'vitest';
import { randomFloats } from './random-values.js';
import { closeAll, missingWebgpu, openDevice, openWebgpu } from './webgpu-engine.js';

/** Around multiples of four elements a thread, and of the 64 words that tensors of a group begin at. */
const sizes = [1, 3, 4, 63, 64, 65, 130, 1000, 2];
const lmdOptions: LmdUpdateOptions = {
  learningRate: 0.01,
  beta1: 0.9,
  beta2: 0.99,
  regularization: 0.3,
  regularizer: 'logNormalPrior',
  noise: 0.2,
  gradientScaling: 'sample',
  useSign: false,
};
const adamwOptions: AdamwUpdateOptions = {
  learningRate: 0.02,
  beta1: 0.9,
  beta2: 0.99,
  epsilon: 1e-6,
  weightDecay: 0.1,
  step: 3,
};
const keysOf = (tensor: number, samples: number): RandomKey[] =>
  Array.from({ length: samples }, (_, sample) => ({ seed: 2 ** 40 + 7, stream: 31 + tensor, step: 5, sample }));

/** One call of a kernel for tensor number t. */
type Call = (ops: EagerOperations, t: number) => Tensor[];

const values = (ops: EagerOperations, t: number, seed: number) =>
  ops.fromData(randomFloats(sizes[t]!, 100 * t + seed, 0.5));

const lmdState = (ops: EagerOperations, t: number, scaled: boolean): LmdTensors => ({
  logPlus: values(ops, t, 1),
  logMinus: values(ops, t, 2),
  momentumPlus: values(ops, t, 3),
  ...(scaled ? { momentumMinus: values(ops, t, 4) } : {}),
});

const lmd =
  (samples: number, change: Partial<LmdUpdateOptions> = {}): Call =>
  (ops, t) => {
    const options = { ...lmdOptions, ...change };
    const gradients = Array.from({ length: samples }, (_, s) => values(ops, t, 10 + s));
    const state = lmdState(ops, t, options.gradientScaling === 'sample');
    const prior = ops.fromData(Float32Array.of(-1 - t), []);
    return Object.values(ops.lmdUpdate(state, gradients, keysOf(t, samples), prior, options));
  };

const calls: { readonly [name: string]: Call } = {
  'a draw': (ops, t) => [ops.lmdDraw(values(ops, t, 1), values(ops, t, 2), 0.2, keysOf(t, 1)[0]!)],
  'a draw without noise': (ops, t) => [ops.lmdDraw(values(ops, t, 1), values(ops, t, 2), 0, keysOf(t, 1)[0]!)],
  'an update of LMD': lmd(1, { useSign: true }),
  'an update of LMD from three samples': lmd(3),
  'an update of LMD without noise or prior': lmd(2, { noise: 0, regularization: 0 }),
  'an update of LMD whose gradients are not scaled': lmd(2, {
    gradientScaling: 'none',
    regularizer: 'halfNormalPrior',
  }),
  'an update of AdamW': (ops, t) => {
    const state = {
      weights: values(ops, t, 1),
      firstMoment: values(ops, t, 2),
      secondMoment: ops.absolute(values(ops, t, 3)),
    };
    return Object.values(ops.adamwUpdate(state, values(ops, t, 4), adamwOptions));
  },
};

const bits = async (ops: EagerOperations, x: Tensor) => new Uint32Array((await ops.read(x)).buffer as ArrayBuffer);

/** Bits of all results of one call a tensor; `apart` reads each before the next call. */
async function results(ops: EagerOperations, call: Call, apart: boolean): Promise<Uint32Array[]> {
  const all: Uint32Array[] = [];
  const waiting: Tensor[] = [];
  for (const t of sizes.keys()) {
    const made = call(ops, t);
    if (apart) for (const x of made) all.push(await bits(ops, x));
    else waiting.push(...made);
  }
  for (const x of waiting) all.push(await bits(ops, x));
  return all;
}

const grouped = ({ dispatchesByKernel }: ReturnType<WebgpuBackend['statistics']>) =>
  Object.entries(dispatchesByKernel).filter(([name]) => name.endsWith('-grouped'));

describe.skipIf(missingWebgpu !== undefined)(`small tensors on WebGPU (${missingWebgpu ?? 'Dawn'})`, () => {
  afterAll(closeAll);

  it.each(Object.entries(calls))('have the bits that each has by itself: %s', async (_name, call) => {
    const backend = await openWebgpu();
    const together = await results(createOperations(backend), call, false);
    expect(grouped(backend.statistics()).map(([, count]) => count)).toEqual([1]);
    const apart = await openWebgpu();
    expect(await results(createOperations(apart), call, true)).toEqual(together);
    expect(grouped(apart.statistics()).map(([, count]) => count)).toEqual([sizes.length]);
    const alone = await openWebgpu({ groupedElements: 0 });
    expect(await results(createOperations(alone), call, false)).toEqual(together);
    expect(grouped(alone.statistics())).toEqual([]);
  });

  it('go in one dispatch, and but for the first time only gradients are copied together', async () => {
    const backend = await openWebgpu();
    const ops = createOperations(backend);
    let states = sizes.map((_, t) => lmdState(ops, t, true));
    const priors = sizes.map((_, t) => ops.fromData(Float32Array.of(-1 - t), []));
    const gradients = sizes.map((_, t) => values(ops, t, 9));
    const seen: object[] = [];
    for (let step = 0; step < 4; step++) {
      backend.resetStatistics();
      const drawn = states.map(({ logPlus, logMinus }, t) =>
        ops.lmdDraw(logPlus, logMinus, 0.2, { seed: 1, stream: t, step, sample: 0 }),
      );
      const next = states.map((state, t) =>
        ops.lmdUpdate(state, [gradients[t]!], [{ seed: 1, stream: t, step, sample: 0 }], priors[t]!, lmdOptions),
      );
      for (const state of states) ops.dispose(Object.values(state) as Tensor[]);
      ops.dispose(drawn);
      states = next;
      const { dispatches, uploads, copies, copiedBytes, dispatchesByKernel } = backend.statistics();
      seen.push({ dispatches, uploads, copies, copiedBytes, dispatchesByKernel });
    }
    const n = sizes.length;
    const dispatchesByKernel = { 'lmdDraw-grouped': 1, 'lmdUpdate-grouped': 1 };
    const bytes = 4 * sizes.reduce((a, b) => a + b, 0);
    // Two vectors for the draw; four, the gradients and the priors for the update.
    const first = { dispatches: 2, uploads: 1, copies: 8 * n, copiedBytes: 7 * bytes + 4 * n, dispatchesByKernel };
    const later = { dispatches: 2, uploads: 0, copies: n, copiedBytes: bytes, dispatchesByKernel };
    expect(seen).toEqual([first, later, later, later]);
    for (const state of states) ops.dispose(Object.values(state) as Tensor[]);
    ops.dispose([...priors, ...gradients]);
    expect(backend.memory()).toEqual({ tensors: 0, bytes: 0 });
  });

  it('may lose their arguments and results before the work is done, and be arguments again at once', async () => {
    const backend = await openWebgpu();
    const ops = createOperations(backend);
    const key = keysOf(0, 1)[0]!;
    const draw = (a: Tensor, b: Tensor) => ops.lmdDraw(a, b, 0, key);
    const [a, b] = [ops.fromData(Float32Array.of(1, 2, 3)), ops.fromData(Float32Array.of(0, 0, 0))];
    const kept = draw(a, b);
    const lost = draw(b, a);
    ops.dispose([a, lost]);
    // Fresh tensors take freed buffers; uploads write to them at once.
    const fresh = Array.from({ length: 4 }, () => ops.fromData(Float32Array.of(7, 7, 7)));
    const again = draw(kept, draw(kept, kept));
    const want = [1, 2, 3].map((x) => Math.exp(x) - 1);
    for (const [i, x] of [...(await ops.read(kept))].entries()) expect(x).toBeCloseTo(want[i]!, 5);
    for (const [i, x] of [...(await ops.read(again))].entries()) {
      expect(Math.abs(x / (Math.exp(want[i]!) - 1) - 1)).toBeLessThan(1e-4);
    }
    ops.dispose([b, kept, again, ...fresh]);
    expect(backend.memory().tensors).toBe(1);
  });

  it('stay by themselves where they are large, or their keys are of different seeds', async () => {
    const backend = await openWebgpu({ groupedElements: 100 });
    const ops = createOperations(backend);
    const zeros = (n: number) => ops.zeros([n]);
    for (const n of [100, 101]) ops.lmdDraw(zeros(n), zeros(n), 0.1, keysOf(0, 1)[0]!);
    const keys = [keysOf(0, 1)[0]!, { ...keysOf(0, 2)[1]!, seed: 3 }];
    const x = zeros(8);
    const state = { logPlus: x, logMinus: x, momentumPlus: x, momentumMinus: x };
    ops.lmdUpdate(state, [x, x], keys, ops.zeros([]), lmdOptions);
    const { fill: _, ...counts } = backend.statistics().dispatchesByKernel;
    expect(counts).toEqual({ lmdDraw: 1, 'lmdDraw-grouped': 1, 'lmdUpdate-2': 2 });
  });

  it('are refused at the call where memory or the device gives out, and leave nothing behind', async () => {
    const backend = await openWebgpu({ memoryLimit: 2 ** 16 });
    const ops = createOperations(backend);
    const x = ops.zeros([2000]);
    const before = backend.memory();
    const drawn: Tensor[] = [];
    const drawAll = () => {
      for (let i = 0; i < 20; i++) drawn.push(ops.lmdDraw(x, x, 0.1, keysOf(i, 1)[0]!));
    };
    expect(drawAll).toThrow(expect.objectContaining({ code: 'BACKEND_FAILURE', subject: 'memoryLimit' }));
    expect(drawn.length).toBeGreaterThan(0);
    for (const y of drawn) expect([...(await ops.read(y))].every(Number.isFinite)).toBe(true);
    ops.dispose(drawn.splice(0));
    expect(backend.memory()).toEqual(before);

    const device = await openDevice();
    const other = await openWebgpu({ device });
    const losing = createOperations(other);
    const [a, b] = [losing.fromData(Float32Array.of(1)), losing.fromData(Float32Array.of(2))];
    const pending = losing.lmdDraw(a, b, 0.1, keysOf(0, 1)[0]!);
    device.destroy();
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(() => losing.exp(pending)).toThrow(expect.objectContaining({ code: 'BACKEND_FAILURE', subject: 'device' }));
    expect(() => other.statistics()).not.toThrow();
    losing.dispose([a, b, pending]);
    expect(other.memory().tensors).toBe(0);
  });
});
