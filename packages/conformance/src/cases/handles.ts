import { backendSpecVersion, type DType, fusedKernelNames, isLmdError, type TensorData } from '@lmd/core';
import type { Case, CaseGroup } from '../case.js';
import * as oracle from '../oracle/elementwise.js';
import { matmul } from '../oracle/matmul.js';
import { floats, integers, normals, repeated, type Values } from '../values.js';
import { edgeShapes } from './shapes-to-try.js';

const manifestCase: Case = {
  name: 'says what it is, and room for tensors of 65,536 elements',
  async run({ backend, expect, fail }) {
    expect(backend.specVersion).toBe(backendSpecVersion);
    expect(/^[a-z0-9][a-z0-9-]*$/.test(backend.name)).toBe(true);
    expect(typeof backend.device === 'string' && backend.device.length > 0).toBe(true);
    expect(typeof backend.supports.subnormals).toBe('boolean');
    if (!(backend.supports.maxElements >= 65_536)) fail(`supports.maxElements is ${backend.supports.maxElements}`);
    for (const name of Object.keys(backend.fused)) {
      // A misspelled kernel would never be called.
      if ((fusedKernelNames as readonly string[]).includes(name)) continue;
      fail(`fused.${name} is no kernel of the contract: ${fusedKernelNames.join(', ')}`);
    }
  },
};

const contents: Record<DType, readonly number[]> = {
  f32: [0, -0, 1.5, NaN, Infinity, -Infinity, 3.4028234663852886e38, 2 ** -126],
  i32: [0, -1, 2147483647, -2147483648, 16777217],
  u8: [0, 1, 127, 128, 255],
};

const roundTripCase: Case = {
  name: 'fromData and read copy every dtype to the bit',
  async run(context) {
    const { ops, backend, expect } = context;
    for (const dtype of ['f32', 'i32', 'u8'] as const) {
      for (const shape of [...edgeShapes, [9]]) {
        const x = cycled(shape, dtype);
        const tensor = context.upload(x);
        await context.compare(`fromData as ${dtype}`, tensor, x, 'copy');
      }
    }
    if (backend.supports.subnormals) {
      const tiny = repeated([3], [2 ** -149, -(2 ** -130), 2 ** -127]);
      await context.compare('fromData of subnormals', context.upload(tiny), tiny, 'copy');
    }
    // Later changes of an array by the caller or the backend must not affect the other.
    const source = Float32Array.of(1, 2, 3);
    const tensor = ops.fromData(source);
    source[0] = 99;
    const first = await ops.read(tensor);
    expect(first[0]).toBe(1);
    first[1] = 99;
    expect((await ops.read(tensor))[1]).toBe(2);
    ops.dispose(tensor);
  },
};

const readIntoCase: Case = {
  name: 'readInto copies every dtype to the bit, also into shared memory',
  async run(context) {
    const { ops, expect, fail } = context;
    const Memory = typeof SharedArrayBuffer === 'undefined' ? ArrayBuffer : SharedArrayBuffer;
    for (const dtype of ['f32', 'i32', 'u8'] as const) {
      for (const shape of [...edgeShapes, [9]]) {
        const x = cycled(shape, dtype);
        const tensor = context.upload(x);
        const expected = await ops.read(tensor);
        const Values = { f32: Float32Array, i32: Int32Array, u8: Uint8Array }[dtype];
        const into = new Values(new Memory(expected.byteLength) as ArrayBuffer);
        await ops.readInto(tensor, into);
        if (!into.every((value, index) => Object.is(value, expected[index]))) fail(`readInto of ${dtype} [${shape}]`);
        // The copy is the caller's own.
        into.fill(7);
        expect([...(await ops.read(tensor))].join()).toBe([...expected].join());
        ops.dispose(tensor);
      }
    }
  },
};

function cycled(shape: readonly number[], dtype: DType): Values {
  const values = contents[dtype];
  return {
    ...floats(shape, (i) => i),
    dtype,
    data: floats(shape, () => 0).data.map((_, i) => values[i % values.length]!),
  };
}

