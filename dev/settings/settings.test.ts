import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { presets } from '@lmd/cli';
import { hashOf } from '@lmd/cli/experiment';
import { describe, expect, it } from 'vitest';
import { bestJson, composePage, page, readLedgers } from './page.mjs';
import { groups, recommended } from './recommended.mjs';
import {
  changeTrials,
  configurationOf,
  finalTrials,
  longerTrials,
  resultOf,
  searched,
  searchTrials,
  settingsFolder,
  tasks,
} from './tasks.mjs';

const text = (path: string) => readFileSync(path, 'utf8');
const ledgers = await readLedgers();

it('shows the tables that the ledgers give, to the letter', () => {
  const same = composePage(text(page), ledgers) === text(page);
  expect(same, 'npm run settings -- --write writes them').toBe(true);
});

it('recommends other settings for other losses', () => {
  const changed = structuredClone(ledgers);
  const record = changed.characters.find(({ label }) => label === '`rest.learningRate` 0.001, seed 1');
  record.result = { ...record.result, loss: 0.5 };
  expect(recommended('characters', ledgers).rest.learningRate).toBe(0.02);
  expect(recommended('characters', changed).rest.learningRate).toBe(0.001);
  expect(composePage(text(page), changed)).not.toBe(text(page));
});

const presetOf = {
  ...{ digits: presets.digits, clothes: presets.clothes },
  ...{ pictures: presets['own-pictures'], characters: presets['own-text'] },
};

it.each(Object.entries(groups).flatMap(([group, of]) => of.map((task) => [task, group] as const)))(
  'has a preset for %s that is its task with the recommended settings of %s',
  (task, group) => {
    const { steps, batchSize, precision, data, model, optimizers } = configurationOf(task);
    const preset = presetOf[task as keyof typeof presetOf];
    // For an export to transformers.
    const pooling = task === 'pictures' ? 'classToken' : model.pooling;
    expect(preset).toMatchObject({
      steps,
      batchSize,
      precision,
      model: pooling === undefined ? model : { ...model, pooling },
    });
    const { folder: _, path: __, validation: ___, test: ____, ...kept } = data;
    expect(preset.data).toMatchObject(kept);
    const { rest, ...settings } = recommended(group, ledgers);
    const { schedule, clipNorm } = optimizers.find(({ rule }: { rule: string }) => rule === 'lmd');
    expect(preset.optimizers).toEqual([
      {
        ...{ name: 'lmd', rule: 'lmd', ...settings, schedule, ...(clipNorm === undefined ? {} : { clipNorm }) },
        rest: { ...rest, beta2: 0.99, weightDecay: 0 },
      },
    ]);
  },
);

it('shows other numbers for other losses', () => {
  const changed = structuredClone(ledgers);
  const record = changed.digits.find(({ label }) => label === 'lmd found, seed 1');
  record.result = { ...record.result, loss: 7.125 };
  expect(composePage(text(page), changed)).toContain('7.125');
  expect(text(page)).not.toContain('7.125');
});

describe.each(tasks)('%s', (task) => {
  const records = ledgers[task];

  it('has the same number of search trials of each optimizer, and every other trial', () => {
    expect(searched(records, 'lmd')).toHaveLength(searchTrials);
    expect(searched(records, 'adamw')).toHaveLength(searchTrials);
    const others = [...finalTrials(task, records), ...longerTrials(task), ...changeTrials(task, records)];
    expect(others.filter((trial) => resultOf(records, trial) === undefined)).toEqual([]);
  });

  it('has no trial but those that are planned, each with the hash of its configuration', () => {
    const planned = [...finalTrials(task, records), ...longerTrials(task), ...changeTrials(task, records)].map(
      ({ hash }) => hash,
    );
    const own = [...searched(records, 'lmd'), ...searched(records, 'adamw')].map(({ hash }) => hash);
    expect(records.map(({ hash }) => hash).filter((hash) => ![...planned, ...own].includes(hash))).toEqual([]);
    for (const { hash, configuration } of records) expect(hashOf(configuration)).toBe(hash);
  });

  it('stores the winners of the search', () => {
    expect(text(join(settingsFolder, task, 'best.json'))).toBe(bestJson(task, records));
  });
});
