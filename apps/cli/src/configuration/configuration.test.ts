import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { temporaryFolder } from '../../test/lmd.js';
import { UsageError } from '../errors.js';
import { presetDescriptions, presets } from '../presets/index.js';
import { checkConsistency } from './consistency.js';
import { loadConfiguration, parseConfiguration } from './load.js';
import { applyOverrides } from './overrides.js';
import { type Configuration, configurationSchema } from './schema.js';

const folder = temporaryFolder();

function thrownBy(body: () => unknown): UsageError {
  try {
    body();
  } catch (error) {
    expect(error).toBeInstanceOf(UsageError);
    return error as UsageError;
  }
  throw new Error('Nothing was thrown.');
}

const samples = fileURLToPath(new URL('../../../../docs/data', import.meta.url));

/** The same, with data where its preset only names a folder or a file. */
function withData(configuration: Configuration): Configuration {
  const { data } = configuration;
  if (data.kind === 'imageFolder') return { ...configuration, data: { ...data, folder: join(samples, 'pictures') } };
  if (data.kind === 'text') return { ...configuration, data: { ...data, path: join(samples, 'book.txt') } };
  if (data.kind !== 'tokens') return configuration;
  const description = {
    ...{ format: 'lmd-tokens', version: 1, part: 'train', tokens: 2, documents: 1, tokenizer: { name: 'gpt2' } },
    ...{ vocabularySize: 50257, endOfText: 50256, split: { validation: 0.1, seed: 0 }, sha256: '0'.repeat(64) },
  };
  writeFileSync(join(folder, 'train.bin.json'), JSON.stringify(description));
  return { ...configuration, data: { ...data, folder } };
}

describe('presets', () => {
  it.each(Object.keys(presets))('%s is a complete and consistent configuration under its own name', (name) => {
    const configuration = loadConfiguration(name);
    expect(configuration.name).toBe(name);
    checkConsistency(withData(configuration), name);
    // A stored configuration is read back as it is.
    expect(parseConfiguration(JSON.parse(JSON.stringify(configuration)), 'again')).toEqual(configuration);
    expect(presetDescriptions[name as keyof typeof presets]).toBeTruthy();
    expect(readFileSync(new URL('../../README.md', import.meta.url), 'utf8')).toContain(`\`${name}\` (`);
  });

  it('first-light compares LMD and AdamW under an MXFP6 forward pass on MNIST', () => {
    const { precision, data, optimizers } = loadConfiguration('first-light');
    expect([precision, data.kind, ...optimizers.map(({ rule }) => rule)]).toEqual([
      'mxfp6_e3m2',
      'mnist',
      'lmd',
      'adamw',
    ]);
  });
});

describe('a configuration file with a preset', () => {
  const parsed = (configuration: object) => {
    const path = join(folder, 'based.json');
    writeFileSync(path, JSON.stringify(configuration));
    return loadConfiguration(path);
  };

  it('has its keys on top of those of the preset', () => {
    const { name, ...digits } = loadConfiguration('digits');
    expect(name).toBe('digits');
    expect(parsed({ preset: 'digits' })).toEqual({ ...digits, name: 'based' });
    const changed = parsed({ preset: 'digits', steps: 40, model: { depth: 1 }, evaluation: { every: 40 } });
    expect(changed).toEqual({
      ...digits,
      ...{ name: 'based', steps: 40, model: { ...digits.model, depth: 1 } },
      evaluation: { ...digits.evaluation, every: 40 },
    });
  });

  it('replaces lists, and an object of another kind', () => {
    const own = parsed({
      preset: 'own-pictures',
      data: { kind: 'cifar10', folder: 'batches' },
      optimizers: [{ name: 'adamw', rule: 'adamw' }],
    });
    expect(own.data).toEqual({ kind: 'cifar10', folder: 'batches' });
    expect(own.optimizers.map(({ rule }) => rule)).toEqual(['adamw']);
    expect(parsed({ preset: 'own-pictures', data: { folder: 'photos' } }).data).toMatchObject({
      ...{ kind: 'imageFolder', folder: 'photos', size: 32 },
    });
  });

  it('names an unknown preset, and the keys that are not known', () => {
    expect(thrownBy(() => parsed({ preset: 'digit' })).message).toMatch(
      /based\.json: preset = "digit" is not allowed\. Did you mean "digits"\? Allowed: first-light, digits, clothes/,
    );
    expect(thrownBy(() => parsed({ preset: 'digits', step: 3 })).message).toMatch(/Did you mean "steps"/);
  });
});

describe('a configuration file', () => {
  it('may begin with a byte order mark, as some editors write one', () => {
    const path = join(folder, 'marked.json');
    const { name: _, ...smoke } = presets.smoke;
    writeFileSync(path, `\ufeff${JSON.stringify(smoke)}`);
    expect(loadConfiguration(path)).toEqual({ ...loadConfiguration('smoke'), name: 'marked' });
  });
});

