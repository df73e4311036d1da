import { createReferenceBackend } from '@lmd/backends/reference';
import {
  createOperations,
  lion,
  type NamedTensors,
  type Optimizer,
  type OptimizerState,
  type SignUpdate,
  type Tensor,
} from '@lmd/core';
import { describe, expect, it } from 'vitest';
import { type OptimizerConformanceOptions, type OptimizerOptions, optimizerConformance } from './index.js';
import { signDescent } from './testing/sign-descent.js';

const sound: OptimizerConformanceOptions = {
  name: 'signDescent',
  create: signDescent,
  createOperations: () => createOperations(createReferenceBackend()),
  learningRate: 0.03,
  refused: { shrinkage: [1] },
};

/** The names of the tests that fail, and what they say. */
async function failures(options: OptimizerConformanceOptions): Promise<Map<string, string>> {
  const tests: { name: string; body: () => Promise<void> }[] = [];
  optimizerConformance(
    { describe: (_, body) => body(), it: (name, body) => tests.push({ name, body }), expect },
    options,
  );
  const failed = new Map<string, string>();
  for (const { name, body } of tests) {
    await body().catch((error: Error) => failed.set(name, error.message));
  }
  return failed;
}

type Update = Optimizer['update'];

/** The sound rule with a part changed; `make` is given each rule that the suite asks for. */
const broken = (make: (rule: Optimizer, options: OptimizerOptions) => Partial<Optimizer>) => ({
  ...sound,
  create: (options: OptimizerOptions) => {
    const rule = signDescent(options);
    return { ...rule, ...make(rule, options) };
  },
});

const withUpdate = (change: (update: Update, ...given: Parameters<Update>) => OptimizerState) =>
  broken(({ update }) => ({ update: (...given) => change(update, ...given) }));

/** `lion` with a part of its signs changed. */
const withSigns = (change: (signs: SignUpdate) => Partial<SignUpdate>): OptimizerConformanceOptions => ({
  ...sound,
  create: (options) => {
    const rule = lion(options);
    const signs = rule.signs!;
    return { ...rule, signs: { ...signs, ...change(signs) } };
  },
  refused: { beta1: [1] },
});

const renamed = (state: OptimizerState, change: (name: string) => string): OptimizerState => ({
  step: state.step,
  tensors: Object.fromEntries(Object.entries(state.tensors).map(([name, tensor]) => [change(name), tensor])),
});

