import type { BlockFormat } from '@lmd/core';
import { fakeQuantize, formats } from '@lmd/mx-formats';
import { attention } from '../oracle/attention.js';
import { geluGradient } from '../oracle/gelu.js';
import { layerNorm } from '../oracle/layer-norm.js';
import { adamwUpdate, lmdUpdate } from '../oracle/optimizers.js';
import { slice } from '../oracle/shapes.js';
import type { Values } from '../values.js';
import { type Fault, tensorOf, valuesOf, withKernel } from './fault.js';

/** The float formats: MXINT8 has no −0. */
const floatFormats = Object.values(formats).filter(
  ({ element, scale }) => element.kind === 'float' && scale === 'e8m0',
);
const ocpFormats = Object.values(formats).filter(({ scale }) => scale === 'e8m0');

const named = (list: readonly BlockFormat[], title: string) =>
  list.map(({ name }) => `quantization > ${name} ${title}`);

/** Cuts rows of a last axis into blocks of 32, and hands each to `each` with its place. */
function eachBlock(data: Float32Array, width: number, each: (block: Float32Array, start: number) => void): void {
  for (let row = 0; row < data.length; row += width) {
    for (let start = row; start < row + width; start += 32) {
      each(data.subarray(start, Math.min(start + 32, row + width)), start);
    }
  }
}

