import { describe, expect, it } from 'vitest';
import { version } from '../package.json';
import {
  adamw,
  checkBackend,
  checkModel,
  checkOperations,
  checkOptimizer,
  clipByGlobalNorm,
  createOperations,
  injectHyperparameters,
  isLmdError,
  lmd,
  type Optimizer,
  optimizerSpecVersion,
  parameterGroups,
} from './index.js';
import { createTestBackend } from './testing/index.js';

const here = `@lmd/core ${version}`;

/** Code and message of the error that `act` throws. */
function refusal(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    if (isLmdError(error)) return `${error.code}: ${error.message}`;
    throw error;
  }
  return 'taken';
}

const backend = createTestBackend();
const ops = createOperations(backend);
const { specVersion: _, madeBy: __, ...unmarked } = adamw();
const model = { name: 'line', parameters: {}, initialize: () => ({}), forward: () => ops.zeros([1]) };
/** An optimizer with another marker. */
const marked = (marker: object): Optimizer => ({ ...unmarked, ...marker }) as Optimizer;

describe('the marker of a contract', () => {
  it('is on what this package makes', () => {
    const groups = parameterGroups([{ match: '*', optimizer: lmd() }]);
    const injected = injectHyperparameters(({ noise }) => lmd({ noise }), { noise: 0.1 });
    for (const optimizer of [adamw(), lmd(), clipByGlobalNorm(adamw(), 1), groups, injected]) {
      expect(optimizer).toMatchObject({ specVersion: optimizerSpecVersion, madeBy: here });
    }
    expect(ops).toMatchObject({ specVersion: 'lmd-operations-v1', madeBy: here });
  });

  it('is optional, and another package or release with the same version is taken', () => {
    checkOptimizer(marked({}));
    checkOptimizer(marked({ specVersion: 'lmd-optimizer-v1' }));
    checkOptimizer(marked({ specVersion: 'lmd-optimizer-v1', madeBy: '@lmd/core 0.0.1' }));
    checkOptimizer(marked({ madeBy: 'my-optimizers 1.0.0' }));
    checkModel(model);
  });

  it.each<[string, () => unknown, string]>([
    [
      'a newer contract of another package',
      () => checkOptimizer(marked({ specVersion: 'lmd-optimizer-v2', madeBy: '@my/rules 3.0.0' })),
      `UNSUPPORTED: The optimizer "adamw" of @my/rules 3.0.0 has lmd-optimizer-v2, but ${here} takes ` +
        'lmd-optimizer-v1. Upgrade @lmd/core, or install a version of @my/rules for lmd-optimizer-v1.',
    ],
    [
      'an older contract, with the package that receives it',
      () =>
        checkModel({ ...model, specVersion: 'lmd-model-v0', madeBy: '@my/nets 1.0.0' } as never, {
          receiver: '@lmd/training 9.9.9',
        }),
      'UNSUPPORTED: The model "line" of @my/nets 1.0.0 has lmd-model-v0, but @lmd/training 9.9.9, with ' +
        `${here}, takes lmd-model-v1. Upgrade @my/nets, or install a version of @lmd/training for lmd-model-v0.`,
    ],
    [
      'another contract without a package',
      () => checkOptimizer(marked({ specVersion: 'lmd-optimizer-v2' })),
      `UNSUPPORTED: The optimizer "adamw" has lmd-optimizer-v2, but ${here} takes lmd-optimizer-v1. Upgrade ` +
        '@lmd/core, or install a version of the package that it comes from for lmd-optimizer-v1.',
    ],
    [
      'another contract of another copy of this package',
      () => checkOptimizer(marked({ specVersion: 'lmd-optimizer-v2', madeBy: '@lmd/core 0.9.0' })),
      `UNSUPPORTED: The optimizer "adamw" of @lmd/core 0.9.0 has lmd-optimizer-v2, but ${here} takes ` +
        'lmd-optimizer-v1. Two copies of @lmd/core are installed. Keep one; npm ls @lmd/core shows what requires each.',
    ],
    [
      'operations of another copy that knows fewer',
      () => checkOperations({ ...ops, madeBy: '@lmd/core 0.0.1', packedRows: undefined } as never),
      'INVALID_ARGUMENT: ops of @lmd/core 0.0.1 lacks packedRows. Two copies of @lmd/core are installed. Keep one; ' +
        'npm ls @lmd/core shows what requires each.',
    ],
    [
      'operations of another contract',
      () => checkOperations({ ...ops, specVersion: 'lmd-operations-v2', madeBy: undefined } as never),
      `UNSUPPORTED: ops has lmd-operations-v2, but ${here} takes lmd-operations-v1. Upgrade @lmd/core, or install a ` +
        'version of the package that it comes from for lmd-operations-v1.',
    ],
    [
      'an object of another contract',
      () => checkOptimizer({ ...model, specVersion: 'lmd-model-v1' } as never),
      'INVALID_ARGUMENT: The optimizer "line" is of another kind: its specVersion is "lmd-model-v1", not ' +
        '"lmd-optimizer-v1". Pass an optimizer, such as lmd() or adamw() of @lmd/core.',
    ],
    [
      'a marker that is none',
      () => checkOptimizer(marked({ specVersion: 1 })),
      'INVALID_ARGUMENT: The optimizer "adamw" has specVersion = 1. It must be "lmd-optimizer-v1", the version of the ' +
        'contract that it implements.',
    ],
    [
      'a maker that is none',
      () => checkBackend({ ...backend, madeBy: 3 } as never),
      'INVALID_ARGUMENT: Backend "test" has madeBy = 3. It must be the name of a package and its version, such as ' +
        '"my-package 1.0.0", or absent.',
    ],
    [
      'a part of a wrapper',
      () => parameterGroups([{ match: '*', optimizer: marked({ specVersion: 'lmd-optimizer-v2' }) }]),
      'UNSUPPORTED: The optimizer "adamw" has lmd-optimizer-v2',
    ],
    [
      'what is no optimizer in a wrapper',
      () => clipByGlobalNorm(adamw as never, 1),
      'INVALID_ARGUMENT: clipByGlobalNorm: optimizer is a function. Call it',
    ],
  ])('refuses %s', (_, act, message) => {
    expect(refusal(act)).toContain(message);
  });
});
