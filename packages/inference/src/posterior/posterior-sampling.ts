import {
  type DrawKey,
  isLmdError,
  LmdError,
  type NamedTensors,
  type OptimizerRuleName,
  optimizerFromDescription,
  optimizerRules,
  type RuleDescription,
  weightOf,
} from '@lmd/core';
import { groupsBesideAdamw } from '@lmd/models';
import { decodeCheckpoint, type LoadedCheckpoint, writeTensors } from '@lmd/training';
import type { OpenPosterior } from '../posterior-source.js';

/** The optimizers with a posterior, for errors. */
const named = Object.entries(optimizerRules)
  .filter(([, { hasPosterior }]) => hasPosterior)
  .map(([rule]) => rule)
  .join(', ');

/**
 * Checks that an optimizer has a posterior to sample from.
 *
 * @param path of the model, for errors.
 * @param rule undefined if the model does not name its optimizer.
 * @throws LmdError `UNSUPPORTED`.
 */
export function requirePosterior(path: string, rule: string | undefined): void {
  if (rule !== undefined && Object.hasOwn(optimizerRules, rule)) {
    if (optimizerRules[rule as OptimizerRuleName].hasPosterior) return;
  }
  const trained = rule === undefined ? 'does not name its optimizer' : `was trained by ${rule}`;
  throw new LmdError('UNSUPPORTED', `samples: ${path} ${trained}, so that it has no posterior to sample from.`, {
    subject: 'samples',
    value: rule,
    remedy: `Omit samples, or use the run of an optimizer with a posterior: ${named}.`,
  });
}

/**
 * Opens the posterior of a model, as the option `posterior` of `loadModel`. It brings the code of the optimizers, which
 * a page without samples does without.
 *
 * @throws LmdError `UNSUPPORTED` if the model's optimizer has none, or trained adapters; `INVALID_ARGUMENT` without a
 *   checkpoint; `CHECKPOINT_CORRUPT`; `CHECKPOINT_MISMATCH` for the checkpoint of another model.
 */
export const posteriorSampling: OpenPosterior = async (ops, { path, description, model, checkpoint: stored }) => {
  const rule = description.optimizer?.rule;
  requirePosterior(path, rule);
  if (stored === undefined) {
    throw new LmdError('INVALID_ARGUMENT', `samples: ${path} has one set of weights, and no checkpoint beside it.`, {
      subject: 'samples',
      value: path,
      remedy:
        'The posterior is in the checkpoints of the run: load the run folder, or the files model.safetensors and ' +
        'step-….safetensors of its folder checkpoints.',
    });
  }
  const loaded =
    'bytes' in stored ? { path: stored.path, checkpoint: await decodeCheckpoint(stored.bytes, stored.path) } : stored;
  const { checkpoint } = loaded;
  const names = new Set(Object.keys(checkpoint.tensors).map(weightOf));
  const foreign = [...names].find((name) => !Object.hasOwn(model.parameters, name));
  if (foreign !== undefined) {
    throw new LmdError('UNSUPPORTED', `samples: the checkpoint ${loaded.path ?? ''} has the weight ${foreign}.`, {
      subject: foreign,
      value: loaded.path,
      remedy: `The model is ${model.name}: use its own checkpoint. Posteriors of adapters cannot be sampled here.`,
    });
  }
  const parameters = Object.fromEntries(Object.entries(model.parameters).filter(([name]) => names.has(name)));
  const { options = {}, schedules, rest } = description.optimizer!;
  const own = { rule, options, ...(schedules === undefined ? {} : { schedules }) } as RuleDescription;
  const optimizer = optimizerFromDescription({ groups: groupsBesideAdamw(own, parameters, rest) });
  const tensors = writeTensors(ops, checkpoint.tensors);
  const state = { step: checkpoint.optimizerStep, tensors };
  return {
    draw(ops, seed, draw) {
      const key: DrawKey = { seed, step: checkpoint.step, sample: optimizer.samples + draw };
      const weights = drawn(() => optimizer.draw(ops, state, key), loaded);
      for (const [name, { shape }] of Object.entries(weights)) {
        const expected = model.parameters[name]!.shape;
        if (shape.join() === expected.join()) continue;
        ops.dispose(weights);
        throw mismatch(`${name} has shape [${shape.join(', ')}], not [${expected.join(', ')}]`, loaded);
      }
      return weights;
    },
    dispose: () => ops.dispose(tensors),
  };
};

/** A state that the optimizer's options do not fit is one of another run. */
function drawn(draw: () => NamedTensors, loaded: LoadedCheckpoint): NamedTensors {
  try {
    return draw();
  } catch (cause) {
    if (!isLmdError(cause, 'INVALID_ARGUMENT')) throw cause;
    throw mismatch(cause.message, loaded, cause);
  }
}

function mismatch(problem: string, { path = 'The checkpoint' }: LoadedCheckpoint, cause?: unknown): LmdError {
  return new LmdError('CHECKPOINT_MISMATCH', `${path} does not belong to the model: ${problem}.`, {
    subject: 'samples',
    value: path,
    remedy: 'Use the checkpoint of the run that wrote the model.',
    ...(cause === undefined ? {} : { cause }),
  });
}
