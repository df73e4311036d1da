import type { Json } from '@lmd/training';
import { describe, expect, it } from 'vitest';
import { loadConfiguration } from '../configuration/load.js';
import { presets } from '../presets/index.js';
import { completeIdentity } from './complete-identity.js';
import { configuredIdentity } from './identity.js';

type Mutable = { [key: string]: Json };

const identityOf = (preset: string, ...assignments: string[]) =>
  configuredIdentity(loadConfiguration(preset, assignments), 0);

/** As a version without these options recorded it. */
function without(identity: { readonly [key: string]: Json }, ...paths: string[]) {
  const older = structuredClone(identity) as Mutable;
  for (const path of paths) {
    const [part, key] = path.split('.') as [string, string];
    expect(older[part]).toHaveProperty(key);
    delete (older[part] as Mutable)[key];
  }
  return older;
}

describe('the identity that an earlier version recorded', () => {
  it.each(Object.keys(presets))('of the preset %s stays as it is, of this version', (name) => {
    const identity = identityOf(name);
    expect(completeIdentity(identity)).toEqual(identity);
  });

  it('takes the defaults of options that it did not have', () => {
    const lmd = identityOf('smoke');
    expect(completeIdentity(without(lmd, 'optimizer.regularizerAt', 'optimizer.samples', 'data.noise'))).toEqual(lmd);
    const pictures = identityOf('own-pictures');
    expect(completeIdentity(without(pictures, 'data.undecodable'))).toEqual(pictures);
    const text = identityOf('own-text');
    expect(completeIdentity(without(text, 'data.tokenizer'))).not.toEqual(text);
    expect(completeIdentity(text)).toEqual(text);
  });

  it('is that of decoding in full, where it does not say how images are decoded', () => {
    const pictures = identityOf('own-pictures');
    const reduced = identityOf('own-pictures', 'data.preprocessing.decoding=reduced');
    expect(JSON.stringify(pictures)).not.toContain('decoding');
    expect(reduced.data).toMatchObject({ preprocessing: { decoding: 'reduced' } });
    expect(completeIdentity(reduced)).toEqual(reduced);
    expect(completeIdentity(pictures)).not.toEqual(reduced);
  });

  it('differs where this run has another value than that default', () => {
    const changed = identityOf('smoke', 'optimizers.lmd.regularizerAt=sample');
    expect(completeIdentity(without(changed, 'optimizer.regularizerAt'))).not.toEqual(changed);
    expect(completeIdentity({ ...changed, model: { kind: 'unknown' } }).model).toEqual({ kind: 'unknown' });
  });
});
