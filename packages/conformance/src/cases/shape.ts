import { sizeOf } from '@lmd/core';
import type { Case, CaseGroup } from '../case.js';
import { broadcastShapes } from '../oracle/layout.js';
import * as oracle from '../oracle/shapes.js';
import { floats } from '../values.js';
import { contents } from './contents.js';
import { broadcastPair, shapesToTry } from './shapes-to-try.js';

const reshapeCase: Case = {
  name: 'reshape keeps the row-major order',
  async run(context) {
    const { random } = context;
    for (const shape of shapesToTry(random)) {
      const size = sizeOf(shape);
      const target = random.pick([[size], [1, size], [size, 1, 1], [...shape].reverse()]);
      for (const x of contents(random, shape)) {
        await context.check({
          label: `reshape to [${target.join(', ')}]`,
          bound: 'copy',
          inputs: [x],
          run: (ops, [a]) => ops.reshape(a!, target),
          want: { ...x, shape: target },
        });
      }
    }
    const x = floats([4, 6], (i) => i);
    await context.check({
      label: 'reshape to [3, -1]',
      bound: 'copy',
      inputs: [x],
      run: (ops, [a]) => ops.reshape(a!, [3, -1]),
      want: { ...x, shape: [3, 8] },
    });
  },
};

const transposeCase: Case = {
  name: 'transpose by any permutation',
  async run(context) {
    const { random } = context;
    for (const shape of shapesToTry(random)) {
      const axes = shape.map((_, axis) => axis);
      for (const permutation of [random.shuffled(axes), [...axes].reverse()]) {
        for (const x of contents(random, shape)) {
          await context.check({
            label: `transpose by [${permutation.join(', ')}]`,
            bound: 'copy',
            inputs: [x],
            run: (ops, [a]) => ops.transpose(a!, permutation),
            want: oracle.transpose(x, permutation),
          });
        }
      }
    }
    const x = floats([2, 3, 4], (i) => i);
    await context.check({
      label: 'transpose without a permutation',
      bound: 'copy',
      inputs: [x],
      run: (ops, [a]) => ops.transpose(a!),
      want: oracle.transpose(x, [0, 2, 1]),
    });
  },
};

const sliceCase: Case = {
  name: 'slice',
  async run(context) {
    const { random } = context;
    for (const shape of [...shapesToTry(random), [4, 5], [9]]) {
      const begin = shape.map((extent) => random.integer(0, extent));
      const size = shape.map((extent, axis) => random.integer(0, extent - begin[axis]!));
      const some = shape.map((extent, axis) => Math.min(extent - begin[axis]!, size[axis]! + 1));
      for (const x of contents(random, shape)) {
        for (const extents of [size, some]) {
          await context.check({
            label: `slice of [${extents.join(', ')}] from [${begin.join(', ')}]`,
            bound: 'copy',
            inputs: [x],
            run: (ops, [a]) => ops.slice(a!, begin, extents),
            want: oracle.slice(x, begin, extents),
          });
        }
      }
    }
  },
};

const concatenateCase: Case = {
  name: 'concatenate along any axis, empty parts included',
  async run(context) {
    const { random } = context;
    for (const rank of [1, 2, 3, 4, 5, 6]) {
      const shape = random.shape(rank, 60);
      const axis = random.integer(0, rank - 1);
      const extents = [shape[axis]!, random.integer(0, 3), random.integer(1, 4)].slice(0, random.integer(1, 3));
      const parts = extents.map((extent) =>
        contents(
          random,
          shape.map((own, i) => (i === axis ? extent : own)),
        ),
      );
      for (const xs of [parts.map(([float]) => float), parts.map(([, integer]) => integer)]) {
        await context.check({
          label: `concatenate along ${axis}`,
          bound: 'copy',
          inputs: xs,
          run: (ops, tensors) => ops.concatenate(tensors, axis),
          want: oracle.concatenate(xs, axis),
        });
      }
    }
  },
};

const broadcastCase: Case = {
  name: 'broadcastTo',
  async run(context) {
    const { random } = context;
    const pairs: [readonly number[], readonly number[]][] = [
      [[], [2, 3]],
      [[1], [4]],
      [
        [3, 1],
        [2, 3, 5],
      ],
      [
        [2, 3],
        [2, 3],
      ],
      [[1], [0]],
    ];
    for (const rank of [1, 2, 3, 4, 5, 6]) {
      const [a, b] = broadcastPair(random, rank);
      pairs.push([a, broadcastShapes(a, b)]);
    }
    for (const [shape, target] of pairs) {
      for (const x of contents(random, shape)) {
        await context.check({
          label: `broadcastTo [${target.join(', ')}]`,
          bound: 'copy',
          inputs: [x],
          run: (ops, [a]) => ops.broadcastTo(a!, target),
          want: oracle.broadcastTo(x, target),
        });
      }
    }
  },
};

const padCase: Case = {
  name: 'pad adds zeros',
  async run(context) {
    const { random } = context;
    for (const shape of [[3], [2, 4], [1, 1], [2, 0, 3], random.shape(3), random.shape(4), random.shape(5, 60)]) {
      const before = shape.map(() => random.integer(0, 2));
      const after = shape.map(() => random.integer(0, 2));
      for (const x of contents(random, shape)) {
        await context.check({
          label: `pad by [${before.join(', ')}] and [${after.join(', ')}]`,
          bound: 'copy',
          inputs: [x],
          run: (ops, [a]) => ops.pad(a!, before, after),
          want: oracle.pad(x, before, after),
        });
      }
    }
  },
};

/** Operations that move values without computing with them. */
export const shape: CaseGroup = {
  name: 'shape',
  cases: [reshapeCase, transposeCase, sliceCase, concatenateCase, broadcastCase, padCase],
};
