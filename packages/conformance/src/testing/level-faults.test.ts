import { describe, expect, it } from 'vitest';
import { type ConformanceLevelName, conformanceLevelNames, conformanceLevels, runConformance } from '../index.js';
import { type LevelFault, withFault } from './level-fault.js';
import { operationLevelFaults } from './operation-level-faults.js';
import { laterLevelFaults } from './run-level-faults.js';

const all = [...operationLevelFaults, ...laterLevelFaults];

/** Tests that take long and add no evidence about a fault of another level. */
const long = /^(matmul > 257|quantization > (?!mxfp4_e2m1)|packed matrices|block products|training)/;
/** Those of a level of its own faults that suffice. */
const enough: Partial<Record<ConformanceLevelName, RegExp>> = {
  'mx-bits': /^quantization > mxfp[48]/,
  'exact-products': /^block products > mxfp4_e2m1/,
  trajectories: /^training > the same/,
  optimizers: /^optimizers > (lmd|adamw)/,
};

/** The tests of a level's own, and those of all levels below. */
function testsUpTo({ level, slow }: LevelFault): ReadonlyMap<string, ConformanceLevelName> {
  const own = conformanceLevelNames.indexOf(level);
  const upTo = conformanceLevels.slice(slow === true ? own : 0, own + 1);
  return new Map(
    upTo.flatMap(({ name, tests }) =>
      tests
        .filter((test) => (name === level && enough[level] !== undefined ? enough[level].test(test) : !long.test(test)))
        .map((test) => [test, name] as const),
    ),
  );
}

async function failuresOf(fault: LevelFault) {
  const tests = testsUpTo(fault);
  const { failed } = await runConformance({
    name: 'broken',
    create: () => withFault(fault),
    seed: 1,
    filter: (name) => tests.has(name),
  });
  return failed.map(({ name, error }) => ({ level: tests.get(name), message: `${name}: ${error}` }));
}

it('there are faults of every level, each with a name of its own', () => {
  expect(new Set(all.map(({ level }) => level))).toEqual(new Set(conformanceLevelNames));
  expect(new Set(all.map(({ name }) => name)).size).toBe(all.length);
  expect(all.length).toBeGreaterThanOrEqual(40);
});

describe('a backend with one mistake fails first at its level, with a message that names the operation', () => {
  it.each(all)('$level: $name', async (fault) => {
    const failures = await failuresOf(fault);
    expect(failures.map(({ level }) => level)).not.toEqual([]);
    expect(failures.filter(({ level }) => level !== fault.level)).toEqual([]);
    expect(
      failures.some(({ message }) => fault.names.test(message)),
      failures[0]!.message,
    ).toBe(true);
  });
});
