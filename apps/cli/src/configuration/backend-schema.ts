import { didYouMean } from '@lmd/core';
import { z } from 'zod';
import { backendNames } from '../engine/names.js';
import { moduleReferenceSchema } from './module-schema.js';

/** A backend of the command, or a module. */
export const backendSchema = z.union([z.enum(backendNames), moduleReferenceSchema], {
  error: ({ input }) =>
    `is not allowed.${typeof input === 'string' ? didYouMean(input, backendNames) : ''} Allowed: ` +
    `${backendNames.join(', ')}, or a module: a path such as ./my-backend.js, the name of an installed package, or ` +
    '{ "module": …, "options": … }.',
});

export type BackendChoice = z.output<typeof backendSchema>;
