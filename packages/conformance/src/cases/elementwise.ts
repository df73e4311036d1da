import { type BinaryName, binaryNames, type UnaryName, unaryNames } from '@lmd/core';
import type { BoundName } from '../bounds.js';
import type { Case, CaseGroup, Context } from '../case.js';
import * as oracle from '../oracle/elementwise.js';
import type { Random } from '../random.js';
import { floats, repeated, type Values } from '../values.js';
import { broadcastPairsToTry, shapesToTry, specialValues } from './shapes-to-try.js';

const unaryBounds: Record<UnaryName, BoundName> = {
  negate: 'arithmetic',
  absolute: 'arithmetic',
  sign: 'sign',
  exp: 'exp',
  log: 'log',
  sqrt: 'sqrt',
  tanh: 'tanh',
  erf: 'erf',
  round: 'round',
};

const binaryBounds: Record<BinaryName, BoundName> = {
  add: 'arithmetic',
  subtract: 'arithmetic',
  multiply: 'arithmetic',
  divide: 'divide',
  maximum: 'extremum',
  minimum: 'extremum',
};

/** Where each function is worth trying: its whole range, and its difficult places. */
const domains: Record<UnaryName, (random: Random) => number> = {
  negate: (random) => random.normal() * 100,
  absolute: (random) => random.normal() * 100,
  sign: (random) => random.pick([random.normal(), 0, 1e-30]),
  exp: (random) => random.pick([random.uniform(-80, 80), random.normal()]),
  log: (random) => random.pick([Math.exp(random.uniform(-80, 80)), random.uniform(0.5, 2)]),
  sqrt: (random) => Math.exp(random.uniform(-80, 80)),
  tanh: (random) => random.pick([random.normal() * 3, random.normal() * 1e-3]),
  erf: (random) => random.pick([random.normal() * 2, random.normal() * 1e-3]),
  round: (random) => random.pick([random.normal() * 50, random.integer(-50, 50) + 0.5]),
};

/** More values whose results f32 represents as 0 or infinity, or for which approximations are wrong. */
const unarySpecials: Partial<Record<UnaryName, readonly number[]>> = {
  exp: [88.5, 89, -103, -104, 1e10, -1e10],
  log: [1, 1 + 2 ** -23, 1 - 2 ** -24],
  tanh: [20, -20, 1e10, 2 ** -20],
  erf: [6, -6, 1e10, 2 ** -20],
  round: [0.5, 1.5, -0.5, -1.5, 2.5, 8388607.5, 8388609, -16777215, 2 ** 31, 2 ** 40, 0.49999997],
};

function unaryCase(name: UnaryName): Case {
  return {
    name,
    async run(context) {
      for (const shape of shapesToTry(context.random)) {
        await checkUnary(
          context,
          name,
          floats(shape, () => domains[name](context.random)),
        );
      }
    },
  };
}

function unarySpecialCase(name: UnaryName): Case {
  return {
    name: `${name} keeps NaN and infinities`,
    async run(context) {
      const values = [...specialValues, ...(unarySpecials[name] ?? [])];
      await checkUnary(context, name, repeated([values.length], values));
    },
  };
}

function checkUnary(context: Context, name: UnaryName, x: Values): Promise<void> {
  return context.check({
    label: name,
    bound: unaryBounds[name],
    inputs: [x],
    run: (ops, [a]) => ops[name](a!),
    want: oracle.unary(name, x),
  });
}

function checkBinary(context: Context, name: BinaryName, a: Values, b: Values): Promise<void> {
  return context.check({
    label: name,
    bound: binaryBounds[name],
    inputs: [a, b],
    run: (ops, [p, q]) => ops[name](p!, q!),
    want: oracle.binary(name, a, b),
  });
}

function binaryCase(name: BinaryName): Case {
  return {
    name: `${name} with broadcasting`,
    async run(context) {
      const value = () => context.random.normal() * 10 ** context.random.integer(-3, 3);
      for (const [a, b] of broadcastPairsToTry(context.random)) {
        await checkBinary(context, name, floats(a, value), floats(b, value));
      }
    },
  };
}

function binarySpecialCase(name: BinaryName): Case {
  return {
    name: `${name} keeps NaN and infinities`,
    async run(context) {
      const count = specialValues.length;
      await checkBinary(context, name, repeated([count, 1], specialValues), repeated([count], specialValues));
    },
  };
}

const scalarCase: Case = {
  name: 'numbers stand for f32 scalars',
  async run(context) {
    const x = floats([2, 3], () => context.random.normal());
    const two = floats([], () => 2);
    await context.check({
      label: 'subtract of a tensor and 2',
      bound: 'arithmetic',
      inputs: [x],
      run: (ops, [a]) => ops.subtract(a!, 2),
      want: oracle.binary('subtract', x, two),
    });
    await context.check({
      label: 'divide of 2 by a tensor',
      bound: 'divide',
      inputs: [x],
      run: (ops, [a]) => ops.divide(2, a!),
      want: oracle.binary('divide', two, x),
    });
  },
};

const subnormalCase: Case = {
  name: 'subnormals are kept, or flushed to zero where supports.subnormals is false',
  async run(context) {
    // Sums of two are subnormal too: what a backend flushes may be an operand.
    const tiny = repeated([4], [2 ** -149, -(2 ** -130), 3 * 2 ** -140, 2 ** -128]);
    await checkUnary(context, 'negate', tiny);
    await checkBinary(context, 'add', tiny, tiny);
    await checkBinary(context, 'multiply', tiny, repeated([], [0.5]));
  },
};

/** Arithmetic on f32 tensors, one element at a time. */
export const elementwise: CaseGroup = {
  name: 'elementwise',
  cases: [
    ...unaryNames.flatMap((name) => [unaryCase(name), unarySpecialCase(name)]),
    ...binaryNames.flatMap((name) => [binaryCase(name), binarySpecialCase(name)]),
    scalarCase,
    subnormalCase,
  ],
};