const float64Case: Case = {
  name: 'fromData rounds float64 to f32',
  async run(context) {
    const { ops } = context;
    const data = Float64Array.of(0.1, 1 + 2 ** -30, -1e-3, 16777217, NaN);
    const tensor = ops.fromData(data, [5], 'f32');
    await context.compare(
      'fromData',
      tensor,
      floats([5], (i) => data[i]!),
      'copy',
    );
    ops.dispose(tensor);
  },
};

const fullCase: Case = {
  name: 'full in every dtype',
  async run(context) {
    const { ops } = context;
    const expected: [DType, number][] = [
      ['f32', 2.5],
      ['f32', 0.1],
      ['f32', NaN],
      ['f32', -Infinity],
      ['i32', -2147483648],
      ['i32', 16777217],
      ['u8', 255],
    ];
    for (const [dtype, value] of expected) {
      for (const shape of [[], [3, 5], [0], [2, 1, 4]]) {
        const tensor = ops.full(shape, value, dtype);
        const want: Values = { ...floats(shape, () => value), dtype };
        const exact = dtype === 'f32' ? want : { ...want, data: want.data.map(() => value) };
        await context.compare(`full of ${value} as ${dtype}`, tensor, exact, 'copy');
        ops.dispose(tensor);
      }
    }
  },
};

const castCase: Case = {
  name: 'cast truncates toward zero, and rounds integers to the nearest f32',
  async run(context) {
    const x = repeated([9], [0, 1.9, -1.9, 0.5, -0.5, 16777216, -8388607.5, 2147483520, -2147483648]);
    await context.check({
      label: 'cast to i32',
      bound: 'integer',
      inputs: [x],
      run: (ops, [a]) => ops.cast(a!, 'i32'),
      want: oracle.cast(x, 'i32'),
    });
    const large = [0, -7, 16777217, 16777219, -16777219, 2147483647, -2147483648, 33554435];
    const n = integers([large.length], (i) => large[i]!);
    await context.check({
      label: 'cast to f32',
      bound: 'copy',
      inputs: [n],
      run: (ops, [a]) => ops.cast(a!, 'f32'),
      want: oracle.cast(n, 'f32'),
    });
  },
};

const castBeyondCase: Case = {
  name: 'cast of what no i32 holds saturates, and gives 0 for NaN',
  async run(context) {
    const values = [
      3e9,
      -3e9,
      2 ** 31,
      -(2 ** 31) - 256,
      1e30,
      -1e30,
      Infinity,
      -Infinity,
      Number.NaN,
      -Number.NaN,
      7.5,
    ];
    const expected = [2 ** 31 - 1, -(2 ** 31)];
    const want = [...expected, ...expected, ...expected, ...expected, 0, 0, 7];
    await context.check({
      label: 'cast to i32',
      bound: 'integer',
      inputs: [repeated([values.length], values)],
      run: (ops, [a]) => ops.cast(a!, 'i32'),
      want: integers([want.length], (i) => want[i]!),
    });
  },
};

const orderCase: Case = {
  name: 'operations take effect in the order of the calls, reads and disposals included',
  async run(context) {
    const { ops, random } = context;
    const start = normals(random, [4, 4], 0.5);
    const factor = normals(random, [4, 4], 0.5);
    const x = context.upload(start);
    const w = context.upload(factor);
    let want: Values = start;
    let value = ops.matmul(x, w);
    want = matmul(want, factor);
    const reads: Promise<TensorData>[] = [];
    const wants: Values[] = [];
    for (let step = 0; step < 12; step++) {
      const before = value;
      value = ops.scope(() => ops.multiply(ops.absolute(before), 2));
      reads.push(ops.read(before));
      wants.push(want);
      // Freed while operations that read it are pending, which must still see its contents.
      ops.dispose(before);
      want = {
        ...want,
        data: want.data.map((v) => Math.abs(v) * 2),
        magnitudes: want.magnitudes!.map((v) => v * 2),
      };
    }
    ops.dispose(value);
    for (const [step, data] of (await Promise.all(reads)).entries()) {
      const copy = ops.fromData(data, start.shape);
      // Exact steps after one product: the error of the product alone, doubled each time.
      await context.compare(`read ${step}`, copy, wants[step]!, 'matmul');
      ops.dispose(copy);
    }
  },
};

