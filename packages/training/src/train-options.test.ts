import { createReferenceBackend } from '@lmd/backends/reference';
import { isLmdError, lmd } from '@lmd/core';
import { describe, expect, it } from 'vitest';
import { base, keepSnapshots, outcome, rejection } from '../test/small-run.js';
import { f32, moons, tinyMlp } from '../test/tiny-mlp.js';
import { train, weightAveraging } from './index.js';

describe('train refuses', () => {
  const cases: [string, object, string, RegExp][] = [
    ['an unknown option', { stepz: 3 }, 'UNKNOWN_OPTION', /no option "stepz"/],
    ['unknown data', { data: { train: moons(8), valid: moons(8) } }, 'UNKNOWN_OPTION', /no option "valid"/],
    ['steps and epochs', { epochs: 1 }, 'INVALID_ARGUMENT', /both steps and epochs/],
    ['neither', { steps: undefined }, 'INVALID_ARGUMENT', /neither of steps and epochs/],
    ['no backend', { backend: undefined }, 'INVALID_ARGUMENT', /neither of ops and backend/],
    ['half a batch ahead', { prefetch: 0.5 }, 'INVALID_ARGUMENT', /prefetch is 0.5/],
    ['evaluations every 0 steps', { evaluateEvery: 0 }, 'INVALID_ARGUMENT', /evaluateEvery is 0/],
    ['evaluations by a word', { evaluateEvery: '2' }, 'INVALID_ARGUMENT', /evaluateEvery is "2"/],
    ['a batch size of 0', { batchSize: 0 }, 'INVALID_ARGUMENT', /batchSize is 0/],
    ['a negative seed', { seed: -1 }, 'INVALID_ARGUMENT', /seed is -1/],
    ['two plugins of a name', { plugins: [{ name: 'a' }, { name: 'a' }] }, 'INVALID_ARGUMENT', /name "a"/],
    [
      'a hook of no event',
      { plugins: [{ name: 'a', onStep() {} }] },
      'UNKNOWN_OPTION',
      /"a" has a hook "onStep", which .* does not call. Did you mean "step"?/,
    ],
    [
      'such a method of a class',
      {
        plugins: [
          new (class Late {
            readonly name = 'late';
            onStep() {}
          })(),
        ],
      },
      'UNKNOWN_OPTION',
      /"late" has a hook "onStep"/,
    ],
    ['a hook that is none', { plugins: [{ name: 'a', step: true }] }, 'INVALID_ARGUMENT', /"a" has step = true/],
    [
      'what makes a plugin',
      { plugins: [weightAveraging] },
      'INVALID_ARGUMENT',
      /plugins\[0\] is a function. A plugin is an object. Call the function/,
    ],
    ['one plugin alone', { plugins: weightAveraging() }, 'INVALID_ARGUMENT', /plugins is an object/],
    ['no model', { model: undefined }, 'INVALID_ARGUMENT', /model is undefined/],
    ['what makes an optimizer', { optimizer: lmd }, 'INVALID_ARGUMENT', /optimizer is a function. Call it/],
    [
      'a backend without memory',
      { backend: { ...createReferenceBackend(), memory: undefined } },
      'INVALID_ARGUMENT',
      /Backend "reference" of \S+ \S+ has memory = undefined/,
    ],
    [
      'a backend without a primitive',
      { backend: { ...createReferenceBackend(), gather: undefined } },
      'UNSUPPORTED',
      /Backend "reference" of \S+ \S+ lacks gather/,
    ],
    ['a promise of a backend', { backend: Promise.resolve() }, 'INVALID_ARGUMENT', /backend is a promise. Await it/],
    [
      'a backend for ops',
      { backend: undefined, ops: createReferenceBackend() },
      'INVALID_ARGUMENT',
      /ops is a backend/,
    ],
    [
      'half a memory',
      { plugins: [{ name: 'a', state: () => ({}) }] },
      'INVALID_ARGUMENT',
      /only one of state and restore/,
    ],
  ];
  it.each(cases)('%s', async (_, change, code, message) => {
    const error = await rejection(train({ ...base(), ...change }));
    expect(isLmdError(error) && error.code).toBe(code);
    expect(String(error)).toMatch(message);
  });

  const saved = async () => {
    const saver = keepSnapshots();
    await outcome({ ...base(), plugins: [saver], configuration: { decay: 0.1 } });
    return saver.last;
  };
  const mismatches: [string, object, RegExp][] = [
    ['another optimizer', { optimizer: lmd() }, /optimizer is "adamw" in the checkpoint and "lmd"/],
    [
      'a tensor of another shape',
      { model: { ...tinyMlp(2, 9), name: tinyMlp().name } },
      /hidden\.weight\/\w+ is f32 \[2, 8\] in the checkpoint and f32 \[2, 9\] in this run/,
    ],
    ['another configuration', { configuration: { decay: 0.2 } }, /configuration\.decay is 0\.1 .* and 0\.2/],
    ['another data set', { data: { train: moons(48) } }, /dataset\.size is 40 .* and 48/],
    [
      'another precision',
      { precision: { ...f32, backward: { ...f32.backward, gradients: 'bf16' } } },
      /precision\.backward\.gradients is "f32" .* and "bf16"/,
    ],
    ['another batch size', { batchSize: 4 }, /batchSize is 8 .* and 4/],
    ['fewer steps', { steps: 5 }, /at step 6 of 5/],
    ['an additional stateful plugin', { plugins: [weightAveraging()] }, /no state of plugin "weightAveraging"/],
  ];
  it.each(mismatches)('a checkpoint with %s', async (_, change, message) => {
    const checkpoint = await saved();
    const backend = createReferenceBackend();
    const options = { ...base(), backend, configuration: { decay: 0.1 }, resume: { checkpoint }, ...change };
    const error = await rejection(train(options));
    expect(isLmdError(error) && error.code).toBe('CHECKPOINT_MISMATCH');
    expect(String(error)).toMatch(message);
    expect(backend.memory().tensors).toBe(0);
  });
});
