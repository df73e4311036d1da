import { testNames } from './test-names.js';

/** A part of the suite, to be passed before the next one. */
export interface ConformanceLevel {
  readonly name: ConformanceLevelName;
  /** What a backend that passes it can do. */
  readonly describe: string;
  /** Full names, `group > name`. */
  readonly tests: readonly string[];
}

const groups = {
  operations: {
    describe: 'every operation, composed or fused, within its error bound',
    groups: [
      'handles',
      'elementwise',
      'comparison',
      'reduction',
      'matmul',
      'shape',
      'indexing',
      'dtypes',
      'neural',
      'attention',
    ],
  },
  gradients: {
    describe: 'kernels of gradients, and gradients on a tape against finite differences in float64',
    groups: ['gradients'],
  },
  'random-bits': { describe: 'Philox4x32-10, bit by bit', groups: ['random numbers'] },
  'mx-bits': {
    describe: 'quantized values, packed weights and coded rows, bit by bit',
    groups: ['quantization', 'packed matrices', 'coded rows'],
  },
  'exact-products': { describe: 'products of encoded blocks, bit by bit', groups: ['block products'] },
  optimizers: { describe: 'the kernels of the optimizers, and their compact states', groups: ['optimizers'] },
  trajectories: { describe: 'training steps of a small Vision Transformer', groups: ['training'] },
  memory: { describe: 'handles and bytes of every operation, and loops that do not grow', groups: ['memory'] },
  faults: {
    describe: 'special values, refused calls, mutated arguments and other instances harm nothing else',
    groups: ['faults'],
  },
} as const;

export type ConformanceLevelName = keyof typeof groups;

/** The names of the levels, in the order in which a backend climbs them. */
export const conformanceLevelNames = Object.keys(groups) as readonly ConformanceLevelName[];

/** Kernels of gradients are in the groups of their operations. */
function levelOf(test: string): ConformanceLevelName {
  const [group, name] = test.split(' > ') as [string, string];
  if (/^(neural|attention)$/.test(group) && name.includes('Gradient')) return 'gradients';
  const level = conformanceLevelNames.find((one) => (groups[one].groups as readonly string[]).includes(group));
  if (level !== undefined) return level;
  // A test of no level would not run.
  throw new Error(`The group '${group}' of the suite is in no level.`);
}

/** All tests of the suite in levels, from single operations to whole runs. Each test is in exactly one level. */
export const conformanceLevels: readonly ConformanceLevel[] = conformanceLevelNames.map((name) => ({
  name,
  describe: groups[name].describe,
  tests: testNames.filter((test) => levelOf(test) === name),
}));
