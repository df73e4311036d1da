import { precisionNames } from '@lmd/models';
import { z } from 'zod';

/** The name of a format of the forward pass. */
export const precisionSchema = z.enum(precisionNames as readonly [string, ...string[]]);
