import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { type AdamwOptions, adamw, type MuonOptions, muon, type Optimizer } from '../index.js';
import { expectClose, follow, testOperations } from './test-support.js';

interface Case<Options> {
  readonly shape: readonly number[];
  readonly options: Options;
  readonly weight: readonly number[];
  readonly gradients: readonly (readonly number[])[];
  /** The weights at the end, with everything in float64. */
  readonly f64: readonly number[];
}

interface Golden {
  readonly torch: string;
  readonly muon: readonly (Case<MuonOptions> & { readonly bf16: readonly number[] })[];
  readonly adamw: readonly Case<AdamwOptions>[];
}

const golden: Golden = JSON.parse(
  readFileSync(new URL('../../golden/optimizers.json', import.meta.url), 'utf8'),
) as Golden;

const weightsAfter = async (rule: Optimizer, { weight, gradients, shape }: Case<object>) =>
  (await follow(rule, weight, gradients, testOperations(), shape)).weight!;

describe(`PyTorch ${golden.torch}`, () => {
  it.each(golden.adamw)('has the weights of adamw: $options', async (one) => {
    expectClose(await weightsAfter(adamw(one.options), one), one.f64, 2e-6, 1e-6);
  });

  it.each(golden.muon)('has the weights of muon, orthogonalized exactly: $options', async (one) => {
    // f32 through five iterations whose slope at 0 is 3.4 each: a few hundred roundings of 2^-24.
    expectClose(await weightsAfter(muon(one.options), one), one.f64, 0, 2e-5);
  });

  it.each(golden.muon)('has about the weights of muon, orthogonalized in BF16: $options', async (one) => {
    const [rounded, exact] = [
      await weightsAfter(muon({ ...one.options, iterationFormat: 'bf16' }), one),
      await weightsAfter(muon(one.options), one),
    ];
    const distance = (a: readonly number[], b: readonly number[]) => Math.hypot(...a.map((x, i) => x - b[i]!));
    const path = distance(exact, one.weight);
    // Both round in the same places, and sums in another order: they agree better with each other than with f32.
    expect(distance(rounded, one.bf16)).toBeLessThan(0.02 * path);
    expect(distance(rounded, exact)).toBeGreaterThan(1e-4 * path);
    expect(distance(rounded, one.bf16)).toBeLessThan(distance(rounded, exact) + 1e-3 * path);
  });
});
