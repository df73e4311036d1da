import type { EagerOperations } from '@lmd/core';
import { tokenizerFromDescription } from '@lmd/data/text';
import { generate } from '@lmd/models';
import type { TrainResult } from '@lmd/training';
import { trainingPrecision } from '../configuration/schema.js';
import { tokenizerOf } from '../data/index.js';
import type { TrialRequest } from './request.js';
import type { TrialSummary } from './summary.js';
import type { TrainedModel } from './trained-model.js';

/**
 * Generates the sample texts of a language model in its training format; returns nothing if none are configured.
 */
export async function sampleTexts(
  ops: EagerOperations,
  { configuration, index }: TrialRequest,
  trained: TrainResult,
  { architecture: model, merge }: TrainedModel,
): Promise<Pick<TrialSummary, 'samples'>> {
  const { samples, data } = configuration;
  const description = tokenizerOf(data);
  if (samples === undefined || description === undefined || model.architecture !== 'gpt2') return {};
  const { prompts, ...sampling } = samples;
  const tokenizer = await tokenizerFromDescription(description);
  const precision = trainingPrecision(configuration, configuration.optimizers[index]!);
  const weights = merge(ops, trained.weights);
  const options = { ops, model, weights, precision, stop: [tokenizer.endOfText], ...withoutUndefined(sampling) };
  try {
    const texts: { prompt: string; text: string }[] = [];
    for (const prompt of prompts) {
      const encoded = tokenizer.encode(prompt);
      // An empty prompt starts a new document.
      const start = encoded.length === 0 ? Int32Array.of(tokenizer.endOfText) : encoded;
      const tokens: number[] = [];
      for await (const token of generate({ ...options, prompt: start })) tokens.push(token);
      texts.push({ prompt, text: tokenizer.decode(tokens) });
    }
    return { samples: texts };
  } finally {
    ops.dispose(weights);
  }
}

function withoutUndefined<T extends object>(record: T) {
  return Object.fromEntries(Object.entries(record).filter(([, value]) => value !== undefined)) as {
    [Key in keyof T]: Exclude<T[Key], undefined>;
  };
}
