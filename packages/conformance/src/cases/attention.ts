import type { AttentionOptions } from '@lmd/core';
import type { Case, CaseGroup, Context } from '../case.js';
import { attentionGradient, attention as product } from '../oracle/attention.js';
import { normals, type Values } from '../values.js';

interface Sizes {
  readonly batch: number;
  readonly heads: number;
  readonly length: number;
  readonly keys: number;
  readonly width: number;
  readonly valueWidth: number;
}

function sizesToTry({ random }: Context, causal: boolean): Sizes[] {
  const size = () => random.integer(1, 7);
  const square = (batch: number, heads: number, length: number, width: number): Sizes => ({
    batch,
    heads,
    length,
    keys: length,
    width,
    valueWidth: width,
  });
  const sizes = [square(1, 1, 1, 1), square(2, 3, 5, 4), square(1, 2, 17, 3), square(size(), size(), size(), size())];
  // With as many keys as queries the mask is the usual triangle; queries of another length attend without a mask.
  if (!causal) sizes.push({ batch: 2, heads: 2, length: 3, keys: 6, width: 5, valueWidth: 2 });
  return sizes;
}

function inputsOf({ random }: Context, s: Sizes): [Values, Values, Values] {
  return [
    normals(random, [s.batch, s.heads, s.length, s.width]),
    normals(random, [s.batch, s.heads, s.keys, s.width]),
    normals(random, [s.batch, s.heads, s.keys, s.valueWidth]),
  ];
}

function attentionCase(causal: boolean): Case {
  return {
    name: `attention ${causal ? 'with the causal mask' : 'without a mask'}`,
    async run(context) {
      for (const sizes of sizesToTry(context, causal)) {
        const options: AttentionOptions = { scale: context.random.uniform(0.3, 2), causal };
        const [query, key, value] = inputsOf(context, sizes);
        await context.check({
          label: `attention ${JSON.stringify(options)}`,
          bound: 'attention',
          kernel: 'attention',
          inputs: [query, key, value],
          run: (ops, [q, k, v]) => ops.attention(q!, k!, v!, options),
          want: product(query, key, value, options),
        });
      }
    },
  };
}

function gradientCase(causal: boolean): Case {
  return {
    name: `attentionGradient ${causal ? 'with the causal mask' : 'without a mask'}`,
    async run(context) {
      for (const sizes of sizesToTry(context, causal)) {
        const options: AttentionOptions = { scale: context.random.uniform(0.3, 2), causal };
        const [query, key, value] = inputsOf(context, sizes);
        const dy = normals(context.random, [sizes.batch, sizes.heads, sizes.length, sizes.valueWidth]);
        await context.check({
          label: `attentionGradient ${JSON.stringify(options)}`,
          bound: 'attentionGradient',
          kernel: 'attentionGradient',
          inputs: [query, key, value, dy],
          run: (ops, [q, k, v, d]) => {
            const gradients = ops.attentionGradient(q!, k!, v!, d!, options);
            return [gradients.query, gradients.key, gradients.value];
          },
          want: attentionGradient(query, key, value, dy, options),
        });
      }
    },
  };
}

const defaultScaleCase: Case = {
  name: 'attention scales by 1/√(head width) when not told',
  async run(context) {
    const [query, key, value] = inputsOf(context, { batch: 1, heads: 2, length: 4, keys: 4, width: 9, valueWidth: 9 });
    await context.check({
      label: 'attention',
      bound: 'attention',
      kernel: 'attention',
      inputs: [query, key, value],
      run: (ops, [q, k, v]) => ops.attention(q!, k!, v!),
      want: product(query, key, value, { scale: 1 / 3, causal: false }),
    });
  },
};

/** Scaled dot-product attention and its gradient. */
export const attention: CaseGroup = {
  name: 'attention',
  cases: [attentionCase(false), attentionCase(true), defaultScaleCase, gradientCase(false), gradientCase(true)],
};
