import type { Dataset } from '@lmd/training';
import { describe, expect, it } from 'vitest';
import { loadConfiguration } from '../configuration/load.js';
import type { RunData } from '../data/run-data.js';
import { configuredIdentity, trialIdentity } from './identity.js';

const dataset = (fingerprint?: string) =>
  ({ name: 'made', size: 1, ...(fingerprint === undefined ? {} : { fingerprint }) }) as unknown as Dataset;
const data = (train?: string): RunData => ({ train: dataset(train), validation: dataset(), test: dataset() });
const smoke = (...assignments: string[]) => loadConfiguration('smoke', assignments);

describe('the identity of a trial', () => {
  it('holds what the data sets say of their contents', () => {
    const identity = (train?: string) => trialIdentity(smoke(), 0, data(train), undefined);
    expect(identity('a').contents).toEqual({ train: 'a' });
    expect(identity('a')).not.toEqual(identity('b'));
    expect(identity()).not.toHaveProperty('contents');
    expect(trialIdentity(smoke(), 0, data(), 'digest').base).toBe('digest');
  });

  it.each([
    ['evaluation.every=3', true],
    ['evaluation.batchSize=3', true],
    ['checkpoints.every=3', true],
    ['diagnostics.flipRate=true', true],
    ['backend=cpu', true],
    ['steps=48', false],
    ['optimizers.lmd.noise=0.2', false],
    ['optimizers.adamw.beta1=0.2', true],
    ['data.noise=0.2', false],
    ['model.depth=2', false],
    ['precision=fp32', false],
    ['optimizers.lmd.precision=mxfp4_e2m1', false],
    ['backward=fp32', false],
    ['dataSeed=1', false],
    ['evaluation.test=false', true],
    ['evaluation.formats=["fp32"]', true],
  ])('with %s is the same: %s', (assignment, isSame) => {
    const same = JSON.stringify(configuredIdentity(smoke(assignment), 0));
    expect(same === JSON.stringify(configuredIdentity(smoke(), 0))).toBe(isSame);
  });

  it('leaves steps out under a constant schedule', () => {
    const constant = 'optimizers.lmd.schedule={"kind":"constant"}';
    expect(configuredIdentity(smoke(constant, 'steps=48'), 0)).toEqual(configuredIdentity(smoke(constant), 0));
  });
});
