import { expect, it } from 'vitest';
import { configurationReference } from '../../test/reference.js';
import { configurationJsonSchema } from './json-schema.js';

it('has a JSON schema for editors that says what the schema says', async () => {
  const text = `${JSON.stringify(configurationJsonSchema(), null, 2)}\n`;
  await expect(text).toMatchFileSnapshot('../../configuration.schema.json');
});

it('has a reference of every key that says what the schema says', async () => {
  await expect(configurationReference()).toMatchFileSnapshot('../../CONFIGURATION.md');
});
