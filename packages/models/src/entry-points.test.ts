import { createTape } from '@lmd/autograd';
import type { Operations } from '@lmd/core';
import { formats } from '@lmd/mx-formats';
import { describe, expect, it } from 'vitest';
import { reference } from '../test/support.js';
import {
  exportAdapters,
  exportPretrained,
  generate,
  gpt2,
  importPretrained,
  lora,
  mergeAdapters,
  packWeights,
} from './index.js';

const { ops } = reference('f32');
const model = gpt2({ vocabularySize: 13, contextLength: 12, width: 16, depth: 2, heads: 2 });
const weights = model.initialize(ops, 7);
const adapted = lora(model, weights, { rank: 2 });
const source = { tensors: exportPretrained(ops, model, weights).tensors, model };

/** Every function that is the first to use a user's operations, on `given`. */
const entryPoints: Record<string, (given: Operations) => unknown> = {
  generate: (given) => generate({ ops: given, model, weights, prompt: [1] }),
  importPretrained: (given) => importPretrained(given, source as never),
  exportPretrained: (given) => exportPretrained(given, model, weights),
  exportAdapters: (given) => exportAdapters(given, model, adapted, adapted.initialize(ops, 1)),
  mergeAdapters: (given) => mergeAdapters(given, model, weights, { tensors: {}, config: {} } as never),
  packWeights: (given) => packWeights(given, model, weights, { format: formats.mxfp4_e2m1 }),
};

/** As text, what `act` throws, at once or as a promise. */
async function refusal(act: () => unknown): Promise<string> {
  try {
    await act();
  } catch (error) {
    return String(error);
  }
  return 'taken';
}

describe.each(Object.entries(entryPoints))('%s', (_, enter) => {
  it.each<[string, unknown, RegExp]>([
    ['nothing', undefined, /ops is (undefined|missing)/],
    ['a backend', ops.backend, /ops is a backend. Pass it as `backend`, or createOperations\(backend\)/],
    ['a promise', Promise.resolve(ops), /ops is a promise. Await it/],
    ['a backend without memory', { ...ops, backend: { ...ops.backend, memory: undefined } }, /has memory = undefined/],
    ['a backend without kernels', { ...ops, backend: { ...ops.backend, fused: undefined } }, /has fused = undefined/],
  ])('refuses %s by name', async (_, given, message) => {
    expect(await refusal(() => enter(given as Operations))).toMatch(message);
  });
});

describe('the operations of a tape', () => {
  it('are taken where those of a backend are', () => {
    const tape = createTape(ops);
    expect(Object.keys(exportPretrained(tape.ops, model, weights).tensors).length).toBeGreaterThan(5);
    tape.dispose();
  });
});