const lifetimeCase: Case = {
  name: 'a freed tensor is refused by read, by operations and by dispose',
  async run({ ops, expect }) {
    const x = ops.fromData([1, 2, 3]);
    const kept = ops.fromData([1, 2, 3]);
    ops.dispose(x);
    expect(ops.isDisposed(x)).toBe(true);
    for (const use of [() => ops.read(x), () => ops.add(x, kept), () => ops.dispose(x)]) {
      let caught: unknown;
      try {
        await use();
      } catch (error) {
        caught = error;
      }
      expect(isLmdError(caught, 'TENSOR_DISPOSED')).toBe(true);
    }
    ops.dispose(kept);
  },
};

const sharingCase: Case = {
  name: 'reshape gives a handle of its own, whichever is freed first',
  async run(context) {
    const { ops, backend, expect } = context;
    const x = floats([2, 3], (i) => i + 1);
    for (const firstFreed of [0, 1]) {
      const before = backend.memory().tensors;
      const original = ops.fromData(Float32Array.from(x.data), x.shape);
      const view = ops.reshape(original, [3, 2]);
      expect(backend.memory().tensors).toBe(before + 2);
      const pair = [original, view] as const;
      ops.dispose(pair[firstFreed]!);
      const other = firstFreed === 0 ? view : original;
      await context.compare('the other handle', other, { ...x, shape: other.shape }, 'copy');
      ops.dispose(other);
      expect(backend.memory().tensors).toBe(before);
    }
  },
};

const memoryCase: Case = {
  name: 'memory counts every handle and its bytes',
  async run({ ops, backend, expect, fail }) {
    const before = backend.memory();
    const x = ops.zeros([1000]);
    const one = backend.memory();
    expect(one.tensors).toBe(before.tensors + 1);
    if (one.bytes < before.bytes + 4000) fail(`1000 f32 elements add ${one.bytes - before.bytes} bytes to memory()`);
    const y = ops.exp(x);
    expect(backend.memory().tensors).toBe(before.tensors + 2);
    // Core calls `memory` after every operation, so a call must not change the counters.
    const both = backend.memory();
    for (let n = 0; n < 1000; n++) backend.memory();
    expect(backend.memory().tensors).toBe(both.tensors);
    expect(backend.memory().bytes).toBe(both.bytes);
    ops.dispose([x, y]);
    expect(backend.memory().tensors).toBe(before.tensors);
    expect(backend.memory().bytes).toBe(before.bytes);
  },
};

const shapeErrorCase: Case = {
  name: 'shapes that do not match are refused, and leave nothing behind',
  async run({ ops, expect }) {
    const a = ops.zeros([2, 3]);
    const b = ops.zeros([4, 5]);
    for (const wrong of [() => ops.add(a, b), () => ops.matmul(a, b), () => ops.concatenate([a, b], 0)]) {
      let caught: unknown;
      try {
        wrong();
      } catch (error) {
        caught = error;
      }
      expect(isLmdError(caught, 'SHAPE_MISMATCH')).toBe(true);
    }
    ops.dispose([a, b]);
  },
};

/** Handles: contents, order and lifetime. */
export const handles: CaseGroup = {
  name: 'handles',
  cases: [
    manifestCase,
    roundTripCase,
    readIntoCase,
    float64Case,
    fullCase,
    castCase,
    castBeyondCase,
    orderCase,
    lifetimeCase,
    sharingCase,
    memoryCase,
    shapeErrorCase,
  ],
};
