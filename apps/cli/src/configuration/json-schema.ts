import { z } from 'zod';
import { configurationSchema } from './schema.js';

/**
 * The configuration as JSON Schema (draft 2020-12), for editors. `lmd train` checks conditions that involve several
 * keys.
 */
export function configurationJsonSchema(): z.core.JSONSchema.BaseSchema {
  const schema = z.toJSONSchema(configurationSchema, { io: 'input' });
  return {
    title: 'A run of lmd train',
    ...schema,
    // Defaults to the name of the file.
    required: (schema.required ?? []).filter((key) => key !== 'name'),
  };
}
