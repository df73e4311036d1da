import { createOperations, type LmdUpdateOptions, type Tensor } from '@lmd/core';
import { adamwUpdate, lmdDraw } from '../oracle/optimizers.js';
import { gradientLevelFaults, mxLevelFaults, productLevelFaults, randomLevelFaults } from './bit-level-faults.js';
import { tensorOf, valuesOf } from './fault.js';
import { changed, kernel, type LevelFault } from './level-fault.js';

const withoutNoise = (options: LmdUpdateOptions): LmdUpdateOptions => ({ ...options, noise: 0 });

const optimizerFaults: readonly LevelFault[] = [
  {
    name: 'adamwUpdate corrects the bias of the step before',
    level: 'optimizers',
    names: /adamwUpdate/,
    breakIt: kernel('adamwUpdate', (right) => (state, gradient, options) => {
      const [weights, firstMoment, secondMoment] = adamwUpdate(
        valuesOf(right, state.weights),
        valuesOf(right, state.firstMoment),
        valuesOf(right, state.secondMoment),
        valuesOf(right, gradient),
        { ...options, step: Math.max(1, options.step - 1) },
      ).map((values) => tensorOf(right, values));
      return { weights: weights!, firstMoment: firstMoment!, secondMoment: secondMoment! };
    }),
  },
  {
    name: 'adamwUpdate changes its state in place',
    level: 'optimizers',
    names: /adamwUpdate/,
    breakIt: (right) => {
      const overwritten = new WeakMap<Tensor, Float32Array>();
      return {
        read: async (x) => overwritten.get(x)?.slice() ?? right.read(x),
        fused: {
          ...right.fused,
          adamwUpdate(state, gradient, options) {
            const made = adamwUpdate(
              valuesOf(right, state.weights),
              valuesOf(right, state.firstMoment),
              valuesOf(right, state.secondMoment),
              valuesOf(right, gradient),
              options,
            );
            overwritten.set(state.firstMoment, Float32Array.from(made[1]!.data));
            const [weights, firstMoment, secondMoment] = made.map((values) => tensorOf(right, values));
            return { weights: weights!, firstMoment: firstMoment!, secondMoment: secondMoment! };
          },
        },
      };
    },
  },
  {
    name: 'lmdDraw has the same noise in both halves',
    level: 'optimizers',
    names: /lmdDraw/,
    breakIt: kernel('lmdDraw', (right) => (logPlus, logMinus, noise, key) => {
      const halves = [logPlus, logMinus].map((half) => valuesOf(right, half));
      const none = { ...halves[1]!, data: halves[1]!.data.map(() => -Infinity) };
      const [plus, minus] = halves.map((half) => lmdDraw(half, none, noise, key).data);
      return tensorOf(right, { shape: logPlus.shape, data: plus!.map((value, i) => value - minus![i]!) });
    }),
  },
  {
    name: 'lmdUpdate forgets the noise of the sample',
    level: 'optimizers',
    names: /lmdUpdate/,
    breakIt: kernel('lmdUpdate', (right) => {
      const ops = createOperations({ ...right, fused: {} });
      const copy = (x: Tensor<'f32'>) => ops.fromData(Float32Array.from(right.readFloat64(x)), x.shape);
      return (state, gradients, keys, prior, options) =>
        ops.scope(() => {
          const parts = Object.fromEntries(Object.entries(state).map(([name, x]) => [name, copy(x)]));
          return ops.lmdUpdate(parts as never, gradients.map(copy), keys, copy(prior), withoutNoise(options));
        }) as never;
    }),
  },
];

/** Results that differ from call to call, within every bound. */
const wandering: LevelFault['breakIt'] = (right) => {
  let calls = 0;
  return {
    matmul(...given) {
      calls += 1;
      const product = right.matmul(...given);
      const [a, , transposeA] = given;
      // Sums of many terms may be off by more than this.
      if (a.shape[transposeA ? 1 : 2]! < 8) return product;
      return changed(right, product, (values) => {
        for (let i = Math.imul(calls, 0x9e3779b1) >>> 29; i < values.length; i += 8)
          values[i] = values[i]! * (1 + 2 ** -23);
      }) as Tensor<'f32'>;
    },
  };
};

