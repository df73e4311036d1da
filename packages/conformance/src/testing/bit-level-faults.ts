import type { RandomKey, Tensor } from '@lmd/core';
import { formats } from '@lmd/mx-formats';
import { each, fromOperations, kernel, kernelResult, type LevelFault, operands, result } from './level-fault.js';

const tensor = (value: unknown) => value as Tensor<'f32'>;

/** Mistakes in kernels of gradients. */
export const gradientLevelFaults: readonly LevelFault[] = [
  {
    name: 'geluGradient has the wrong sign',
    level: 'gradients',
    names: /geluGradient/,
    breakIt: fromOperations('geluGradient', (ops, x, dy, approximation) =>
      ops.geluGradient(tensor(x), ops.negate(tensor(dy)), approximation as 'none'),
    ),
  },
  {
    name: 'softmaxGradient leaves out the sum',
    level: 'gradients',
    names: /softmaxGradient/,
    breakIt: fromOperations('softmaxGradient', (ops, y, dy) => ops.multiply(tensor(y), tensor(dy))),
  },
  {
    name: 'crossEntropyGradient leaves out the label',
    level: 'gradients',
    names: /crossEntropyGradient/,
    breakIt: fromOperations('crossEntropyGradient', (ops, logits, _labels, dy) =>
      ops.multiply(ops.softmax(tensor(logits)), ops.reshape(tensor(dy), [tensor(dy).shape[0]!, 1])),
    ),
  },
  {
    name: 'layerNormGradient swaps gain and bias',
    level: 'gradients',
    names: /layerNormGradient/,
    breakIt: fromOperations('layerNormGradient', (ops, x, gain, dy, epsilon) => {
      const right = ops.layerNormGradient(tensor(x), tensor(gain), tensor(dy), epsilon as number);
      return { x: right.x, gain: right.bias, bias: right.gain };
    }),
  },
  {
    name: 'attentionGradient swaps key and value',
    level: 'gradients',
    names: /attentionGradient/,
    breakIt: fromOperations('attentionGradient', (ops, query, key, value, dy, options) => {
      const right = ops.attentionGradient(tensor(query), tensor(key), tensor(value), tensor(dy), options as never);
      return { query: right.query, key: right.value, value: right.key };
    }),
  },
];

const swappedStepAndSample = (key: RandomKey) => ({ ...key, step: key.sample, sample: key.step });

/** Mistakes in random numbers. */
export const randomLevelFaults: readonly LevelFault[] = [
  {
    name: 'randomBits are off by one',
    level: 'random-bits',
    names: /randomBits/,
    breakIt: result(
      'randomBits',
      each((value) => (value + 1) | 0),
    ),
  },
  {
    name: 'randomBits reverses the words of a counter block',
    level: 'random-bits',
    names: /randomBits/,
    breakIt: result('randomBits', (values) => {
      for (let at = 0; at + 4 <= values.length; at += 4) values.subarray(at, at + 4).reverse();
    }),
  },
  {
    name: 'randomUniform counts step and sample in the wrong order',
    level: 'random-bits',
    names: /randomUniform/,
    breakIt: operands('randomUniform', (shape, key) => [shape, swappedStepAndSample(key)]),
  },
  {
    name: 'randomUniform keeps 23 bits',
    level: 'random-bits',
    names: /randomUniform/,
    breakIt: result(
      'randomUniform',
      each((value) => Math.floor(value * 2 ** 23) / 2 ** 23),
    ),
  },
  {
    name: 'randomNormal swaps sine and cosine',
    level: 'random-bits',
    names: /randomNormal/,
    breakIt: result('randomNormal', (values) => {
      for (let at = 0; at + 2 <= values.length; at += 2) values.subarray(at, at + 2).reverse();
    }),
  },
];

const smallest = 2 ** -126;

/** Mistakes in quantization. */
export const mxLevelFaults: readonly LevelFault[] = [
  {
    name: 'fakeQuantize loses the sign of zero',
    level: 'mx-bits',
    names: /fakeQuantize/,
    breakIt: kernelResult(
      'fakeQuantize',
      each((value) => value + 0),
    ),
  },
  {
    name: 'E8M0 ends at 2^-126',
    level: 'mx-bits',
    names: /fakeQuantize/,
    breakIt: kernelResult(
      'fakeQuantize',
      each((value) => (Math.abs(value) < smallest ? value * 0 : value)),
    ),
  },
  {
    name: 'fakeQuantize saturates an infinity',
    level: 'mx-bits',
    names: /fakeQuantize/,
    breakIt: kernel('fakeQuantize', (right) => (x, options) => {
      const values = right.readFloat64(x).map((v) => (Math.abs(v) === Infinity ? Math.sign(v) * 2 ** 127 : v));
      const finite = right.fromData(Float32Array.from(values), x.shape, 'f32');
      const rounded = right.fused.fakeQuantize!(finite, options);
      right.dispose(finite);
      return rounded;
    }),
  },
  {
    name: 'fakeQuantize ignores the key of stochastic rounding',
    level: 'mx-bits',
    names: /fakeQuantize/,
    breakIt: kernel(
      'fakeQuantize',
      (right) => (x, options) =>
        right.fused.fakeQuantize!(
          x,
          options.key === undefined ? options : { ...options, key: { ...options.key, sample: 0 } },
        ),
    ),
  },
];

const largest = 3.4028234663852886e38;
const exact = formats.mxfp4_e2m1.name;

/** Mistakes in exact products. */
export const productLevelFaults: readonly LevelFault[] = [
  {
    name: 'blockMatmul rounds its sums to BF16',
    level: 'exact-products',
    names: new RegExp(`blockMatmul.*${exact}`),
    breakIt: kernelResult('blockMatmul', (values) => {
      const words = new Uint32Array(1);
      const float = new Float32Array(words.buffer);
      for (let i = 0; i < values.length; i++) {
        float[0] = values[i]!;
        words[0]! &= 0xffff_0000;
        values[i] = float[0]!;
      }
    }),
  },
  {
    name: 'blockMatmul rounds twice',
    level: 'exact-products',
    names: /blockMatmul/,
    breakIt: kernelResult(
      'blockMatmul',
      each((value) => Math.fround(Math.fround(value * 3) / 3)),
    ),
  },
  {
    name: 'blockMatmul saturates',
    level: 'exact-products',
    names: /blockMatmul/,
    breakIt: kernelResult(
      'blockMatmul',
      each((value) => Math.max(-largest, Math.min(largest, value))),
    ),
  },
  {
    name: 'blockMatmul gives 0 for NaN',
    level: 'exact-products',
    names: /blockMatmul/,
    breakIt: kernelResult(
      'blockMatmul',
      each((value) => (Number.isNaN(value) ? 0 : value)),
    ),
  },
];
