import { z } from 'zod';

const text = z.string();
const number = z.number();
const orNull = number.nullable();
const evaluation = z.object({ loss: number, accuracy: number });

const product = z.object({
  product: text,
  kurtosisFirst: number,
  kurtosisSecond: number,
  formats: z.record(text, z.object({ signalToNoise: number, clippedFirst: number, clippedSecond: number })),
});

const result = z
  .looseObject({
    diverged: z.boolean(),
    reason: text.optional(),
    loss: orNull,
    accuracy: orNull,
    trainingLoss: orNull,
    spikes: number,
    curve: z.array(z.tuple([number, number])),
    validation: z.array(z.tuple([number, number, number])),
    deployed: z.record(text, evaluation),
    faulty: z.record(text, evaluation).optional(),
    codes: z.array(z.object({ step: number, flipped: number, returned: number })).optional(),
    measures: z.array(z.object({ step: number, products: z.array(product) })),
    weightNorm: number.optional(),
    parameters: number.optional(),
    device: text.optional(),
  })
  .refine(({ diverged, loss, accuracy }) => diverged || (loss !== null && accuracy !== null), {
    path: ['accuracy'],
    message: 'is missing, and the trial did not diverge',
  });

/** A line with a configuration of `lmd train` or, before December 2026, with one in the studies' older form. */
export const recordSchema = z
  .looseObject({
    hash: text,
    label: text,
    configuration: z.looseObject({ data: z.looseObject({ kind: text }), steps: number, seed: number }).optional(),
    config: z.looseObject({ data: z.looseObject({ kind: text }), steps: number, seed: number }).optional(),
    result,
    seconds: number,
    commit: text,
    versions: z.record(text, text),
    node: text,
    machine: text,
    date: text,
  })
  .refine(({ configuration, config }) => (configuration === undefined) !== (config === undefined), {
    path: ['configuration'],
    message: 'is missing',
  });
