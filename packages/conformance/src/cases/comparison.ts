import { type ComparisonName, comparisonNames } from '@lmd/core';
import type { Case, CaseGroup, Context } from '../case.js';
import * as oracle from '../oracle/elementwise.js';
import { broadcastShapes } from '../oracle/layout.js';
import { floats, integers, repeated, type Values } from '../values.js';
import { broadcastPair, broadcastPairsToTry, specialValues } from './shapes-to-try.js';

/** Integers that f32 cannot tell apart. */
const largeIntegers = [16777216, 16777217, 16777218, -16777217, 2147483647, 2147483646, -2147483648, 0, -1];

function check(context: Context, name: ComparisonName, a: Values, b: Values): Promise<void> {
  return context.check({
    label: name,
    bound: 'truth',
    inputs: [a, b],
    run: (ops, [p, q]) => ops[name](p!, q!),
    want: oracle.comparison(name, a, b),
  });
}

function comparisonCases(name: ComparisonName): Case[] {
  return [
    {
      name: `${name} with broadcasting`,
      async run(context) {
        // Few distinct values, so that equal ones meet often.
        const value = () => context.random.integer(-2, 2) / 2;
        for (const [a, b] of broadcastPairsToTry(context.random)) {
          await check(context, name, floats(a, value), floats(b, value));
          await check(context, name, integers(a, value), integers(b, value));
        }
      },
    },
    {
      name: `${name} is false beside a NaN`,
      async run(context) {
        const row = repeated([specialValues.length], specialValues);
        await check(context, name, repeated([specialValues.length, 1], specialValues), row);
        // Of one shape, which a backend may handle without broadcasting.
        await check(context, name, row, row);
      },
    },
    {
      name: `${name} of integers beyond 2^24 is exact`,
      run: (context) =>
        check(
          context,
          name,
          integers([largeIntegers.length, 1], (i) => largeIntegers[i]!),
          integers([largeIntegers.length], (i) => largeIntegers[i]!),
        ),
    },
  ];
}

function checkWhere(context: Context, condition: Values, a: Values, b: Values): Promise<void> {
  return context.check({
    label: 'where',
    bound: 'copy',
    inputs: [condition, a, b],
    run: (ops, [c, p, q]) => ops.where(c!, p!, q!),
    want: oracle.where(condition, a, b),
  });
}

const whereCases: Case[] = [
  {
    name: 'where with broadcasting',
    async run(context) {
      const { random } = context;
      const truth = () => random.pick([0, 1, -1, 2]);
      for (const rank of [0, 1, 2, 3, 4, 5, 6]) {
        const [a, b] = broadcastPair(random, rank);
        const c = broadcastShapes(a, b).map((extent) => random.pick([1, extent]));
        const value = () => random.integer(-99, 99);
        await checkWhere(context, integers(c, truth), floats(a, value), floats(b, value));
        await checkWhere(context, integers(c, truth), integers(a, value), integers(b, value));
      }
      await checkWhere(context, integers([0], truth), floats([1], truth), floats([], truth));
      await checkWhere(context, integers([2, 1], truth), floats([3], truth), floats([], truth));
    },
  },
  {
    name: 'where lets nothing through from the side not chosen',
    async run(context) {
      const bad = repeated([6], [NaN, Infinity, -Infinity, NaN, -0, NaN]);
      const good = repeated([6], [1, -0, 0, 3e38, 5, -6]);
      await checkWhere(
        context,
        integers([6], () => 0),
        bad,
        good,
      );
      await checkWhere(
        context,
        integers([6], () => 1),
        good,
        bad,
      );
      await checkWhere(
        context,
        integers([6], (i) => i % 2),
        bad,
        good,
      );
      const wide = integers([9], (i) => largeIntegers[i]!);
      await checkWhere(
        context,
        integers([9], (i) => i % 2),
        wide,
        integers([], () => 16777219),
      );
    },
  },
];

/** Comparisons and selection. */
export const comparison: CaseGroup = {
  name: 'comparison',
  cases: [...comparisonNames.flatMap(comparisonCases), ...whereCases],
};
