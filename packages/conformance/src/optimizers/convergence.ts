import { type Optimizer, type OptimizerState, schedules } from '@lmd/core';
import { type OptimizerCase, type ResolvedOptimizerOptions, settingOf } from './options.js';
import { advance, begin, type Session } from './run.js';
import { type Target, targets } from './targets.js';

export function convergenceCases({ steps }: ResolvedOptimizerOptions): OptimizerCase[] {
  return targets.map((target) => ({
    name: `descends ${target.name} in ${steps} steps`,
    async run({ create, learningRate, remainingLoss }, open) {
      const session = open();
      const from = settingOf(learningRate, target.name);
      const rule = create({ learningRate: schedules.cosine({ from, to: from / 100, steps }) });
      const state = await begin(session, rule, target);
      const before = await lossOf(session, rule, state, target);
      const after = await lossOf(session, rule, advance(session, rule, state, steps, { target }), target);
      const limit = settingOf(remainingLoss, target.name);
      if (after <= limit * before) return undefined;
      return `the loss went from ${before} to ${after}, ${after / before} of it; at most ${limit} may remain.`;
    },
  }));
}

async function lossOf({ ops, own }: Session, rule: Optimizer, state: OptimizerState, target: Target): Promise<number> {
  const loss = ops.scope(() => target.evaluate(ops, rule.weights(ops, state)).loss);
  own({ loss });
  return (await ops.read(loss))[0]!;
}
