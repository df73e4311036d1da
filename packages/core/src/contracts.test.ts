import { describe, expect, it } from 'vitest';
import { version } from '../package.json';
import {
  adamw,
  type Backend,
  checkBackend,
  checkModel,
  checkModelOperations,
  checkOperations,
  checkOptimizer,
  createOperations,
  type LmdError,
  type Operations,
} from './index.js';
import { createTestBackend } from './testing/index.js';

/** The error that `act` throws. */
function refusal(act: () => unknown): LmdError {
  try {
    act();
  } catch (error) {
    return error as LmdError;
  }
  throw new Error('nothing was refused');
}

const backend = createTestBackend();
const ops = createOperations(backend);
const model = {
  name: 'line',
  parameters: { w: { shape: [1] } },
  initialize: () => ({}),
  forward: () => ops.zeros([1]),
};

class ClassBackend {
  constructor() {
    Object.assign(this, createTestBackend());
  }
}

describe('what a caller passes in', () => {
  it('is taken where it keeps the contract, also as an instance of a class', () => {
    checkBackend(backend);
    checkBackend(new ClassBackend() as unknown as Backend);
    checkBackend({ ...backend, supports: { maxElements: Infinity, subnormals: false }, close: () => undefined });
    checkOperations(ops);
    checkModelOperations(ops);
    checkModelOperations({ ...ops, adamwUpdate: undefined } as Operations);
    checkOptimizer(adamw());
    checkModel(model);
  });

  it.each<[string, (value: never) => void, unknown, string]>([
    ['a backend', checkBackend, undefined, 'backend is undefined. Pass a backend'],
    ['a backend', checkBackend, createTestBackend, 'backend is a function. Call it'],
    ['a backend', checkBackend, Promise.resolve(backend), 'backend is a promise. Await it'],
    ['a backend', checkBackend, ops, 'backend is an object of operations. Pass the backend itself'],
    ['a backend', checkBackend, {}, "Backend without a name has no specVersion. Add specVersion: 'lmd-backend-v1'"],
    ['a backend', checkBackend, { ...backend, device: 3 }, 'Backend "test" has device = 3.'],
    ['a backend', checkBackend, { ...backend, memory: undefined }, 'Backend "test" has memory = undefined. It must be'],
    ['a backend', checkBackend, { ...backend, supports: undefined }, 'Backend "test" has supports = undefined.'],
    ['a backend', checkBackend, { ...backend, supports: { subnormals: true } }, 'supports.maxElements = undefined.'],
    ['a backend', checkBackend, { ...backend, supports: { maxElements: 9 } }, 'supports.subnormals = undefined.'],
    ['a backend', checkBackend, { ...backend, fused: undefined }, 'Backend "test" has fused = undefined.'],
    ['a backend', checkBackend, { ...backend, fused: { gelu: true } }, 'Backend "test" has fused.gelu = true.'],
    ['a backend', checkBackend, { ...backend, close: 1 }, 'Backend "test" has close = 1.'],
    ['operations', checkOperations, undefined, 'ops is undefined. Pass createOperations(backend).'],
    ['operations', checkOperations, backend, 'ops is a backend. Pass it as `backend`'],
    ['operations', checkOperations, {}, 'ops is an object. Pass createOperations(backend).'],
    [
      'operations',
      checkOperations,
      { ...ops, adamwUpdate: undefined },
      'ops of @lmd/core 0.1.0 lacks adamwUpdate.'.replace('0.1.0', version),
    ],
    ['operations', checkOperations, { ...ops, backend: { ...backend, fused: undefined } }, 'has fused = undefined.'],
    ['operations', checkModelOperations, backend, 'ops is a backend. Pass it as `backend`'],
    ['operations', checkModelOperations, { ...ops, read: undefined }, 'ops is an object with specVersion'],
    ['operations', checkModelOperations, { ...ops, backend: {} }, 'Backend without a name has no specVersion.'],
    ['an optimizer', checkOptimizer, 'adamw', 'optimizer is "adamw". Pass an optimizer, such as lmd()'],
    ['an optimizer', checkOptimizer, adamw, 'optimizer is a function. Call it'],
    [
      'an optimizer',
      checkOptimizer,
      { learningRate: 1 },
      'The optimizer without a name lacks init, draw, update, weights.',
    ],
    ['an optimizer', checkOptimizer, { ...adamw(), samples: 0 }, 'has samples = 0. It must be'],
    ['an optimizer', checkOptimizer, { ...adamw(), name: '' }, 'has name = "". It must be'],
    ['a model', checkModel, null, 'model is null. Pass a model'],
    ['a model', checkModel, { ...model, forward: undefined }, 'The model "line" lacks forward.'],
    ['a model', checkModel, { ...model, parameters: [] }, 'The model "line" has parameters = [].'],
    ['a model', checkModel, { ...model, parameters: { w: [1] } }, 'has parameters["w"].shape = undefined.'],
    ['a model', checkModel, { ...model, parameters: { w: { shape: [-1] } } }, 'has parameters["w"].shape = [-1].'],
  ])('is refused where it is not %s', (_, check, value, message) => {
    const error = refusal(() => check(value as never));
    expect(error.message).toContain(message);
    expect(error.code).toMatch(/^(INVALID_ARGUMENT|UNSUPPORTED)$/);
  });

  it('is refused by createOperations before anything runs', () => {
    const called: string[] = [];
    const silent = new Proxy({ ...createTestBackend(), memory: undefined } as unknown as Backend, {
      get: (target, name: keyof Backend) =>
        typeof target[name] === 'function' ? () => called.push(name) : target[name],
    });
    expect(refusal(() => createOperations(silent)).message).toContain('has memory = undefined');
    expect(called).toEqual([]);
  });
});
