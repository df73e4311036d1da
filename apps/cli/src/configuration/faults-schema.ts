import { weightFaultKinds } from '@lmd/core';
import { z } from 'zod';

/** A fault of the weights under which a trained model is evaluated. */
export const faultSchema = z
  .strictObject({
    kind: z
      .enum(weightFaultKinds)
      .describe(
        '`logNormal`: weights times exp(σ·e − σ²/2), e ~ N(0, 1). `additive`: weights plus σ times their root mean ' +
          'square times e. `stuckAtZero`: weights that are 0.',
      ),
    amount: z
      .number()
      .gt(0)
      .describe('σ of `logNormal` and `additive`; of `stuckAtZero`, the fraction of the weights, at most 1.'),
    draws: z.int().min(1).max(1000).default(4).describe('Number of random draws to average over.'),
  })
  .refine(({ kind, amount }) => kind !== 'stuckAtZero' || amount <= 1, {
    path: ['amount'],
    message: 'is more than 1. It is a fraction of the weights.',
  });

export type FaultConfiguration = z.output<typeof faultSchema>;

export const faultsSchema = z
  .array(faultSchema)
  .optional()
  .describe(
    'Faults of the memory of a deployed model. The trained matrices are evaluated with each, drawn by `seed`. ' +
      'Default: none.',
  );

/** How results name a fault: `logNormal 0.6`. */
export const faultName = ({ kind, amount }: Pick<FaultConfiguration, 'kind' | 'amount'>): string => `${kind} ${amount}`;