const runFaults: readonly LevelFault[] = [
  {
    name: 'matmul gives other bits each time',
    level: 'trajectories',
    names: /training with the same seed/,
    breakIt: wandering,
  },
  {
    name: 'memory() walks over all tensors',
    level: 'memory',
    names: /memory\(\) takes/,
    slow: true,
    breakIt: (right) => ({
      memory() {
        const counted = right.memory();
        // As long as asking a device for each of many tensors would take.
        if (counted.tensors > 400) for (const end = performance.now() + 0.15; performance.now() < end; );
        return counted;
      },
    }),
  },
  {
    name: 'memory() does not count the bytes of gathered rows',
    level: 'memory',
    names: /gather adds/,
    breakIt: (right) => {
      const uncounted = new Map<Tensor, number>();
      const bytes = () => [...uncounted.values()].reduce((a, b) => a + b, 0);
      return {
        gather(x, indices) {
          const rows = right.gather(x, indices);
          uncounted.set(rows, 4 * right.readFloat64(rows).length);
          return rows;
        },
        dispose(x) {
          uncounted.delete(x);
          right.dispose(x);
        },
        memory: () => ({ ...right.memory(), bytes: right.memory().bytes - bytes() }),
      };
    },
  },
  {
    name: 'gather computes offsets in 32 bits',
    level: 'faults',
    names: /gather with indices far out of range/,
    breakIt: (right) => ({
      gather(x, indices) {
        const bytes = 4 * x.shape.slice(1).reduce((a, b) => a * b, 1);
        const data = Int32Array.from(right.readFloat64(indices), (row) =>
          row < 0 || bytes === 0 ? row : Math.floor((Math.imul(row, bytes) >>> 0) / bytes),
        );
        const wrapped = right.fromData(data, indices.shape, 'i32');
        const taken = right.gather(x, wrapped);
        right.dispose(wrapped);
        return taken;
      },
    }),
  },
  {
    name: 'randomBits reads its key when the result is read',
    level: 'faults',
    names: /randomBits whose arguments change/,
    breakIt: (right) => {
      const late = new Map<Tensor, () => Tensor>();
      return {
        randomBits(shape, key) {
          const made = right.randomBits(shape, key);
          late.set(made, () => right.randomBits(shape, key));
          return made;
        },
        async read(x) {
          const make = late.get(x);
          if (make === undefined) return right.read(x);
          const made = make();
          const data = await right.read(made);
          right.dispose(made);
          return data;
        },
        dispose(x) {
          late.delete(x);
          right.dispose(x);
        },
      };
    },
  },
];

/** Counts the calls of close(), in all instances. */
let closings = 0;
/** The number of each tensor of `fromData` in its own instance. */
const numbers = new WeakMap<Tensor, number>();

const instanceFaults: readonly LevelFault[] = [
  {
    name: 'close() ends every instance',
    level: 'faults',
    names: /matmul of the first instance after close\(\) of another|the device is closed/,
    breakIt: (right) => {
      const opened = closings;
      return {
        close() {
          closings += 1;
        },
        async read(x) {
          if (closings !== opened) throw new Error('the device is closed');
          return right.read(x);
        },
      };
    },
  },
  {
    name: 'handles are numbers in a table of each instance',
    level: 'faults',
    names: /read of a handle of another instance gives other contents/,
    breakIt: (right) => {
      const table: Tensor[] = [];
      return {
        fromData(...given) {
          const made = right.fromData(...given);
          numbers.set(made, table.push(made) - 1);
          return made;
        },
        async read(x) {
          const number = numbers.get(x);
          return right.read(number === undefined ? x : table[number]!);
        },
      };
    },
  },
];

/** Mistakes that no single operation of the first level shows. */
export const laterLevelFaults: readonly LevelFault[] = [
  ...gradientLevelFaults,
  ...randomLevelFaults,
  ...mxLevelFaults,
  ...productLevelFaults,
  ...optimizerFaults,
  ...runFaults,
  ...instanceFaults,
];