export const kernelFaults: readonly Fault[] = [
  {
    name: 'fakeQuantize loses the sign of zero',
    breakIt: (right) =>
      withKernel(right, {
        fakeQuantize(x, options) {
          const rounded = right.fused.fakeQuantize!(x, options);
          const { data, ...rest } = valuesOf(right, rounded);
          right.dispose(rounded);
          return tensorOf(right, { ...rest, data: data.map((value) => value + 0) });
        },
      }),
    caughtBy: named(floatFormats, 'keeps the sign of zero'),
    // Negative values that round to zero occur everywhere; in MXINT8 they give +0.
    mayAlsoFail: /^quantization > mxfp/,
  },
  {
    name: 'fakeQuantize takes its scale from a float32 log2',
    breakIt: (right) =>
      withKernel(right, {
        fakeQuantize(x, options) {
          const source = Float32Array.from(right.readFloat64(x));
          const lastAxis = options.axis === x.shape.length - 1 || options.axis === -1;
          if (lastAxis && options.scaleMode === 'floor') {
            // A logarithm rounded up to the next integer doubles the scale, as if the largest were that power of two.
            eachBlock(source, x.shape[x.shape.length - 1]!, (block) => {
              const largest = block.reduce((a, b) => Math.max(a, Math.abs(b)), 0);
              const exponent = Math.floor(Math.fround(Math.log2(largest)));
              if (largest > 0 && exponent !== Math.floor(Math.log2(largest))) {
                const at = block.findIndex((value) => Math.abs(value) === largest);
                block[at] = Math.sign(block[at]!) * 2 ** exponent;
              }
            });
          }
          const data = Float64Array.from(fakeQuantize(source, { ...options, shape: x.shape }));
          return tensorOf(right, { shape: x.shape, data });
        },
      }),
    caughtBy: named(ocpFormats, 'reads its scale from the bits, also beside powers of two'),
    // Values just below powers of two are found elsewhere too: the largest f32 is one.
    mayAlsoFail: /^quantization > /,
  },
  {
    name: 'stochastic rounding counts its random words from the start of each block',
    breakIt: (right) =>
      withKernel(right, {
        fakeQuantize(x, options) {
          const lastAxis = options.axis === x.shape.length - 1 || options.axis === -1;
          if (!lastAxis || options.rounding !== 'stochastic') return right.fused.fakeQuantize!(x, options);
          const source = Float32Array.from(right.readFloat64(x));
          const data = new Float64Array(source.length);
          eachBlock(source, x.shape[x.shape.length - 1]!, (block, start) =>
            data.set(fakeQuantize(block, { ...options, axis: 0, shape: [block.length] }), start),
          );
          return tensorOf(right, { shape: x.shape, data });
        },
      }),
    caughtBy: named(ocpFormats, 'with stochastic, in every scale mode and along every axis'),
    // Rows of special values are rounded stochastically as well.
    mayAlsoFail: /^quantization > (?!.* with (nearestEven|nearestAway|towardZero))/,
  },
  {
    name: 'fakeQuantize hides an infinity by saturating it',
    breakIt: (right) =>
      withKernel(right, {
        fakeQuantize(x, options) {
          const { data, ...rest } = valuesOf(right, x);
          const finite = tensorOf(right, {
            ...rest,
            data: data.map((v) => (Math.abs(v) === Infinity ? Math.sign(v) * 3.4028234663852886e38 : v)),
          });
          const result = right.fused.fakeQuantize!(finite, options);
          right.dispose(finite);
          return result;
        },
      }),
    caughtBy: named(ocpFormats, 'gives a block of NaN for a NaN or an infinity, and no other'),
  },
  {
    name: 'layerNorm divides by n − 1',
    breakIt: (right) =>
      withKernel(right, {
        layerNorm(x, gain, bias, epsilon) {
          const width = x.shape[x.shape.length - 1]!;
          const unbiased = width / Math.max(1, width - 1);
          const [xs, gains, biases] = [x, gain, bias].map((one) => valuesOf(right, one)) as [Values, Values, Values];
          // The variance times n/(n − 1) is the same as gain times its root, with epsilon less.
          const smaller = { ...gains, data: gains.data.map((g) => g / Math.sqrt(unbiased)) };
          return tensorOf(right, layerNorm(xs, smaller, biases, epsilon / unbiased));
        },
      }),
    caughtBy: [
      'neural > layerNorm',
      'neural > layerNorm keeps NaN in its row',
      'gradients > softmax, layerNorm, gelu and crossEntropy',
    ],
    mayAlsoFail: /^training > loss and gradients/,
  },
  {
    name: 'geluGradient has the wrong sign',
    breakIt: (right) =>
      withKernel(right, {
        geluGradient(x, dy, approximation) {
          const want = geluGradient(valuesOf(right, x), valuesOf(right, dy), approximation);
          return tensorOf(right, { ...want, data: want.data.map((value) => -value) });
        },
      }),
    caughtBy: [
      'neural > geluGradient (erf)',
      'neural > geluGradient (tanh)',
      'gradients > softmax, layerNorm, gelu and crossEntropy',
      'training > loss and gradients of a tiny ViT agree with float64',
    ],
  },
  {
    name: 'the causal mask lets each query see one key too many',
    breakIt: (right) =>
      withKernel(right, {
        attention(query, key, value, options) {
          const [q, k, v] = [query, key, value].map((x) => valuesOf(right, x)) as [Values, Values, Values];
          if (!options.causal) return tensorOf(right, attention(q, k, v, options));
          const [batch, heads, length, width] = query.shape as [number, number, number, number];
          const valueWidth = value.shape[3]!;
          const data = new Float64Array(batch * heads * length * valueWidth);
          for (let i = 0; i < length; i++) {
            const seen = Math.min(i + 2, length);
            const row = attention(
              slice(q, [0, 0, i, 0], [batch, heads, 1, width]),
              slice(k, [0, 0, 0, 0], [batch, heads, seen, width]),
              slice(v, [0, 0, 0, 0], [batch, heads, seen, valueWidth]),
              { ...options, causal: false },
            );
            for (let head = 0; head < batch * heads; head++) {
              const from = row.data.subarray(head * valueWidth, (head + 1) * valueWidth);
              data.set(from, (head * length + i) * valueWidth);
            }
          }
          return tensorOf(right, { shape: [batch, heads, length, valueWidth], data });
        },
      }),
    caughtBy: ['attention > attention with the causal mask', 'gradients > attention, with and without the causal mask'],
  },
  {
    name: 'lmdUpdate takes sign(0) as 1',
    breakIt: (right) =>
      withKernel(right, {
        lmdUpdate(state, gradients, keys, logPriorMedian, options) {
          const parts = Object.fromEntries(
            Object.entries(state).map(([part, tensor]) => [part, valuesOf(right, tensor)]),
          ) as unknown as Parameters<typeof lmdUpdate>[0];
          const passes = gradients.map((gradient) => valuesOf(right, gradient));
          const prior = right.readFloat64(logPriorMedian)[0]!;
          const next = lmdUpdate(parts, passes, keys, prior, options);
          const nudged = (x: Values) => ({ ...x, data: x.data.map((value) => (value === 0 ? 1e-30 : value)) });
          const { momentumMinus } = parts;
          const moved = lmdUpdate(
            {
              ...parts,
              momentumPlus: nudged(parts.momentumPlus),
              ...(momentumMinus === undefined ? {} : { momentumMinus: nudged(momentumMinus) }),
            },
            passes,
            keys,
            prior,
            options,
          );
          const logs = options.useSign ? moved : next;
          const results = [logs[0]!, logs[1]!, ...next.slice(2)].map((values) => tensorOf(right, values));
          const [logPlus, logMinus, momentumPlus] = results;
          return {
            logPlus: logPlus!,
            logMinus: logMinus!,
            momentumPlus: momentumPlus!,
            ...(results[3] === undefined ? {} : { momentumMinus: results[3] }),
          };
        },
      }),
    caughtBy: ['optimizers > lmdUpdate moves a weight without gradient by the regularizer alone: sign(0) is 0'],
  },
  {
    name: 'adamwUpdate decays the weight by weightDecay alone',
    breakIt: (right) =>
      withKernel(right, {
        adamwUpdate(state, gradient, options) {
          const wrong = { ...options, weightDecay: options.weightDecay / options.learningRate };
          const [weights, firstMoment, secondMoment] = adamwUpdate(
            valuesOf(right, state.weights),
            valuesOf(right, state.firstMoment),
            valuesOf(right, state.secondMoment),
            valuesOf(right, gradient),
            wrong,
          ).map((values) => tensorOf(right, values));
          return { weights: weights!, firstMoment: firstMoment!, secondMoment: secondMoment! };
        },
      }),
    caughtBy: ['optimizers > adamwUpdate'],
  },
  {
    name: 'weightedSum rounds only the result, as with a fused multiply-add',
    breakIt: (right) =>
      withKernel(right, {
        weightedSum(x, alpha, y, beta) {
          const [a, b] = [valuesOf(right, x), valuesOf(right, y)];
          const [left, factor] = [Math.fround(alpha), Math.fround(beta)];
          const data = a.data.map((value, i) => left * value + Math.fround(factor * b.data[i]!));
          return tensorOf(right, { ...a, data });
        },
      }),
    caughtBy: ['optimizers > weightedSum rounds each product and the sum'],
  },
];
