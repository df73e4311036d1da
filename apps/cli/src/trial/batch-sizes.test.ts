import type { Backend } from '@lmd/core';
import { gpt2, gpt2Preset, vit } from '@lmd/models';
import { describe, expect, it } from 'vitest';
import { parseConfiguration } from '../configuration/load.js';
import type { Configuration } from '../configuration/schema.js';
import { presets } from '../presets/index.js';
import { checkTrainingBatch, evaluationBatchSize } from './batch-sizes.js';

const backend = { name: 'cpu', supports: { maxElements: 2 ** 29 - 1, subnormals: true } } as Backend;
const text = { kind: 'tokens', folder: 'x', length: 64 } as const;
const model = gpt2(gpt2Preset('124M'));
const small = vit({ imageSize: 8, channels: 1, classes: 4, patchSize: 4, width: 32, depth: 1, heads: 2 });

function configuration(changes: object): Configuration {
  const { batchSize: _, ...evaluation } = presets.speeches.evaluation!;
  return parseConfiguration({ ...presets.speeches, data: text, evaluation, ...changes }, 'test');
}

const thrown = (body: () => unknown) => {
  try {
    body();
  } catch (error) {
    return error;
  }
  return undefined;
};

describe('evaluationBatchSize', () => {
  it('is 250 by default, or as many as keep the largest tensor moderate', () => {
    expect(evaluationBatchSize(configuration({}), small, backend, 10_000)).toBe(250);
    // 64 tokens of 50,257 logits: 20 examples are 2^26 elements.
    const size = evaluationBatchSize(configuration({}), model, backend, 10_000);
    expect(size).toBeGreaterThan(1);
    expect(size * 64 * 50257).toBeLessThanOrEqual(2 ** 26);
    expect(evaluationBatchSize(configuration({}), model, backend, 5)).toBe(5);
  });

  it('is at least 1, whatever a token costs', () => {
    const long = configuration({ data: { ...text, length: 2 ** 14 } });
    expect(evaluationBatchSize(long, model, backend, 100)).toBe(1);
  });

  it('refuses what cannot fit by its key, with what fits', () => {
    const asked = configuration({ evaluation: { batchSize: 250 } });
    expect(thrown(() => evaluationBatchSize(asked, model, backend, 10_000))).toMatchObject({
      code: 'INVALID_ARGUMENT',
      subject: 'evaluation.batchSize',
      value: 250,
      message:
        'evaluation.batchSize is 250, but the logits of 250 examples, [16000, 50257], do not fit into backend ' +
        '"cpu". Use 166 or less.',
    });
    // No more than there are.
    expect(evaluationBatchSize(asked, model, backend, 100)).toBe(250);
  });
});

describe('checkTrainingBatch', () => {
  it('refuses a batch that cannot fit, and takes it in parts', () => {
    const large = configuration({ batchSize: 200 });
    expect(thrown(() => checkTrainingBatch(large, model, backend, 1000))).toMatchObject({
      subject: 'batchSize',
      message: expect.stringContaining('Use 166 or less, or set microBatchSize.'),
    });
    const parts = configuration({ batchSize: 200, microBatchSize: 8 });
    expect(thrown(() => checkTrainingBatch(parts, model, backend, 1000))).toBeUndefined();
  });

  it('refuses a batch of more examples than there are', () => {
    expect(thrown(() => checkTrainingBatch(configuration({ batchSize: 9 }), model, backend, 8))).toMatchObject({
      subject: 'batchSize',
      message: 'batchSize is 9, but there are 8 training examples. Use 8 or less, or a smaller data.validation.',
    });
  });
});
