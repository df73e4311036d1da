import { isLmdError, type NamedTensors, type Optimizer, type OptimizerState, type Pass } from '@lmd/core';
import { type OptimizerCase, type ResolvedOptimizerOptions, settingOf } from './options.js';
import { begin, bitDifference, contentsOf, passesOf, plainTarget, type Session, seed } from './run.js';

/** An option that no optimizer has. */
const unknownOption = 'learningRaet';

export function inputCases(options: ResolvedOptimizerOptions): OptimizerCase[] {
  const refused = {
    ...options.refused,
    learningRate: [-1, Number.NaN, Infinity, 'fast', ...(options.refused.learningRate ?? [])],
    [unknownOption]: [0.1],
  };
  const hyperparameters = Object.entries(refused).map(
    ([option, values]): OptimizerCase => ({
      name: option === unknownOption ? 'refuses an option that it does not know' : `refuses a bad ${option} by name`,
      async run({ create }) {
        for (const value of values) {
          const problem = refusal(() => create({ [option]: value }), option);
          if (problem !== undefined) return `${option} ${String(value)}: ${problem}`;
        }
        return undefined;
      },
    }),
  );
  return [...hyperparameters, scheduleCase, gradientCase, keyCase];
}

const scheduleCase: OptimizerCase = {
  name: 'refuses what a schedule should not return, at its step',
  async run({ create }, open) {
    const session = open();
    const { ops } = session;
    const rule = create({ learningRate: (step) => (step === 0 ? Number.NaN : 0.1) });
    const state = await begin(session, rule);
    const passes = passesOf(session, rule, state);
    return ops.scope(() => refusal(() => rule.update(ops, state, passes), 'learningRate'));
  },
};

const gradientCase: OptimizerCase = {
  name: 'refuses gradients that do not fit, by name, and leaves its state whole',
  async run({ create, learningRate }, open) {
    const session = open();
    const { ops } = session;
    const rule = create({ learningRate: settingOf(learningRate, plainTarget.name) });
    const state = await begin(session, rule);
    const before = await contentsOf(ops, state.tensors);
    const good = passesOf(session, rule, state);
    const held = ops.memory().tensors;
    const withGradients = (change: (gradients: NamedTensors) => NamedTensors): Pass[] =>
      good.map(({ key, gradients }) => ({ key, gradients: change(gradients) }));
    const attempts: readonly (readonly [string, string, () => Pass[]])[] = [
      ['no pass', 'pass', () => []],
      ['a missing gradient', 'vector', () => withGradients(({ matrix }) => ({ matrix: matrix! }))],
      ['a gradient of no weight', 'stranger', () => withGradients((all) => ({ ...all, stranger: all.vector! }))],
      ['a gradient of another shape', 'vector', () => withGradients((all) => ({ ...all, vector: all.matrix! }))],
      ['an integer gradient', 'vector', () => withGradients((all) => ({ ...all, vector: ops.zeros([5], 'i32') }))],
    ];
    for (const [what, name, passes] of attempts) {
      const problem = ops.scope(() => refusal(() => rule.update(ops, state, passes()), name));
      if (problem !== undefined) return `${what}: ${problem}`;
      if (ops.memory().tensors !== held) return `${what}: the failed update left tensors behind.`;
    }
    const changed = bitDifference(await contentsOf(ops, state.tensors), before);
    if (changed !== undefined) return `a failed update changed the state: ${changed}.`;
    session.own(rule.update(ops, state, good).tensors);
    return undefined;
  },
};

const keyCase: OptimizerCase = {
  name: 'refuses an update without the key of its draw, if it draws or rounds stochastically',
  async run({ create, learningRate }, open) {
    const session = open();
    const { ops, own } = session;
    const rule = create({ learningRate: settingOf(learningRate, plainTarget.name) });
    const state = await begin(session, rule);
    const drawn = async (sample: number) => contentsOf(ops, own(rule.draw(ops, state, { seed, step: 0, sample })));
    const draws = bitDifference(await drawn(0), await drawn(1)) !== undefined;
    const needsKey = draws || !(await ignoresKeys(session, rule, state));
    const before = await contentsOf(ops, state.tensors);
    const passes = passesOf(session, rule, state).map(({ gradients }) => ({ gradients }) as unknown as Pass);
    const held = ops.memory().tensors;
    if (!needsKey) {
      own(rule.update(ops, state, passes).tensors);
      return undefined;
    }
    const problem = ops.scope(() => refusal(() => rule.update(ops, state, passes), 'key'));
    if (problem !== undefined) return `without a key: ${problem}`;
    if (ops.memory().tensors !== held) return 'the failed update left tensors behind.';
    const changed = bitDifference(await contentsOf(ops, state.tensors), before);
    return changed && `the failed update changed the state: ${changed}.`;
  },
};

/** Whether an update of an optimizer that does not draw is the same for every key. */
async function ignoresKeys(session: Session, rule: Optimizer, state: OptimizerState): Promise<boolean> {
  const { ops, own } = session;
  const passes = passesOf(session, rule, state);
  const updated = async (other: number) => {
    const keyed = passes.map(({ key, gradients }) => ({ key: { ...key, seed: other }, gradients }));
    return contentsOf(ops, own(rule.update(ops, state, keyed).tensors));
  };
  return bitDifference(await updated(seed), await updated(seed + 1)) === undefined;
}

/** The problem with the error of `attempt`, if any: it must be an `LmdError` that names the cause. */
function refusal(attempt: () => unknown, name: string): string | undefined {
  try {
    attempt();
  } catch (error) {
    if (!isLmdError(error)) return `it fails with ${String(error)}, which is no LmdError.`;
    return error.message.includes(name) ? undefined : `the error does not name ${name}: ${error.message}`;
  }
  return 'it was accepted.';
}
