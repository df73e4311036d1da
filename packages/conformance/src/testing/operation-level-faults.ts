import type { ReferenceBackend } from '@lmd/backends/reference';
import type { Tensor } from '@lmd/core';
import { elementwiseLevelFaults } from './elementwise-level-faults.js';
import { fromOperations, type LevelFault, operands } from './level-fault.js';

const { PI } = Math;

/** Mistakes in single operations. */
export const operationLevelFaults: readonly LevelFault[] = [
  ...elementwiseLevelFaults,
  {
    name: 'matmul ignores transposeA of square operands',
    level: 'operations',
    names: /matmul/,
    breakIt: operands('matmul', (a, b, transposeA, transposeB) => [
      a,
      b,
      transposeA && a.shape[1] !== a.shape[2],
      transposeB,
    ]),
  },
  {
    name: 'matmul takes the first of a batch for all',
    level: 'operations',
    names: /matmul/,
    breakIt: (right) => ({
      matmul(a, b, transposeA, transposeB) {
        if (a.shape[0]! < 2 || b.shape[0]! < 2) return right.matmul(a, b, transposeA, transposeB);
        const first = right.slice(b, [0, 0, 0], [1, b.shape[1]!, b.shape[2]!]);
        const product = right.matmul(a, first, transposeA, transposeB);
        right.dispose(first);
        return product;
      },
    }),
  },
  {
    name: 'transpose applies the inverse permutation',
    level: 'operations',
    names: /transpose|the result is/,
    breakIt: operands('transpose', (x, permutation: number[]) => [
      x,
      permutation.map((_, i) => permutation.indexOf(i)),
    ]),
  },
  {
    name: 'slice begins one early',
    level: 'operations',
    names: /slice/,
    breakIt: operands('slice', (x, begin: number[], size) => [x, begin.map((at) => Math.max(0, at - 1)), size]),
  },
  {
    name: 'pad swaps before and after',
    level: 'operations',
    names: /pad/,
    breakIt: operands('pad', (x, before, after) => [x, after, before]),
  },
  {
    name: 'concatenate reverses its operands',
    level: 'operations',
    names: /concatenate/,
    breakIt: operands('concatenate', (xs: Tensor[], axis) => [[...xs].reverse(), axis]),
  },
  {
    name: 'gather takes a negative index from the end',
    level: 'operations',
    names: /gather/,
    breakIt: (right) => ({
      gather(x, indices) {
        const rows = x.shape[0]!;
        const data = Int32Array.from(right.readFloat64(indices), (row) => (row < 0 && row >= -rows ? row + rows : row));
        const wrapped = right.fromData(data, indices.shape, 'i32');
        const taken = right.gather(x, wrapped);
        right.dispose(wrapped);
        return taken;
      },
    }),
  },
  {
    name: 'cast to i32 rounds to the nearest',
    level: 'operations',
    names: /cast/,
    breakIt: (right) => ({
      cast(x, dtype) {
        if (dtype !== 'i32' || x.dtype !== 'f32') return right.cast(x, dtype);
        const rounded = right.round(x as Tensor<'f32'>);
        const made = right.cast(rounded, dtype);
        right.dispose(rounded);
        return made;
      },
    }),
  },
  {
    name: 'full rounds an integer to f32',
    level: 'operations',
    names: /full/,
    breakIt: operands('full', (shape, value, dtype) => [
      shape,
      dtype === 'i32' ? Math.fround(value) | 0 : value,
      dtype,
    ]),
  },
  {
    name: 'read hands out its own array',
    level: 'operations',
    names: /got 99|fromData/,
    breakIt: (right) => {
      const handed = new WeakMap<Tensor, Awaited<ReturnType<ReferenceBackend['read']>>>();
      return {
        async read(x) {
          const data = handed.get(x) ?? (await right.read(x));
          handed.set(x, data);
          return data;
        },
      };
    },
  },
  {
    name: 'log leaves a tensor behind',
    level: 'operations',
    names: /a leak: log of \[/,
    breakIt: (right) => ({
      log(x) {
        right.log(x);
        return right.log(x);
      },
    }),
  },
  {
    name: 'dispose of a reshaped tensor is counted twice',
    level: 'operations',
    names: /"tensors":-\d+.* must return \{ tensors, bytes \}/,
    breakIt: (right) => {
      const reshaped = new WeakSet<Tensor>();
      let extra = 0;
      return {
        reshape(x, shape) {
          const view = right.reshape(x, shape);
          reshaped.add(view);
          return view;
        },
        dispose(x) {
          if (reshaped.has(x)) extra += 1;
          right.dispose(x);
        },
        memory: () => ({ ...right.memory(), tensors: right.memory().tensors - extra }),
      };
    },
  },
  {
    name: 'softmax does not subtract the maximum',
    level: 'operations',
    names: /softmax.* of \[/,
    breakIt: fromOperations('softmax', (ops, x) => {
      const powers = ops.exp(x as Tensor<'f32'>);
      return ops.divide(powers, ops.sum(powers, { axes: -1, keepDims: true }));
    }),
  },
  {
    name: 'gelu takes the approximation by tanh for the exact one',
    level: 'operations',
    names: /gelu/,
    breakIt: fromOperations('gelu', (ops, x) => {
      const cube = ops.multiply(ops.multiply(x as Tensor<'f32'>, x as Tensor<'f32'>), x as Tensor<'f32'>);
      const inner = ops.multiply(ops.add(x as Tensor<'f32'>, ops.multiply(cube, 0.044715)), Math.sqrt(2 / PI));
      return ops.multiply(ops.multiply(x as Tensor<'f32'>, 0.5), ops.add(ops.tanh(inner), 1));
    }),
  },
  {
    name: 'attention ignores the scale',
    level: 'operations',
    names: /attention/,
    breakIt: fromOperations('attention', (ops, query, key, value, options) =>
      ops.attention(query as Tensor, key as Tensor, value as Tensor, { ...(options as object), scale: 1 }),
    ),
  },
];
