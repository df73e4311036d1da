import { describe, expect, it } from 'vitest';
import {
  defaultsBeside,
  gpt2,
  gpt2Preset,
  groupsBesideAdamw,
  lmdParameter,
  muonParameter,
  vit,
  vitPreset,
} from './index.js';

describe('lmdParameter', () => {
  it('is true for matrices and false for biases, gains, and class and position tokens', () => {
    const { parameters } = vit(vitPreset('Ti/16', { depth: 1 }));
    const chosen = Object.entries(parameters).filter(([name, { shape }]) => lmdParameter(name, shape));
    expect(chosen.map(([name]) => name)).toEqual([
      'patchEmbedding.weight',
      'blocks.0.attention.qkv.weight',
      'blocks.0.attention.projection.weight',
      'blocks.0.mlp.up.weight',
      'blocks.0.mlp.down.weight',
      'head.weight',
    ]);
    expect(lmdParameter('tokenEmbedding.weight', [100, 8])).toBe(true);
    expect(lmdParameter('norm.weight', [8])).toBe(false);
  });
});

describe('muonParameter', () => {
  const hidden = ['attention.qkv', 'attention.projection', 'mlp.up', 'mlp.down'].map(
    (name) => `blocks.0.${name}.weight`,
  );

  it.each([
    ['a ViT', vit(vitPreset('Ti/16', { depth: 1 }))],
    ['GPT-2', gpt2(gpt2Preset('char', { depth: 1 }))],
  ])('is true for the hidden matrices of %s alone', (_, { parameters }) => {
    const chosen = Object.entries(parameters).filter(([name, { shape }]) => muonParameter(name, shape));
    expect(chosen.map(([name]) => name)).toEqual(hidden);
  });

  it('knows the outer matrices behind a prefix, and no name that only ends alike', () => {
    expect(muonParameter('student.head.weight', [4, 4])).toBe(false);
    expect(muonParameter('overhead.weight', [4, 4])).toBe(true);
    expect(muonParameter('blocks.0.mlp.up.weight', [2, 4, 4])).toBe(false);
  });
});

describe('groupsBesideAdamw', () => {
  const { parameters } = vit(vitPreset('Ti/16', { depth: 1 }));
  const named = (names: readonly string[]) =>
    Object.fromEntries(Object.entries(parameters).filter(([name]) => names.includes(name)));
  const own = { rule: 'lmd', options: { noise: 0.1 } } as const;

  it('leaves to AdamW what a rule of matrices cannot train, and has no group without weights', () => {
    const adamw = { rule: 'adamw', options: { learningRate: 1 } };
    const groups = (names: readonly string[]) => groupsBesideAdamw(own, named(names), { learningRate: 1 });
    expect(groupsBesideAdamw(own, parameters)).toEqual([
      { match: lmdParameter, ...own },
      { match: '*', rule: 'adamw', options: defaultsBeside.lmd },
    ]);
    expect(groupsBesideAdamw({ rule: 'madam' }, parameters)[1]).toEqual({ match: '*', rule: 'adamw', options: {} });
    expect(groups(['head.weight', 'head.bias'])).toEqual([
      { match: lmdParameter, ...own },
      { match: '*', ...adamw },
    ]);
    expect(groups(['head.weight'])).toEqual([{ match: '*', ...own }]);
    expect(groups(['head.bias'])).toEqual([{ match: '*', ...adamw }]);
    const muon = { rule: 'muon' } as const;
    expect(groupsBesideAdamw(muon, parameters)[0]).toEqual({ match: muonParameter, ...muon });
    expect(groupsBesideAdamw({ rule: 'ivon' }, parameters)).toEqual([{ match: '*', rule: 'ivon' }]);
  });
});