describe('applyOverrides', () => {
  const raw = { steps: 1, optimizers: [{ name: 'lmd' }, { name: 'adamw' }] };

  it('sets keys, nested ones, and entries of lists by index or name; the last wins', () => {
    expect(
      applyOverrides(raw, [
        'steps=5',
        'steps=7',
        'data.kind=mnist',
        'optimizers.adamw.beta1=0.5',
        'optimizers.0.x=a=b',
      ]),
    ).toEqual({
      steps: 7,
      data: { kind: 'mnist' },
      optimizers: [
        { name: 'lmd', x: 'a=b' },
        { name: 'adamw', beta1: 0.5 },
      ],
    });
    expect(raw).toEqual({ steps: 1, optimizers: [{ name: 'lmd' }, { name: 'adamw' }] });
  });

  it('reads JSON, and text where it is none', () => {
    const set = (text: string) => (applyOverrides({}, [`key=${text}`]) as { key: unknown }).key;
    expect([set('true'), set('[1,2]'), set('1e-3'), set('"7"'), set('tfjs-wasm'), set('')]).toEqual([
      true,
      [1, 2],
      0.001,
      '7',
      'tfjs-wasm',
      '',
    ]);
  });

  it.each(['steps', '=3', 'a..b=3', '__proto__.x=1'])('refuses %s', (assignment) => {
    expect(thrownBy(() => applyOverrides(raw, [assignment])).code).toBe('INVALID_ARGUMENT');
  });

  it('refuses a path through a value, and an entry that a list lacks', () => {
    expect(thrownBy(() => applyOverrides(raw, ['steps.x=1'])).message).toContain(
      'steps is not an object and has no keys',
    );
    expect(thrownBy(() => applyOverrides(raw, ['optimizers.sgd.x=1'])).message).toContain(
      'Use one of its entries: lmd, adamw.',
    );
    expect(thrownBy(() => applyOverrides(raw, ['optimizers.9.x=1'])).code).toBe('UNKNOWN_OPTION');
  });
});

describe('parseConfiguration', () => {
  const with_ = (assignment: string) => () => parseConfiguration(applyOverrides(presets.smoke, [assignment]), 'test');

  it('types its errors, with key and value', () => {
    expect(thrownBy(with_('optimizers.lmd.schedule.warmpu=3'))).toMatchObject({
      code: 'UNKNOWN_OPTION',
      subject: 'optimizers.0.schedule.warmpu',
      value: 3,
      message: expect.stringContaining('Did you mean "warmup"? Its options are kind, warmup, final.'),
    });
    expect(thrownBy(with_('evaluation.weights=mode'))).toMatchObject({
      code: 'INVALID_ARGUMENT',
      subject: 'evaluation.weights',
      value: 'mode',
      message: expect.stringContaining('Allowed: mean, median, sample.'),
    });
  });

  it('offers the keys of the chosen kind alone', () => {
    const { message } = thrownBy(with_('optimizers.adamw.noise=1'));
    expect(message).toContain(
      'Its options are rule, learningRate, beta1, beta2, epsilon, weightDecay, weightFormat, momentFormat, ' +
        'errorFeedback, name, precision, schedule, clipNorm, weightNoise.',
    );
  });

  it.each([
    ['optimizers=[]', 'has too few entries; allowed: at least 1'],
    ['optimizers.lmd.noise=11', 'is out of range; allowed: at most 10'],
    ['optimizers.lmd.beta1=1', 'is out of range; allowed: less than 1'],
    ['optimizers.adamw.epsilon=0', 'is out of range; allowed: more than 0'],
    ['optimizers.lmd.name=a/b', 'is not a valid name'],
    ['optimizers.lmd.name=..', 'is not a valid name'],
    ['steps=null', 'has the wrong type; expected: number'],
    ['steps=1.5', 'expected: a whole number'],
    ['data=3', 'has the wrong type; expected: object'],
    ['model={"kind":"vit"}', 'model.patchSize is missing. Set it, model.preset or model.weights'],
  ])('explains %s', (assignment, text) => {
    expect(thrownBy(with_(assignment)).message).toContain(text);
  });

  it('builds a model from a preset of the literature, with single sizes replaced', () => {
    const configuration = with_('model={"kind":"vit","preset":"Ti/16","patchSize":4,"depth":1}')();
    expect(() => checkConsistency(configuration, 'test')).not.toThrow();
  });
});

describe('the schema', () => {
  it('describes every key', () => {
    const missing: string[] = [];
    const visit = (schema: z.core.JSONSchema.BaseSchema, path: string): void => {
      for (const option of [...(schema.oneOf ?? []), ...(schema.anyOf ?? [])]) visit(option as typeof schema, path);
      if (typeof schema.items === 'object') visit(schema.items as typeof schema, `${path}[]`);
      for (const [key, value] of Object.entries(schema.properties ?? {})) {
        const child = value as typeof schema;
        if (!child.description) missing.push(`${path}.${key}`);
        visit(child, `${path}.${key}`);
      }
    };
    visit(z.toJSONSchema(configurationSchema, { io: 'input' }), '');
    expect(missing).toEqual([]);
  });
});
