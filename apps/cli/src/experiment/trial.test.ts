import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { plannedTrial } from '../../test/planned-trial.js';
import { inThisProcess } from '../trial/hosts.js';
import { finalLoss, stretchMeans } from './losses.js';
import { runTrial } from './run-trial.js';
import { countSpikes } from './spikes.js';
import { hashOf, type PlannedTrial } from './trial.js';

/** A reproducible sequence in (0, 1). */
function uniforms(count: number, seed: number): number[] {
  let state = seed;
  return Array.from({ length: count }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (state + 0.5) / 2 ** 32;
  });
}

describe('countSpikes', () => {
  const calm = uniforms(200, 1).map((value) => 1 + 0.1 * (value - 0.5));
  const withJump = (...jumps: [number, number][]) => {
    const losses = [...calm];
    for (const [at, height] of jumps) losses[at] = height;
    return losses;
  };

  it('counts no spike of a calm run, and none of the fall at the start', () => {
    expect(countSpikes(calm)).toBe(0);
    expect(countSpikes(Array.from({ length: 200 }, (_, step) => 2.3 * Math.exp(-step / 40)))).toBe(0);
  });

  it('counts an excursion once, and a second one again', () => {
    expect(countSpikes(withJump([80, 2], [81, 2.2], [82, 1.9]))).toBe(1);
    expect(countSpikes(withJump([80, 2], [81, 2.2], [120, 1.9]))).toBe(2);
  });

  it('asks for 0.2 nats at least, and for 50 losses before', () => {
    expect(countSpikes(withJump([80, 1.15]))).toBe(0);
    expect(countSpikes(withJump([49, 5]))).toBe(0);
  });
});

describe('losses', () => {
  it('are averaged over equal stretches, and over the last tenth', () => {
    const losses = Array.from({ length: 10 }, (_, index) => index);
    expect(stretchMeans(losses, 5)).toEqual([
      [2, 0.5],
      [4, 2.5],
      [6, 4.5],
      [8, 6.5],
      [10, 8.5],
    ]);
    expect(stretchMeans([4], 25)).toEqual([[1, 4]]);
    expect(finalLoss(losses)).toBe(9);
    expect(finalLoss([])).toBeNull();
  });
});

describe('runTrial', () => {
  const folder = mkdtempSync(join(tmpdir(), 'lmd-trial-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));
  const run = (trial: PlannedTrial, signal = new AbortController().signal, onStep = (_: number) => {}) =>
    runTrial(trial, { host: inThisProcess, folder: join(folder, 'work'), threads: 1, signal, onStep });

  it('is a function of its configuration, and leaves nothing behind', async () => {
    const [{ result: first }, { result: second }] = [await run(plannedTrial), await run(plannedTrial)];
    expect({ ...second, peakMemoryBytes: 0 }).toEqual({ ...first, peakMemoryBytes: 0 });
    expect(first).toMatchObject({ spikes: 0 });
    expect(first.accuracy).toBeGreaterThanOrEqual(0);
    expect(first.curve).toHaveLength(4);
    expect(first.validation.map(([step]) => step)).toEqual([2, 4]);
    expect(Object.keys(first.deployed)).toEqual(['mxfp4_e2m1']);
    expect(first.measures.map(({ step, products }) => [step, products.length])).toEqual([
      [2, 8],
      [4, 8],
    ]);
    expect(readdirSync(folder)).toEqual([]);
  });

  it('records flips and oscillation of the codes where they are measured, of a block format', async () => {
    const { configuration } = plannedTrial;
    const diagnostics = { flipRate: true, oscillationRate: true, every: 2 };
    const measuring = { ...configuration, precision: 'mxfp4_e2m1', diagnostics } as typeof configuration;
    const { result } = await run({ ...plannedTrial, configuration: measuring });
    expect(result.codes!.map(({ step }) => step)).toEqual([2, 4]);
    for (const { flipped, returned } of result.codes!) expect(returned).toBeLessThanOrEqual(flipped);
    const { result: plain } = await run(plannedTrial);
    expect(plain.codes).toBeUndefined();
  });

  it('resumes an interrupted trial to the same bits', async () => {
    const { result: whole } = await run(plannedTrial);
    const controller = new AbortController();
    const stopped = run(plannedTrial, controller.signal, (step) => step === 2 && controller.abort());
    await expect(stopped).rejects.toMatchObject({ code: 'INTERRUPTED' });
    const { result: resumed } = await run(plannedTrial);
    expect({ ...resumed, peakMemoryBytes: 0 }).toEqual({ ...whole, peakMemoryBytes: 0 });
  });

  it('takes a divergence for a result', async () => {
    const [lmd] = plannedTrial.configuration.optimizers;
    const optimizers = [{ ...lmd, learningRate: 1e6 }] as typeof plannedTrial.configuration.optimizers;
    const { result } = await run({ ...plannedTrial, configuration: { ...plannedTrial.configuration, optimizers } });
    expect(result).toMatchObject({ diverged: true, loss: null, accuracy: null });
    expect(result.reason).toMatch(/is (NaN|-?Infinity)/);
    expect(result.divergedAt).toBeLessThan(4);
    expect(JSON.parse(JSON.stringify(result))).toEqual(result);
  });
});

describe('hashOf', () => {
  const { configuration } = plannedTrial;

  it('is the same whatever the order of keys and the place of the data, and another for another value', () => {
    const reversed = Object.fromEntries(Object.entries(configuration).reverse()) as unknown as typeof configuration;
    expect(hashOf(reversed)).toBe(hashOf(configuration));
    const placed = { ...configuration, data: { ...configuration.data, folder: 'elsewhere' } } as typeof configuration;
    expect(hashOf(placed)).toBe(hashOf(configuration));
    expect(hashOf({ ...configuration, seed: 8 })).not.toBe(hashOf(configuration));
  });
});
