import { describe, expect, it } from 'vitest';
import { lmdParameter, vit, vitPreset } from './index.js';

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
