import { describe, expect, it } from 'vitest';
import { preprocessing, smallVit } from '../test/support.js';
import { describeInMetadata, type ModelDescription, parseDescription } from './description.js';

const { config } = smallVit();
const full: ModelDescription = {
  architecture: 'vit',
  config,
  name: 'pictures',
  classNames: ['cat', 'dog', 'owl'],
  preprocessing,
  precision: 'mxfp6_e3m2',
  optimizer: { name: 'mine', rule: 'lmd', options: { noise: 0.1, stateFormat: 'block16' } },
  weights: 'mean',
  seed: 0,
  steps: 100,
  versions: { '@lmd/core': '0.1.0' },
};

describe('a description', () => {
  it('is read as it was written', () => {
    const metadata = describeInMetadata(full);
    expect(metadata.format).toBe('lmd-model-v1');
    expect(parseDescription(metadata, 'file')).toEqual(full);
    expect(describeInMetadata(parseDescription(metadata, 'file')!)).toEqual(metadata);
  });

  it.each(['full', 'reduced'] as const)('keeps the decoding of images: %s', (decoding) => {
    const described = { ...full, preprocessing: { ...preprocessing, decoding } };
    expect(parseDescription(describeInMetadata(described), 'file')).toEqual(described);
  });

  it('of an older version is read without what it lacks', () => {
    const { format, architecture, config: json } = describeInMetadata(full);
    const old = { format: format!, architecture: architecture!, config: json! };
    expect(parseDescription(old, 'file')).toEqual({ architecture: 'vit', config });
    expect(parseDescription({ format: 'lmd-model-v1' }, 'file')).toBeUndefined();
    // Files of the first version were all of GPT-2.
    expect(parseDescription({ config: '{}' }, 'file')).toEqual({ architecture: 'gpt2', config: {} });
  });

  it.each<[string, string, RegExp]>([
    ['classNames', '["cat"]', /has 1 names, but "config" has classes = 3/],
    ['classNames', '[1, 2, 3]', /must be a list of names/],
    ['preprocessing', '{}', /lacks channels/],
    ['preprocessing', JSON.stringify({ ...preprocessing, fit: 'tile' }), /fit = "tile".*crop, stretch/],
    ['preprocessing', JSON.stringify({ ...preprocessing, cropFraction: 1.5 }), /above 0 and at most 1/],
    ['preprocessing', JSON.stringify({ ...preprocessing, standardDeviation: [1, 0, 1] }), /3 positive numbers/],
    ['preprocessing', JSON.stringify({ ...preprocessing, more: 1 }), /more = 1/],
    ['preprocessing', JSON.stringify({ ...preprocessing, decoding: 'draft' }), /decoding = "draft".*full, reduced/],
    ['tokenizer', '[]', /must be an object/],
    ['tokenizer', '{}', /an object with a name/],
    ['precision', 'fp7', /must be "fp32" or/],
    ['weights', 'best', /must be "mean" or/],
    ['optimizerOptions', '3', /must be an object/],
    ['seed', '-1', /whole number, at least 0/],
    ['steps', '{', /no valid JSON/],
    ['versions', '{"@lmd/core": 1}', /a text for each package/],
  ])('with %s = %s is refused, by file, key and value', (key, text, problem) => {
    const read = () => parseDescription({ ...describeInMetadata(full), [key]: text }, 'cats.safetensors');
    expect(read).toThrow(problem);
    expect(read).toThrow(`cats.safetensors: the metadata "${key}"`);
    expect(read).toThrow(expect.objectContaining({ code: 'DATA_CORRUPT' }));
  });
});