describe('optimizerConformance', () => {
  it('passes a sound rule', async () => {
    expect(await failures(sound)).toEqual(new Map());
  });

  it('says once that there are no operations to run on', async () => {
    const failed = [...(await failures({ ...sound, createOperations: (() => undefined) as never })).values()];
    const first = failed.filter((message) => message.startsWith('ops is undefined. Pass createOperations(backend).'));
    expect(first.length).toBe(1);
    const others = failed.filter((message) => message === 'not run: createOperations failed');
    expect(first.length + others.length).toBe(failed.length);
  });

  it('leaves nothing in a backend that all tests share, also when they are started together', async () => {
    const backend = createReferenceBackend();
    const bodies: (() => Promise<void>)[] = [];
    optimizerConformance(
      { describe: (_, body) => body(), it: (_, body) => bodies.push(body), expect },
      { ...sound, createOperations: () => createOperations(backend) },
    );
    await Promise.all(bodies.map((body) => body()));
    expect(backend.memory().tensors).toBe(0);
  });

  it.each<[string, OptimizerConformanceOptions, RegExp, RegExp]>([
    [
      'climbs',
      withUpdate((update, ops, state, passes) => {
        const flipped = passes.map(({ key, gradients }) => ({
          key,
          gradients: Object.fromEntries(
            Object.entries(gradients).map(([name, g]) => [name, g.dtype === 'f32' ? ops.negate(g) : g]),
          ),
        }));
        return ops.scope(() => update(ops, state, flipped));
      }),
      /^descends tanhNetwork/,
      /the loss went from .* may remain/,
    ],
    [
      'remembers outside its state',
      broken(({ update }) => {
        let calls = 0;
        return {
          update(ops, state, passes) {
            calls += 1;
            return ops.scope(() =>
              update(
                ops,
                state,
                passes.map((one) => (calls > 3 ? { ...one, gradients: zeros(ops, one.gradients) } : one)),
              ),
            );
          },
        };
      }),
      /^resumes from a copy/,
      /7 \+ 8 steps part from 15/,
    ],
    [
      'counts the steps of its own object',
      broken(({ update }) => {
        let steps = 0;
        return {
          update(ops, state, passes) {
            const next = update(ops, { ...state, step: steps }, passes);
            steps += 1;
            return { ...next, step: state.step + 1 };
          },
        };
      }),
      /^resumes from a copy/,
      /7 \+ 8 steps part from 15/,
    ],
    [
      'changes the step of the state that it is given',
      withUpdate((update, ops, state, passes) => {
        const next = update(ops, state, passes);
        (state as { step: number }).step = next.step;
        return next;
      }),
      /^is pure/,
      /changed the step of the state/,
    ],
    [
      'frees the gradients that it is given',
      withUpdate((update, ops, state, passes) => {
        const next = update(ops, state, passes);
        for (const { gradients } of passes) ops.dispose(Object.values(gradients));
        return next;
      }),
      /^is pure/,
      /the update freed the gradients that it was given/,
    ],
    [
      'leaves a tensor behind in weights',
      broken(({ weights }) => ({
        weights(ops, ...given) {
          ops.zeros([4]);
          return weights(ops, ...given);
        },
      })),
      /^draws and evaluates/,
      /weights leaves \d tensors, and gives 2/,
    ],
    [
      'begins at step 1',
      broken(({ init }) => ({ init: async (...given) => ({ ...(await init(...given)), step: 1 }) })),
      /^counts its steps/,
      /init gives step 1, expected 0/,
    ],
    [
      'frees the state that it is given',
      withUpdate((update, ops, state, passes) => {
        const next = update(ops, state, passes);
        ops.dispose(state.tensors);
        return next;
      }),
      /^is pure/,
      /the tensor of shape \[4, 3\] was disposed/,
    ],
    [
      'forgets a tensor',
      withUpdate((update, ops, state, passes) => {
        ops.zeros([3]);
        return update(ops, state, passes);
      }),
      /^holds no more memory/,
      /after 20 steps 22 tensors/,
    ],
    [
      'gives out its own handles',
      broken(() => ({ draw: (_, state) => renamed(state, (name) => name.replace('/weight', '')).tensors })),
      /^draws and evaluates/,
      /draw gives a tensor of the state/,
    ],
    [
      'draws with a generator of its own',
      broken(({ draw }) => {
        let calls = 0;
        return {
          draw: (ops, state, key) =>
            ops.scope(() => map(draw(ops, state, key), (weight) => ops.add(weight, 1e-3 * ++calls))),
        };
      }),
      /^draws and evaluates/,
      /draw differs the second time/,
    ],
    [
      'names its state by position',
      broken(({ init }) => ({
        async init(ops, weights) {
          return renamed(await init(ops, weights), (name) => (name === 'vector/weight' ? '1/weight' : name));
        },
      })),
      /^counts its steps/,
      /"1\/weight" is not named/,
    ],
    [
      'has no place for a scalar',
      broken(({ init }) => ({
        async init(ops, weights) {
          for (const { shape } of Object.values(weights)) if (shape[0]!.toFixed() === '0') throw new Error('empty');
          return init(ops, weights);
        },
      })),
      /^trains a scalar/,
      /init fails with TypeError: .*, which names no weight/,
    ],
    [
      'takes what follows the first slash of a name for the vector',
      broken(({ weights, draw }) => {
        const ofFirst = (all: NamedTensors) =>
          Object.fromEntries(Object.entries(all).map(([name, weight]) => [name.split('/')[0]!, weight]));
        return { weights: (...given) => ofFirst(weights(...given)), draw: (...given) => ofFirst(draw(...given)) };
      }),
      /^trains a scalar/,
      /scale becomes \[1\]/,
    ],
    [
      'counts by two',
      withUpdate((update, ...given) => ({ ...update(...given), step: given[1].step + 2 })),
      /^counts its steps/,
      /counts step 2, expected 1/,
    ],
    [
      'takes any learning rate',
      {
        ...sound,
        create: ({ learningRate = 0.1, ...rest }) =>
          signDescent({
            learningRate: Number(learningRate) > 0 && Number(learningRate) < 1 ? learningRate : 0.1,
            ...rest,
          }),
      },
      /^refuses a bad learningRate by name/,
      /learningRate -1: it was accepted/,
    ],
    [
      'takes unknown options',
      {
        ...sound,
        create: ({ learningRate = 0.1, shrinkage = 0 }) =>
          signDescent({ learningRate, shrinkage: shrinkage as number }),
      },
      /^refuses an option that it does not know/,
      /it was accepted/,
    ],
    [
      'fails with errors of no type',
      withUpdate((update, ...given) => {
        try {
          return update(...given);
        } catch {
          throw new Error('vector, pass, stranger, learningRate');
        }
      }),
      /^refuses gradients that do not fit/,
      /which is no LmdError/,
    ],
    [
      'updates with noise that it never drew',
      broken(({ draw }) => ({
        draw: (ops, state, key) =>
          ops.scope(() => map(draw(ops, state, key), (weight) => ops.add(weight, 1e-6 * key.sample))),
      })),
      /^refuses an update without the key/,
      /without a key: it was accepted/,
    ],
    [
      'ignores its schedule',
      {
        ...sound,
        create: ({ learningRate = 0.1, ...rest }) =>
          signDescent({ ...rest, learningRate: typeof learningRate === 'function' ? learningRate(0) : learningRate }),
      },
      /^schedules/,
      /a falling learning rate changed nothing/,
    ],
    [
      'keeps a tensor that belongs to no weight',
      broken(({ init, draw, update }) => {
        const own = ({ step, tensors: { 'count/value': _, ...tensors } }: OptimizerState) => ({ step, tensors });
        return {
          async init(ops, weights) {
            const { step, tensors } = await init(ops, weights);
            return { step, tensors: { ...tensors, 'count/value': ops.zeros([]) } };
          },
          draw: (ops, state, key) => draw(ops, own(state), key),
          weights: (ops, state) => draw(ops, own(state), { seed: 0, step: 0, sample: 0 }),
          update: (ops, state, passes) => ({
            step: state.step + 1,
            tensors: {
              ...update(ops, own(state), passes).tensors,
              'count/value': ops.reshape(state.tensors['count/value']!, []),
            },
          }),
        };
      }),
      /^parameterGroups/,
      /the state's tensor "count\/value" does not belong to this optimizer/,
    ],
    [
      'votes with more than signs',
      withSigns((lion) => ({
        directions: (ops, state, passes) =>
          map(lion.directions(ops, state, passes), (direction) => ops.multiply(direction, 2)),
      })),
      /^with signs/,
      /its direction "\w+\/weight" has the value -?2/,
    ],
    [
      'does not move in the directions that it gives',
      withSigns((lion) => ({
        update: (ops, state, passes, directions) =>
          lion.update(
            ops,
            state,
            passes,
            map(directions, (direction) => ops.negate(direction)),
          ),
      })),
      /^with signs/,
      /in its own directions the update came out differently/,
    ],
  ])('finds a rule that %s', async (_, options, test, message) => {
    const failed = [...(await failures(options))].filter(([name]) => test.test(name));
    expect(failed.map(([name]) => name).join()).toMatch(test);
    expect(failed[0]![1]).toMatch(message);
  });

  it.each<[object, RegExp]>([
    [{ ...sound, seed: 1 }, /has no option "seed"/],
    [{ ...sound, name: '' }, /name is/],
    [{ ...sound, create: signDescent() }, /create is/],
    [{ ...sound, createOperations: undefined }, /createOperations is missing/],
    [{ ...sound, learningRate: 0 }, /learningRate is 0/],
    [{ ...sound, learningRate: { tanhNetwork: -1 } }, /learningRate\["tanhNetwork"\] is -1/],
    [{ ...sound, remainingLoss: Number.NaN }, /remainingLoss is NaN/],
    [{ ...sound, steps: 0.5 }, /steps is 0\.5/],
  ])('refuses options that it cannot use: %#', async (options, message) => {
    await expect(async () => failures(options as never)).rejects.toThrow(message);
  });

  it('names the target that a record of learning rates lacks', async () => {
    const failed = await failures({ ...sound, learningRate: { quadratic: 0.03, logisticRegression: 0.03 } });
    expect([...failed.values()].join()).toMatch(/target "tanhNetwork".*quadratic, logisticRegression/);
  });
});

function map(tensors: { readonly [name: string]: Tensor }, body: (tensor: Tensor) => Tensor) {
  return Object.fromEntries(Object.entries(tensors).map(([name, tensor]) => [name, body(tensor)]));
}

function zeros(ops: ReturnType<typeof sound.createOperations>, tensors: { readonly [name: string]: Tensor }) {
  return map(tensors, ({ shape }) => ops.zeros(shape));
}
