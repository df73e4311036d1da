import { describe, expect, it } from 'vitest';
import { lion, type SgdOptions, schedules, sgd } from '../index.js';
import { expectClose, follow, pass, tensors, testOperations, trial } from './test-support.js';

describe('sgd', () => {
  it.each<[string, SgdOptions]>([
    ['the defaults', {}],
    ['no momentum', { momentum: 0, learningRate: 0.2 }],
    ['Nesterov with decay', { nesterov: true, momentum: 0.7, weightDecay: 0.3, learningRate: 0.1 }],
    ['a schedule', { learningRate: schedules.linear({ from: 0.3, to: 0, steps: 10 }) }],
  ])('follows its formula: %s', async (_, options) => {
    const { learningRate = 0.01, momentum = 0.9, nesterov = false, weightDecay = 0 } = options;
    const { initial, gradients } = trial();
    const weight = [...initial];
    const velocity = initial.map(() => 0);
    for (const [step, gradient] of gradients.entries()) {
      const rate = typeof learningRate === 'number' ? learningRate : learningRate(step);
      for (const [i, g] of gradient.entries()) {
        velocity[i] = momentum * velocity[i]! + g;
        const direction = nesterov ? g + momentum * velocity[i]! : velocity[i]!;
        weight[i] = weight[i]! * (1 - rate * weightDecay) - rate * direction;
      }
    }
    const end = await follow(sgd(options), initial, gradients);
    expectClose(end.weight!, weight, 1e-5, 1e-6);
    expectClose(end.velocity!, velocity, 1e-5, 1e-6);
  });

  it("refuses another rule's state by the name of the tensor", async () => {
    const ops = testOperations();
    const state = await lion().init(ops, tensors(ops, { w: [1] }));
    expect(() => sgd().update(ops, state, [pass(tensors(ops, { w: [1] }))])).toThrow(/state's tensor "w\/momentum"/);
    expect(() => sgd().weights(ops, state)).toThrow(/which has for each weight: weight, velocity/);
  });

  it.each<[string, unknown, RegExp]>([
    ['an unknown option', { dampening: 0.1 }, /sgd has no option "dampening"/],
    ['an endless learning rate', { learningRate: Infinity }, /sgd: learningRate is Infinity/],
    ['momentum 1', { momentum: 1 }, /sgd: momentum is 1/],
    ['nesterov that is no flag', { nesterov: 1 }, /sgd: nesterov is 1/],
    ['nesterov without momentum', { nesterov: true, momentum: 0 }, /sgd: nesterov is true but momentum is 0/],
    ['negative decay', { weightDecay: -1 }, /sgd: weightDecay is -1/],
  ])('refuses %s', (_, options, message) => {
    expect(() => sgd(options as never)).toThrow(message);
  });
});
