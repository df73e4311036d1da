import { z } from 'zod';
import { configurationSchema } from './schema.js';

/** The configuration as JSON Schema (draft 2020-12), for editors. What needs the whole to judge, `lmd train` checks. */
export function configurationJsonSchema(): z.core.JSONSchema.BaseSchema {
  const schema = z.toJSONSchema(configurationSchema, { io: 'input' });
  return {
    title: 'A run of lmd train',
    ...schema,
    // By default the file's name.
    required: (schema.required ?? []).filter((key) => key !== 'name'),
  };
}
