import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { loadConfiguration } from '../configuration/load.js';
import { noteOnClasses } from './pretrained-model.js';

const folder = mkdtempSync(join(tmpdir(), 'lmd-classes-'));
afterAll(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));
for (const name of ['box', 'disc', 'line']) {
  mkdirSync(join(folder, name));
  for (let n = 0; n < 3; n++) writeFileSync(join(folder, name, `${n}.png`), '');
}

/** A file of weights that knows these classes. */
const modelOf = (classNames?: readonly string[]) =>
  ({
    path: 'base',
    layout: 'lmd',
    metadata: {},
    describe: () => ({ architecture: 'vit', config: {}, ...(classNames === undefined ? {} : { classNames }) }),
  }) as unknown as Parameters<typeof noteOnClasses>[1];
const given = (...settings: string[]) =>
  loadConfiguration('own-pictures', [`data.folder=${folder}`, 'model.weights=base', ...settings]);

describe('a note on the classes of pretrained weights', () => {
  it('names those of the data and of the model, and how to begin a new head', () => {
    expect(noteOnClasses(given(), modelOf(['circle', 'square', 'stripes']))).toBe(
      'The data has the classes box, disc, line, and base has circle, square, stripes. Its head is trained on, class ' +
        'by class in this order. For a new head, set "fineTuning": { "fresh": ["head.*"] }.',
    );
    expect(noteOnClasses(given(), modelOf(['line', 'disc', 'box']))).toContain('base has line, disc, box.');
  });

  it('is left out where they agree, are not known, or the head is new', () => {
    expect(noteOnClasses(given(), modelOf(['box', 'disc', 'line']))).toBeUndefined();
    expect(noteOnClasses(given(), modelOf())).toBeUndefined();
    expect(noteOnClasses(given('fineTuning.fresh=["head.*"]'), modelOf(['circle', 'square']))).toBeUndefined();
  });
});
