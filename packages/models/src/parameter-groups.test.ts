import { describe, expect, it } from 'vitest';
import { gpt2, gpt2Preset, lmdParameter, muonParameter, vit, vitPreset } from './index.js';

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
