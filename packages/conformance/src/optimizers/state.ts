import {
  disposeState,
  type EagerOperations,
  isLmdError,
  type NamedTensors,
  type OptimizerState,
  schedules,
  weightOf,
} from '@lmd/core';
import { type OptimizerCase, type ResolvedOptimizerOptions, settingOf } from './options.js';
import {
  advance,
  begin,
  bitDifference,
  contentsOf,
  fromContents,
  layoutDifference,
  passesOf,
  plainTarget,
  seed,
} from './run.js';
import { shapesOfWeights, variedTarget } from './targets.js';

export function stateCases({ create, learningRate }: ResolvedOptimizerOptions): OptimizerCase[] {
  const rate = settingOf(learningRate, plainTarget.name);
  const make = () => create({ learningRate: rate });
  const scheduled = () => create({ learningRate: schedules.linear({ from: rate, to: rate / 10, steps: 15 }) });
  return [
    {
      name: 'counts its steps, and keeps the names, shapes and types of its state',
      async run(_, open) {
        const [session, rule] = [open(), make()];
        const { ops, own } = session;
        let state = await begin(session, rule);
        const weights = own(ops.scope(() => plainTarget.initialWeights(ops)));
        if (state.step !== 0) return `init gives step ${state.step}, expected 0.`;
        const first = await contentsOf(ops, state.tensors);
        for (const name of Object.keys(first)) {
          if (!Object.hasOwn(weights, name.slice(0, name.lastIndexOf('/')))) {
            return `its tensor "${name}" is not named "<weight>/<vector>".`;
          }
        }
        for (const [index, steps] of [0, 1, 1, 5].entries()) {
          const expected: number = state.step + steps;
          state = advance(session, rule, state, steps);
          if (state.step !== expected) return `it counts step ${state.step}, expected ${expected}.`;
          const problem = layoutDifference(await contentsOf(ops, state.tensors), first);
          if (problem !== undefined) return `after part ${index} its state is ${problem}.`;
        }
        return undefined;
      },
    },
    {
      name: 'trains a scalar and weights of up to four axes, whose names have slashes, or refuses them by name',
      async run(_, open) {
        // Below the rate for the plain target, whose weights are smaller.
        const [session, rule] = [open(), create({ learningRate: rate / 5 })];
        const { ops, own } = session;
        const names = Object.keys(shapesOfWeights);
        let state: OptimizerState;
        try {
          state = await begin(session, rule, variedTarget);
        } catch (error) {
          const isRefusal = isLmdError(error) && names.some((name) => error.message.includes(name));
          return isRefusal ? undefined : `init fails with ${String(error)}, which names no weight.`;
        }
        const lossOf = async () => {
          const weights = own(ops.scope(() => rule.weights(ops, state)));
          for (const [name, shape] of Object.entries(shapesOfWeights)) {
            if (`${weights[name]?.shape}` !== `${shape}`) return `${name} becomes [${weights[name]?.shape}].`;
          }
          const { loss } = own(ops.scope(() => ({ loss: variedTarget.evaluate(ops, weights).loss })));
          return (await ops.read(loss))[0]!;
        };
        const before = await lossOf();
        if (typeof before === 'string') return before;
        const unknown = Object.keys(state.tensors).find((name) => !names.includes(weightOf(name)));
        if (unknown !== undefined) return `its tensor "${unknown}" is of no weight.`;
        state = advance(session, rule, state, 20, { target: variedTarget });
        const after = await lossOf();
        if (typeof after === 'string') return after;
        return after < before ? undefined : `20 steps take the loss from ${before} to ${after}.`;
      },
    },
    {
      name: 'resumes from a copy of its state to the bit, as a rule made anew',
      async run(_, open) {
        // A schedule, so that an optimizer which counts the steps of its own object differs from one made anew.
        const [session, rule] = [open(), scheduled()];
        const { ops } = session;
        const half = advance(session, rule, await begin(session, rule), 7);
        const copied = await contentsOf(ops, half.tensors);
        const { step } = half;
        const whole = await contentsOf(ops, advance(session, rule, half, 8).tensors);
        const fresh = open();
        const resumed = advance(fresh, scheduled(), { step, tensors: fromContents(fresh, copied) }, 8);
        const problem = bitDifference(await contentsOf(fresh.ops, resumed.tensors), whole);
        return problem && `7 + 8 steps part from 15: ${problem}.`;
      },
    },
    {
      name: 'is pure: the old state stays as it was, and the same update gives the same bits',
      async run(_, open) {
        const [session, rule] = [open(), make()];
        const { ops, own } = session;
        const state = advance(session, rule, await begin(session, rule), 3);
        const before = await contentsOf(ops, state.tensors);
        const passes = passesOf(session, rule, state);
        const given = { ...state, tensors: { ...state.tensors } };
        const once = rule.update(ops, state, passes);
        own(once.tensors);
        if (Object.values(passes[0]!.gradients).some((gradient) => ops.isDisposed(gradient))) {
          return 'the update freed the gradients that it was given.';
        }
        if (state.step !== given.step) return `the update changed the step of the state that it was given.`;
        const replaced = Object.keys(given.tensors).find((name) => state.tensors[name] !== given.tensors[name]);
        if (replaced !== undefined) return `the update replaced ${replaced} in the state that it was given.`;
        const first = await contentsOf(ops, once.tensors);
        advance(session, rule, once, 2);
        const changed = bitDifference(await contentsOf(ops, state.tensors), before);
        if (changed !== undefined) return `the update changed the state that it was given: ${changed}.`;
        const again = rule.update(ops, state, passes);
        own(again.tensors);
        const problem = bitDifference(await contentsOf(ops, again.tensors), first);
        if (problem !== undefined) return `the same update came out differently: ${problem}.`;
        disposeState(ops, state);
        await contentsOf(ops, again.tensors);
        return undefined;
      },
    },
    {
      name: 'gives the same bits where the caller frees what the update is done with, weight by weight',
      async run(_, open) {
        const [session, rule] = [open(), make()];
        const { ops, own } = session;
        const state = advance(session, rule, await begin(session, rule), 3);
        const passes = passesOf(session, rule, state);
        const want = await contentsOf(ops, own(rule.update(ops, state, passes).tensors));
        const seen: string[] = [];
        const next = rule.update(ops, state, passes, (weight) => {
          seen.push(weight);
          const ofWeight = Object.entries(state.tensors).filter(([name]) => weightOf(name) === weight);
          ops.dispose(ofWeight.map(([, tensor]) => tensor));
          for (const { gradients } of passes) ops.dispose(gradients[weight]!);
        });
        const problem = bitDifference(await contentsOf(ops, own(next.tensors)), want);
        if (problem !== undefined) return `freed in between, the update came out differently: ${problem}.`;
        const weights = new Set(Object.keys(state.tensors).map(weightOf));
        const wrong = seen.find((weight, index) => !weights.has(weight) || seen.indexOf(weight) !== index);
        return wrong === undefined
          ? undefined
          : `done was called with "${wrong}", which is no weight or was done before.`;
      },
    },
    {
      name: 'with signs, if it has them, moves in its own directions to the bits of its update',
      async run(_, open) {
        const [session, rule] = [open(), make()];
        const { ops, own } = session;
        const { signs } = rule;
        if (signs === undefined) return undefined;
        const state = advance(session, rule, await begin(session, rule), 3);
        const passes = passesOf(session, rule, state);
        const want = await contentsOf(ops, own(rule.update(ops, state, passes).tensors));
        const directions = own(signs.directions(ops, state, passes));
        for (const [name, { data }] of Object.entries(await contentsOf(ops, directions))) {
          const other = data.find((sign) => sign !== 0 && Math.abs(sign) !== 1);
          if (other !== undefined) return `its direction "${name}" has the value ${other}, expected −1, 0 or 1.`;
        }
        const next = signs.update(ops, state, passes, directions);
        const problem = bitDifference(await contentsOf(ops, own(next.tensors)), want);
        return problem && `in its own directions the update came out differently: ${problem}.`;
      },
    },
    {
      name: 'draws and evaluates named weights, in handles of their own, by the key alone',
      async run(_, open) {
        const [session, rule] = [open(), make()];
        const { ops, own } = session;
        const state = advance(session, rule, await begin(session, rule), 2);
        const layout = own(ops.scope(() => plainTarget.initialWeights(ops)));
        const key = { seed, step: 2, sample: 0 };
        const ways: readonly (readonly [string, (through: EagerOperations) => NamedTensors])[] = [
          ['draw', (through) => rule.draw(through, state, key)],
          ['weights', (through) => rule.weights(through, state)],
          ['mean weights', (through) => rule.weights(through, state, 'mean')],
          ['median weights', (through) => rule.weights(through, state, 'median')],
          ['sampled weights', (through) => rule.weights(through, state, 'sample', key)],
        ];
        for (const [what, of] of ways) {
          const held = ops.memory().tensors;
          const first = of(ops);
          const added = ops.memory().tensors - held;
          if (Object.values(first).some((tensor) => Object.values(state.tensors).includes(tensor))) {
            return `${what} gives a tensor of the state, expected a handle of its own.`;
          }
          if (added !== Object.keys(first).length) {
            return `${what} leaves ${added} tensors, and gives ${Object.keys(first).length}.`;
          }
          const contents = await contentsOf(ops, first);
          const difference = layoutDifference(contents, layout);
          if (difference !== undefined) return `${what} gives ${difference}.`;
          ops.dispose(first);
          const problem = bitDifference(await contentsOf(ops, own(of(ops))), contents);
          if (problem !== undefined) return `${what} differs the second time: ${problem}.`;
        }
        return undefined;
      },
    },
    {
      name: 'holds no more memory after 200 steps than after 20, and all of it in its state',
      async run(_, open) {
        const [session, rule] = [open(), make()];
        const { ops } = session;
        const before = ops.memory().tensors;
        let state = await begin(session, rule);
        const held = ops.memory();
        if (held.tensors - before !== Object.keys(state.tensors).length) {
          return `init holds ${held.tensors - before} tensors, its state ${Object.keys(state.tensors).length}.`;
        }
        let peak = 0;
        for (const steps of [20, 180]) {
          ops.resetPeakMemory();
          for (let step = 0; step < steps; step++) {
            const old = state;
            const passes = passesOf(session, rule, state);
            // Not in a scope, which would free what the update forgets.
            state = rule.update(ops, old, passes);
            for (const { gradients } of passes) ops.dispose(gradients);
            disposeState(ops, old);
          }
          const now = ops.memory();
          if (now.tensors !== held.tensors || now.bytes !== held.bytes) {
            return `after ${state.step} steps ${now.tensors - before} tensors are held, ${now.bytes - held.bytes} bytes more than at first.`;
          }
          if (peak > 0 && now.peakBytes > peak) return `its peak grew from ${peak} to ${now.peakBytes} bytes.`;
          peak = now.peakBytes;
        }
        disposeState(ops, state);
        const left = ops.memory().tensors - before;
        return left === 0 ? undefined : `${left} tensors are left at the end.`;
      },
    },
  ];
}
