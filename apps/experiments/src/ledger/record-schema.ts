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
    measures: z.array(z.object({ step: number, products: z.array(product) })),
    parameters: number,
    device: text,
  })
  .refine(({ diverged, loss, accuracy }) => diverged || (loss !== null && accuracy !== null), {
    path: ['accuracy'],
    message: 'is missing, and the trial did not diverge',
  });

/** What the report and the plan read of a line. */
export const recordSchema = z.looseObject({
  hash: text,
  label: text,
  config: z.looseObject({
    data: z.looseObject({ kind: text }),
    model: z.looseObject({ width: number, depth: number, patchSize: number }),
    options: z.record(text, z.union([number, text, z.boolean()])),
    batchSize: number,
    steps: number,
    seed: number,
    format: text,
    split: text,
    deploy: z.array(text),
  }),
  result,
  seconds: number,
  cpuSeconds: number,
  commit: text,
  versions: z.record(text, text),
  node: text,
  machine: text,
  date: text,
});
