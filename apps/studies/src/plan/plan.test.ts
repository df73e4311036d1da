import type { RecordedResult } from '@lmd/cli/experiment';
import { describe, expect, it } from 'vitest';
import { smokeStudy } from '../../test/smoke.js';
import { parseStudy } from '../study/load.js';
import { pendingTrials, planStudy } from './plan.js';
import { searchTrials, winners } from './trials.js';

const study = parseStudy(smokeStudy, 'smoke');
const result = (loss: number | null, accuracy = 0.5): RecordedResult =>
  ({ diverged: loss === null, loss, accuracy: loss === null ? null : accuracy }) as RecordedResult;

/** The search of the smoke study done, the second point of each optimizer the better one. */
function searched(): Map<string, RecordedResult> {
  return new Map(searchTrials(study).map(({ hash, variant }) => [hash, result(variant === '#2' ? 0.5 : 0.9)]));
}

describe('the plan', () => {
  it('gives every optimizer as many trials of the search, on validation data', () => {
    const trials = searchTrials(study);
    for (const { name } of study.optimizers)
      expect(trials.filter(({ optimizer }) => optimizer === name)).toHaveLength(2);
    expect(new Set(trials.map(({ split }) => split))).toEqual(new Set(['validation']));
  });

  it('keeps the trials of a search to which a round is added, at other points', () => {
    const more = { ...study, search: { ...study.search, rounds: 2 } };
    const [before, after] = [study, more].map((one) => searchTrials(one).map(({ hash }) => hash));
    expect(after!.slice(0, before!.length)).toEqual(before);
    expect(new Set(after).size).toBe(2 * before!.length);
    expect(winners(more, searched()).get('lmd')).toBe('waiting');
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

  it('measures and rounds backward products only where the study says so', () => {
    const plain = planStudy({ study, results: searched() }).trials;
    for (const { configuration } of plain) expect(configuration.backward).toBeUndefined();
    const { governs, final } = smokeStudy;
    const more = { sameBackward: true, final: { ...final, codes: true }, governs: { ...governs, measures: 1 } };
    const measuring = parseStudy({ ...smokeStudy, ...more }, 'measuring');
    const { trials } = planStudy({ study: measuring, results: new Map() });
    for (const { configuration, format } of trials) expect(configuration.backward).toBe(format);
    const asked = (part: string) => trials.find((trial) => trial.part === part)!.configuration.diagnostics;
    expect(asked('search')).toBeUndefined();
    expect(asked('final')).toEqual({ quantizationNoise: true, flipRate: true, oscillationRate: true, every: 2 });
    expect(asked('governs')).toEqual({ quantizationNoise: true, every: 2 });
  });

  it('trains with several workers where an optimizer says so', () => {
    const distributed = { exchange: 'votes', workers: 4 };
    const [adamw, lmd] = smokeStudy.optimizers;
    const voting = { ...lmd, name: 'lmd-votes', distributed };
    const { optimizers } = parseStudy({ ...smokeStudy, optimizers: [adamw, lmd, voting] }, 'votes');
    const trials = searchTrials({ ...study, optimizers });
    const of = (name: string) => trials.find(({ optimizer }) => optimizer === name)!.configuration.distributed;
    expect([of('lmd'), of('lmd-votes')]).toEqual([undefined, distributed]);
  });

  it('replaces keys of the data in a variant', () => {
    const variants = [{ name: 'more pictures', data: { validation: 8 } }];
    const changed = parseStudy({ ...smokeStudy, governs: { ...smokeStudy.governs, variants } }, 'changed');
    const { trials } = planStudy({ study: changed, results: searched(), only: 'governs' });
    const validations = trials.map(({ variant, configuration: { data } }) => [variant, { ...data }] as const);
    const { data } = smokeStudy.configuration;
    for (const [variant, own] of validations) {
      expect(own).toEqual(variant === 'unchanged' ? data : { ...data, validation: 8 });
    }
    expect(new Set(validations.map(([variant]) => variant))).toEqual(new Set(['unchanged', 'more pictures']));
  });

  it('names a trial by its configuration: another batch size is another trial', () => {
    const other = parseStudy({ ...smokeStudy, configuration: { ...smokeStudy.configuration, batchSize: 4 } }, 'other');
    const hashes = new Set(searchTrials(study).map(({ hash }) => hash));
    for (const { hash } of searchTrials(other)) expect(hashes.has(hash)).toBe(false);
  });
});
