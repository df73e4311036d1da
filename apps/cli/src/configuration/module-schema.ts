import { z } from 'zod';
import { pathSchema } from './path-schema.js';

/** The keys of a third party's module in a configuration. */
export const moduleShape = {
  module: pathSchema.describe(
    'A path, relative to the configuration file, or the name of an installed package. `lmd train` stores it absolute.',
  ),
  options: z
    .record(z.string(), z.json())
    .default({})
    .describe("Options of the module, checked by the module's own `optionTable`."),
  sha256: z
    .string()
    .regex(/^[0-9a-f]{64}$/, 'is not a SHA-256 in hexadecimal digits. Remove the key: lmd train fills it in.')
    .optional()
    .describe("SHA-256 of the module's file, filled in by `lmd train` and checked when the run is resumed."),
};

export const moduleReferenceSchema = z.strictObject(moduleShape);

/** A module with its options, after its specifier has become an absolute path. */
export type ModuleReference = z.output<typeof moduleReferenceSchema>;

export const moduleDataSchema = z.strictObject({
  kind: z.literal('module').describe('Data of a module of your own; see docs/extending.md.'),
  ...moduleShape,
});

export const moduleModelSchema = z.strictObject({
  kind: z.literal('module').describe('A model of a module of your own; see docs/extending.md.'),
  ...moduleShape,
});

export const pluginsSchema = z
  .array(moduleReferenceSchema)
  .max(32)
  .optional()
  .describe('Plugins of modules of your own, called after those of the command, in this order; default: none.');
