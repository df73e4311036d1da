import {
  accumulateGradients,
  adamw,
  clipByGlobalNorm,
  type EagerOperations,
  globalNorm,
  injectHyperparameters,
  type NamedTensors,
  type Optimizer,
  type Pass,
  parameterGroups,
  scaleGradients,
  schedules,
  type Tensor,
} from '@lmd/core';
import { type OptimizerCase, type ResolvedOptimizerOptions, settingOf } from './options.js';
import { advance, begin, bitDifference, type Contents, contentsOf, plainTarget, type Session } from './run.js';
import type { Target } from './targets.js';

const steps = 6;

export function compositionCases(options: ResolvedOptimizerOptions): OptimizerCase[] {
  const { create } = options;
  const rate = settingOf(options.learningRate, plainTarget.name);
  const make = () => create({ learningRate: rate });
  const decay = schedules.linear({ from: rate, to: rate / 2, steps });

  async function trained(
    open: () => Session,
    rule: Optimizer,
    { target = plainTarget, change = unchanged }: Training = {},
  ) {
    const session = open();
    const { ops } = session;
    const start = await begin(session, rule, target);
    const each = (passes: Pass[]) => passes.map(({ key, gradients }) => ({ key, gradients: change(ops, gradients) }));
    return contentsOf(ops, advance(session, rule, start, steps, { target, change: each }).tensors);
  }

  return [
    {
      name: 'parameterGroups: beside another rule it does what it does alone',
      async run(_, open) {
        const grouped = await trained(
          open,
          parameterGroups([
            { match: 'matrix', optimizer: make() },
            { match: '*', optimizer: adamw() },
          ]),
        );
        return bitDifference(startingWith(grouped, 'matrix/'), await trained(open, make(), { target: matrixAlone }));
      },
    },
    {
      name: 'clipByGlobalNorm: a norm never reached changes nothing, and one exceeded scales all gradients alike',
      async run(_, open) {
        const wide = bitDifference(await trained(open, clipByGlobalNorm(make(), 1e6)), await trained(open, make()));
        if (wide !== undefined) return `far below the norm: ${wide}`;
        const limit = 1e-3;
        const scaled = await trained(open, make(), {
          change(ops, gradients) {
            const factor = ops.divide(limit, globalNorm(ops, gradients));
            return map(gradients, (gradient) => ops.multiply(gradient, factor));
          },
        });
        const tight = bitDifference(await trained(open, clipByGlobalNorm(make(), limit)), scaled);
        return tight && `above the norm: ${tight}`;
      },
    },
    {
      name: 'schedules: a constant one is its number, and another is followed',
      async run(_, open) {
        const fixed = await trained(open, make());
        const constant = bitDifference(await trained(open, create({ learningRate: schedules.constant(rate) })), fixed);
        if (constant !== undefined) return `a constant schedule: ${constant}`;
        const followed = bitDifference(await trained(open, create({ learningRate: decay })), fixed);
        return followed === undefined ? 'a falling learning rate changed nothing.' : undefined;
      },
    },
    {
      name: 'injectHyperparameters: an injected learning rate is the same as a given one',
      async run(_, open) {
        const injected = injectHyperparameters(({ learningRate }) => create({ learningRate }), { learningRate: decay });
        return bitDifference(await trained(open, injected), await trained(open, create({ learningRate: decay })));
      },
    },
    {
      name: 'an average of its weights over steps (EMA) follows them, of either kind, and leaves its state alone',
      async run(_, open) {
        const plain = await trained(open, make());
        for (const kind of ['mean', 'median'] as const) {
          const session = open();
          const { ops, own } = session;
          const rule = make();
          let state = await begin(session, rule);
          let average = own(rule.weights(ops, state, kind));
          // Of decay ½, and the same sum of the weights themselves, read back at each step.
          let expected = await contentsOf(ops, average);
          for (let step = 0; step < steps; step++) {
            state = advance(session, rule, state, 1);
            const weights = own(rule.weights(ops, state, kind));
            const [before, now] = [expected, await contentsOf(ops, weights)];
            average = own(
              ops.scope(() =>
                Object.fromEntries(
                  Object.entries(weights).map(([name, weight]) => [
                    name,
                    ops.add(ops.multiply(average[name]!, 0.5), ops.multiply(weight, 0.5)),
                  ]),
                ),
              ),
            );
            expected = Object.fromEntries(
              Object.entries(now).map(([name, { data, ...layout }]) => [
                name,
                { ...layout, data: Float32Array.from(data, (w, i) => Math.fround(w / 2) + before[name]!.data[i]! / 2) },
              ]),
            );
          }
          const problem = farthest(await contentsOf(ops, average), expected);
          if (problem !== undefined) return `the average of ${kind} weights: ${problem}`;
          const changed = bitDifference(await contentsOf(ops, state.tensors), plain);
          if (changed !== undefined) return `reading ${kind} weights at each step changed the run: ${changed}`;
        }
        return undefined;
      },
    },
    {
      name: 'accumulateGradients: two equal halves of a batch are the batch',
      async run(_, open) {
        const halves = await trained(open, make(), {
          change(ops, gradients) {
            const again = map(gradients, (gradient) => ops.reshape(gradient, gradient.shape));
            return scaleGradients(ops, accumulateGradients(ops, gradients, again), 0.5);
          },
        });
        return bitDifference(halves, await trained(open, make()));
      },
    },
  ];
}

/** What is not within some ulp of f32, if anything: a product and a sum may be fused. */
function farthest(got: Contents, want: Contents): string | undefined {
  for (const [name, { data }] of Object.entries(want)) {
    for (const [i, value] of data.entries()) {
      const other = got[name]!.data[i]!;
      if (!(Math.abs(other - value) <= 1e-6 * (1 + Math.abs(value)))) {
        return `element ${i} of ${name} is ${other}, expected ${value}`;
      }
    }
  }
  return undefined;
}

interface Training {
  readonly target?: Target;
  readonly change?: (ops: EagerOperations, gradients: NamedTensors) => NamedTensors;
}

const unchanged = (_: EagerOperations, gradients: NamedTensors) => gradients;

/** The plain target's matrix by itself: its loss is a sum over the weights. */
const matrixAlone: Target = {
  name: 'matrix',
  initialWeights: (ops) => startingWith(plainTarget.initialWeights(ops), 'matrix'),
  evaluate(ops, { matrix }) {
    const { vector } = plainTarget.initialWeights(ops);
    const { loss, gradients } = plainTarget.evaluate(ops, { matrix: matrix!, vector: vector! });
    return { loss, gradients: startingWith(gradients, 'matrix') };
  },
};

function startingWith<T>(record: { readonly [name: string]: T }, prefix: string): { [name: string]: T } {
  return Object.fromEntries(Object.entries(record).filter(([name]) => name.startsWith(prefix)));
}

function map(tensors: NamedTensors, body: (tensor: Tensor) => Tensor): NamedTensors {
  return Object.fromEntries(Object.entries(tensors).map(([name, tensor]) => [name, body(tensor)]));
}
