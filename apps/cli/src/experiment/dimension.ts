import { z } from 'zod';

export const scalarSchema = z.union([z.number(), z.string(), z.boolean()]);

/** One dimension of a search: an interval, or choices. */
export const dimensionSchema = z
  .strictObject({
    minimum: z.number().optional(),
    maximum: z.number().optional(),
    scale: z.enum(['log', 'linear']).default('log'),
    choices: z.array(scalarSchema).min(1).optional(),
  })
  .superRefine(({ minimum, maximum, scale, choices }, context) => {
    const refuse = (message: string) => context.addIssue({ code: 'custom', path: [], message });
    const interval = minimum !== undefined && maximum !== undefined;
    if (interval === (choices !== undefined)) refuse('needs either minimum and maximum, or choices.');
    else if (interval && minimum > maximum) refuse('has its minimum above its maximum.');
    else if (interval && scale === 'log' && minimum <= 0) refuse('has a log scale and a minimum that is not above 0.');
  });

export type Dimension = z.output<typeof dimensionSchema>;
