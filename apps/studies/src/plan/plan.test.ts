import { describe, expect, it } from 'vitest';
import { smokeStudy } from '../../test/smoke.js';
import { parseStudy } from '../study/load.js';
import type { TrialResult } from '../trial/result.js';
import { pendingTrials, planStudy } from './plan.js';
import { samplePoints, spreadPoints } from './sample.js';
import { searchTrials, winners } from './trials.js';

const study = parseStudy(smokeStudy, 'smoke');
const result = (loss: number | null, accuracy = 0.5): TrialResult =>
  ({ diverged: loss === null, loss, accuracy: loss === null ? null : accuracy }) as TrialResult;

/** The search of the smoke study done, the second point of each optimizer the better one. */
function searched(): Map<string, TrialResult> {
  return new Map(searchTrials(study).map(({ hash, variant }) => [hash, result(variant === '#2' ? 0.5 : 0.9)]));
}

describe('spreadPoints', () => {
  it('has one point in each of as many equal intervals as there are points, in every dimension', () => {
    for (const dimensions of [1, 2, 3, 4]) {
      const points = spreadPoints(10, dimensions, 3, 'a rule');
      for (let dimension = 0; dimension < dimensions; dimension++) {
        const intervals = points.map((point) => Math.floor(point[dimension]! * 10));
        expect(intervals.sort((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
      }
    }
  });

  it('keeps points apart: no two of 10 in the square are closer than a tenth', () => {
    for (const seed of [0, 1, 2]) {
      const points = spreadPoints(10, 2, seed, 'a rule');
      for (const [index, [x, y]] of points.entries()) {
        for (const [u, v] of points.slice(0, index)) expect(Math.hypot(x! - u!, y! - v!)).toBeGreaterThan(0.1);
      }
    }
  });

  it('is a function of seed and name', () => {
    expect(spreadPoints(3, 2, 1, 'a')).toEqual(spreadPoints(3, 2, 1, 'a'));
    expect(spreadPoints(3, 2, 1, 'a')).not.toEqual(spreadPoints(3, 2, 1, 'b'));
    expect(spreadPoints(3, 2, 1, 'a')).not.toEqual(spreadPoints(3, 2, 2, 'a'));
  });
});

it('samplePoints stays in the space, whatever the order of its keys', () => {
  const search = {
    learningRate: { minimum: 0.001, maximum: 0.1, scale: 'log' },
    beta1: { minimum: 0, maximum: 0.9, scale: 'linear' },
    regularizer: { choices: ['a', 'b'], scale: 'log' },
  } as const;
  const points = samplePoints(search as never, 40, 5, 'x');
  for (const { learningRate, beta1, regularizer } of points) {
    expect(learningRate).toBeGreaterThanOrEqual(0.001);
    expect(learningRate).toBeLessThanOrEqual(0.1);
    expect(beta1).toBeLessThanOrEqual(0.9);
    expect(['a', 'b']).toContain(regularizer);
  }
  // Half of a log scale lies below its geometric mean.
  const low = points.filter(({ learningRate }) => Number(learningRate) < 0.01).length;
  expect(low).toBeGreaterThan(16);
  expect(low).toBeLessThan(24);
  const reversed = Object.fromEntries(Object.entries(search).reverse());
  expect(samplePoints(reversed as never, 40, 5, 'x')).toEqual(points);
});

describe('the plan', () => {
  it('gives every optimizer as many trials of the search, on validation data', () => {
    const trials = searchTrials(study);
    for (const { name } of study.optimizers)
      expect(trials.filter(({ optimizer }) => optimizer === name)).toHaveLength(2);
    expect(new Set(trials.map(({ split }) => split))).toEqual(new Set(['validation']));
  });

  it('runs the search first, and nothing else before it is whole', () => {
    const results = searched();
    const [first] = [...results.keys()];
    results.delete(first!);
    const pending = pendingTrials({ study, results });
    expect(pending.map(({ hash }) => hash)).toEqual([first]);
    expect(pendingTrials({ study, results, only: 'final' })).toEqual([]);
    expect(planStudy({ study, results }).provisional).toBe(true);
  });

  it('goes on with the winners in the declared order, each trial once', () => {
    const results = searched();
    const pending = pendingTrials({ study, results });
    const won = searchTrials(study).find(({ optimizer, variant }) => optimizer === 'lmd' && variant === '#2')!;
    const final = pending.filter(({ part, optimizer }) => part === 'final' && optimizer === 'lmd');
    expect(final).toHaveLength(4);
    for (const { options } of final) expect(options).toEqual(won.options);
    expect(final.map(({ split }) => split)).toEqual(['test', 'test', 'test', 'test']);
    // Deployment rides on the first format, and everything else that a final run does on all of them.
    expect(final.map(({ configuration }) => configuration.evaluation?.formats?.length ?? 0)).toEqual([1, 0, 1, 0]);
    expect([...new Set(pending.map(({ part, seed }) => `${part}${part === 'final' ? seed : ''}`))]).toEqual([
      'final0',
      'sweep',
      'final1',
      'ablation',
      'governs',
    ]);
    expect(new Set(pending.map(({ hash }) => hash)).size).toBe(pending.length);
    // Unchanged LMD is a trial of the ablation and of the part governs, and runs once.
    const { trials } = planStudy({ study, results, only: 'governs' });
    const shared = trials.filter(({ optimizer, variant }) => optimizer === 'lmd' && variant === 'unchanged');
    expect(shared).toHaveLength(2);
    const inAblation = new Set(planStudy({ study, results, only: 'ablation' }).trials.map(({ hash }) => hash));
    for (const { hash } of shared) expect(inAblation.has(hash)).toBe(true);
  });

  it('multiplies the winner where a change needs another scale', () => {
    const variants = [{ name: 'no sign', options: { useSign: false }, factors: { learningRate: 1000 } }];
    const changed = parseStudy({ ...smokeStudy, ablation: { ...smokeStudy.ablation, variants } }, 'changed');
    const results = searched();
    const rates = planStudy({ study: changed, results, only: 'ablation' }).trials.map(
      ({ variant, options }) => [variant, options.useSign, Number(options.learningRate)] as const,
    );
    const [, , rate] = rates[0]!;
    expect(rates[0]!.slice(0, 2)).toEqual(['unchanged', undefined]);
    expect(rates.at(-1)!.slice(0, 2)).toEqual(['no sign', false]);
    expect(rates.at(-1)![2] / rate).toBeCloseTo(1000, 3);
  });

  it('leaves out an optimizer whose every trial diverged, and says so', () => {
    const results = new Map(
      searchTrials(study).map(({ hash, optimizer }) => [hash, result(optimizer === 'adamw' ? null : 0.5)]),
    );
    expect(winners(study, results).get('adamw')).toBe('none');
    const pending = pendingTrials({ study, results });
    expect(pending.some(({ optimizer }) => optimizer === 'adamw')).toBe(false);
    expect(pending.some(({ optimizer }) => optimizer === 'lmd')).toBe(true);
  });

  it('names a trial by its configuration: another batch size is another trial', () => {
    const other = parseStudy({ ...smokeStudy, configuration: { ...smokeStudy.configuration, batchSize: 4 } }, 'other');
    const hashes = new Set(searchTrials(study).map(({ hash }) => hash));
    for (const { hash } of searchTrials(other)) expect(hashes.has(hash)).toBe(false);
  });
});
