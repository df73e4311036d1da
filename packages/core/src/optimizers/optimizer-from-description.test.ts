import { describe, expect, it } from 'vitest';
import {
  adamw,
  clipByGlobalNorm,
  lieGroupAffine,
  lmd,
  type OptimizerDescription,
  optimizerFromDescription,
  optimizerRules,
  option,
  parameterGroups,
  type RuleDescription,
  type Schedule,
  schedules,
} from '../index.js';
import { follow, tensors, testOperations } from './test-support.js';

const initial = [0.3, -0.4, 0.5, 0.1];
const gradients = Array.from({ length: 6 }, (_, step) => initial.map((_, i) => Math.sin(step + i)));

describe('optimizerFromDescription', () => {
  it('is the rule by itself where one group takes everything, under the schedule', async () => {
    const described = optimizerFromDescription({
      groups: [{ match: '*', rule: 'adamw', options: { learningRate: 0.1, beta2: 0.9, epsilon: undefined } }],
      schedule: { kind: 'cosine', warmup: 2, decay: 4, final: 0.1 },
    });
    const learningRate = schedules.warmup(2, schedules.cosine({ from: 0.1, to: 0.1 * 0.1, steps: 4 }));
    const same = adamw({ learningRate, beta2: 0.9 });
    expect(described.name).toBe(same.name);
    expect(await follow(described, initial, gradients)).toEqual(await follow(same, initial, gradients));
  });

  it.each([
    ['cosine', 0, 10],
    ['cosine', 3, 10],
    ['linear', 4, 6],
    ['cosine', 0, 2],
  ] as const)('a %s after %s steps of warm-up is at its end at the last of %s steps', async (kind, warmup, steps) => {
    const described = optimizerFromDescription({
      groups: [{ match: '*', rule: 'sgd', options: { learningRate: 0.5, momentum: 0 } }],
      schedule: { kind, warmup, steps, final: 0.1 },
    });
    // Of plain SGD under a gradient of 1, each step is the learning rate.
    const rates: number[] = [];
    let before = 0;
    for (let step = 0; step < steps + 2; step++) {
      const state = await follow(
        described,
        [0],
        Array.from({ length: step + 1 }, () => [1]),
      );
      rates.push(before - state.weight![0]!);
      before = state.weight![0]!;
    }
    expect(rates[warmup]).toBeCloseTo(0.5, 6);
    expect(rates[steps - 2]).toBeGreaterThan(0.0501);
    for (const rate of rates.slice(steps - 1)) expect(rate).toBeCloseTo(0.05, 6);
  });

  it('gives options schedules of their own, and leaves what is no learning rate constant without', async () => {
    const rates = { learningRate: 0.05, regularization: 0.8, noise: 0.3 };
    const described = (schedules: NonNullable<RuleDescription['schedules']> = {}) =>
      optimizerFromDescription({
        groups: [{ match: '*', rule: 'lmd', options: rates, schedules }],
        schedule: { kind: 'linear', decay: 6 },
      });
    const learningRate = schedules.linear({ from: 0.05, to: 0, steps: 6 });
    const of = async (rule: Parameters<typeof follow>[0]) => follow(rule, initial, gradients);
    expect(await of(described())).toEqual(await of(lmd({ ...rates, learningRate })));
    const noise = schedules.cosine({ from: 0.3, to: 0.3 * 0.1, steps: 5 });
    expect(await of(described({ noise: { kind: 'cosine', steps: 6, final: 0.1 } }))).toEqual(
      await of(lmd({ ...rates, learningRate, noise })),
    );
    const onDefault = optimizerFromDescription({
      groups: [{ match: '*', rule: 'lmd', schedules: { regularization: { kind: 'linear', decay: 4 } } }],
    });
    const regularization = schedules.linear({ from: 0.7, to: 0, steps: 4 });
    expect(await of(onDefault)).toEqual(await of(lmd({ regularization })));
    expect(() => described({ noise: { kind: 'linear', decay: 4, final: 40 } })).toThrow(/lmd: noise at its end is 12/);
    expect(() => described({ samples: { kind: 'constant' } })).toThrow(
      /the schedules of lmd has no option "samples"\. Its options are learningRate, regularization, noise/,
    );
  });

  it("takes a rule of one's own, whose step sizes follow the schedule", async () => {
    const rule = {
      title: 'mine',
      matricesOnly: false,
      options: { size: option.schedule({ atLeast: 0, default: 0.1, describe: 'Size.' }) },
      create: ({ size }: { size?: Schedule }) => adamw({ learningRate: size! }),
    };
    const schedule = { kind: 'linear', decay: 6 } as const;
    // The default follows it too.
    for (const [options, from] of [[{ size: 0.2 }, 0.2] as const, [{}, 0.1] as const]) {
      const described = optimizerFromDescription({ groups: [{ match: '*', rule, options }], schedule });
      const same = adamw({ learningRate: schedules.linear({ from, to: 0, steps: 6 }) });
      expect(await follow(described, initial, gradients)).toEqual(await follow(same, initial, gradients));
    }
    const wrong = { groups: [{ match: '*' as const, rule, options: { rate: 1 } }] };
    expect(() => optimizerFromDescription(wrong)).toThrow(/mine has no option "rate"/);
  });

  it.each(['lmd', 'adamw', 'lion', 'sgd'] as const)(
    'schedules the learning rate of %s at its default',
    async (rule) => {
      const schedule = { kind: 'cosine', steps: 8, warmup: 2 } as const;
      const described = (options: object) =>
        optimizerFromDescription({ groups: [{ match: '*', rule, options: { ...options } }], schedule });
      const { default: learningRate } = optimizerRules[rule].options.learningRate;
      const left = await follow(described({}), initial, gradients);
      expect(left).toEqual(await follow(described({ learningRate }), initial, gradients));
    },
  );

  it('schedules every step size of a rule', async () => {
    const described = optimizerFromDescription({
      groups: [{ match: '*', rule: 'lieGroupAffine', options: { learningRate: 1, scaleLearningRate: 0.5 } }],
      schedule: { kind: 'linear', decay: 6 },
    });
    const fall = (from: number) => schedules.warmup(0, schedules.linear({ from, to: 0, steps: 6 }));
    const same = lieGroupAffine({ learningRate: fall(1), scaleLearningRate: fall(0.5) });
    expect(await follow(described, initial, gradients)).toEqual(await follow(same, initial, gradients));
  });

  it('composes groups and clipping', async () => {
    const isMatrix = (_: string, shape: readonly number[]) => shape.length > 1;
    const described = optimizerFromDescription({
      groups: [
        { match: isMatrix, rule: 'lmd', options: { noise: 0.2, samples: 2 } },
        { match: 'position', rule: 'frozen' },
        { match: '*', rule: 'adamw' },
      ],
      clipNorm: 1,
    });
    const same = clipByGlobalNorm(
      parameterGroups([
        { match: isMatrix, optimizer: lmd({ noise: 0.2, samples: 2 }) },
        { match: 'position', optimizer: optimizerRules.frozen.create() },
        { match: '*', optimizer: adamw() },
      ]),
      1,
    );
    expect([described.name, described.samples]).toEqual([same.name, 2]);
    const ops = testOperations();
    const matrix = ops.fromData([1, -2, 3, 4], [2, 2]);
    const state = await described.init(ops, { matrix, ...tensors(ops, { position: [1, 2], bias: [0, 0] }) });
    expect(Object.keys(state.tensors)).toContain('matrix/logPlus');
    expect(Object.keys(state.tensors)).toContain('position/weight');
    expect(Object.keys(state.tensors)).toContain('bias/weight');
  });

  it.each(Object.entries(optimizerRules))('builds %s', (rule, { create }) => {
    const options = rule === 'ivon' ? { effectiveSampleSize: 100 } : {};
    const described = optimizerFromDescription({ groups: [{ match: '*', rule: rule as 'ivon', options }] });
    expect(described.name).toBe(create(options as never).name);
  });

  it.each<[string, unknown, object]>([
    ['no groups', { groups: [] }, { subject: 'groups' }],
    ['an unknown rule', { groups: [{ match: '*', rule: 'adam' }] }, { subject: 'rule', value: 'adam' }],
    ['a name of every object', { groups: [{ match: '*', rule: 'toString' }] }, { subject: 'rule' }],
    ['a misspelt key', { groups: [{ match: '*', rule: 'lmd' }], clip: 1 }, { code: 'UNKNOWN_OPTION', subject: 'clip' }],
    ['a misspelt option', { groups: [{ match: '*', rule: 'lmd', options: { sigma: 1 } }] }, { subject: 'sigma' }],
    [
      'an unknown schedule',
      { groups: [{ match: '*', rule: 'lmd' }], schedule: { kind: 'step' } },
      { subject: 'kind', value: 'step' },
    ],
    [
      'both lengths',
      { groups: [{ match: '*', rule: 'lmd' }], schedule: { kind: 'cosine', steps: 9, decay: 8 } },
      { subject: 'decay' },
    ],
    ['no length', { groups: [{ match: '*', rule: 'lmd' }], schedule: { kind: 'cosine' } }, { subject: 'decay' }],
  ])('refuses %s', (_, description, details) => {
    const build = () => optimizerFromDescription(description as OptimizerDescription);
    expect(build).toThrow(expect.objectContaining(details));
  });
});
