import type { Case, CaseGroup, Context } from '../case.js';
import { roundToBfloat16 } from '../oracle/bfloat16.js';
import { gelu, geluGradient } from '../oracle/gelu.js';
import { layerNorm, layerNormGradient } from '../oracle/layer-norm.js';
import { softmax, softmaxGradient } from '../oracle/softmax.js';
import { floats, mapped, normals, repeated, type Values } from '../values.js';
import { crossEntropyCases } from './cross-entropy.js';

/** Shapes whose last axis is worked along. */
function rowShapes({ random }: Context): number[][] {
  return [
    [1],
    [7],
    [1, 1],
    [3, 1],
    [2, 33],
    [4, 3, 5],
    [0, 4],
    random.shape(3),
    random.shape(4),
    [3, random.integer(64, 200)],
  ];
}

const softmaxCases: Case[] = [
  {
    name: 'softmax',
    async run(context) {
      for (const shape of rowShapes(context)) await checkSoftmax(context, normals(context.random, shape, 3));
      // Far from zero, where an exponential without the subtracted maximum overflows.
      await checkSoftmax(
        context,
        floats([2, 9], (i) => (i < 9 ? 1000 : -1000) + context.random.normal()),
      );
      await checkSoftmax(context, repeated([3, 3], [-Infinity, 0, 1, -Infinity, -Infinity, 5, -200, 0, 200]));
    },
  },
  {
    name: 'softmax keeps NaN',
    run: (context) => checkSoftmax(context, repeated([2, 3], [1, NaN, 2, 1, 2, 3])),
  },
  {
    name: 'softmaxGradient',
    async run(context) {
      for (const shape of rowShapes(context)) {
        const probabilities = softmax(normals(context.random, shape, 2));
        const y = floats(shape, (i) => probabilities.data[i]!);
        const dy = normals(context.random, shape);
        await context.check({
          label: 'softmaxGradient',
          bound: 'softmaxGradient',
          kernel: 'softmaxGradient',
          inputs: [y, dy],
          run: (ops, [a, b]) => ops.softmaxGradient(a!, b!),
          want: softmaxGradient(y, dy),
        });
      }
    },
  },
];

function checkSoftmax(context: Context, x: Values): Promise<void> {
  return context.check({
    label: 'softmax',
    bound: 'softmax',
    kernel: 'softmax',
    inputs: [x],
    run: (ops, [a]) => ops.softmax(a!),
    want: softmax(x),
  });
}

const layerNormCases: Case[] = [
  {
    name: 'layerNorm',
    async run(context) {
      for (const shape of rowShapes(context)) {
        // The mean is not zero, and a row may be constant: epsilon then decides.
        for (const x of [floats(shape, () => 1 + 2 * context.random.normal()), floats(shape, () => 0.75)]) {
          const [gain, bias] = affine(context, shape);
          const epsilon = context.random.pick([1e-5, 1e-6, 1e-2]);
          await context.check({
            label: `layerNorm with epsilon ${epsilon}`,
            bound: 'layerNorm',
            kernel: 'layerNorm',
            inputs: [x, gain, bias],
            run: (ops, [a, g, b]) => ops.layerNorm(a!, g!, b!, epsilon),
            want: layerNorm(x, gain, bias, epsilon),
          });
        }
      }
    },
  },
  {
    name: 'layerNorm keeps NaN in its row',
    async run(context) {
      const x = repeated([2, 4], [1, NaN, 2, 3, 1, 2, 3, 5]);
      const [gain, bias] = affine(context, [4]);
      await context.check({
        label: 'layerNorm',
        bound: 'layerNorm',
        kernel: 'layerNorm',
        inputs: [x, gain, bias],
        run: (ops, [a, g, b]) => ops.layerNorm(a!, g!, b!, 1e-5),
        want: layerNorm(x, gain, bias, 1e-5),
      });
    },
  },
  {
    name: 'layerNormGradient',
    async run(context) {
      for (const shape of rowShapes(context)) {
        const x = floats(shape, () => 1 + 2 * context.random.normal());
        const [gain] = affine(context, shape);
        const dy = normals(context.random, shape);
        await context.check({
          label: 'layerNormGradient',
          bound: 'layerNormGradient',
          kernel: 'layerNormGradient',
          inputs: [x, gain, dy],
          run: (ops, [a, g, d]) => {
            const gradients = ops.layerNormGradient(a!, g!, d!, 1e-5);
            return [gradients.x, gradients.gain, gradients.bias];
          },
          want: layerNormGradient(x, gain, dy, 1e-5),
        });
      }
    },
  },
];

function affine({ random }: Context, shape: readonly number[]): [Values, Values] {
  const width = [shape[shape.length - 1]!];
  return [floats(width, () => 1 + random.normal() / 2), normals(random, width)];
}

const approximations = ['none', 'tanh'] as const;
const geluNames = { none: 'erf', tanh: 'tanh' } as const;

const geluCases: Case[] = approximations.flatMap((approximation) => [
  {
    name: `gelu (${geluNames[approximation]})`,
    async run(context) {
      const tails = repeated([9], [0, 1e-3, -1e-3, 6, -6, 12, -12, 40, -40]);
      const inputs = [tails, ...rowShapes(context).map((shape) => normals(context.random, shape, 2))];
      for (const x of [...inputs, repeated([2], [NaN, 1])]) {
        await context.check({
          label: `gelu ${approximation}`,
          bound: 'gelu',
          kernel: 'gelu',
          inputs: [x],
          run: (ops, [a]) => ops.gelu(a!, approximation),
          want: gelu(x, approximation),
        });
      }
    },
  },
  {
    name: `geluGradient (${geluNames[approximation]})`,
    async run(context) {
      const tails = repeated([7], [0, 1e-3, -1e-3, 6, -6, 12, -12]);
      const inputs = [tails, ...rowShapes(context).map((shape) => normals(context.random, shape, 2))];
      for (const x of inputs) {
        const dy = normals(context.random, x.shape);
        await context.check({
          label: `geluGradient ${approximation}`,
          bound: 'geluGradient',
          kernel: 'geluGradient',
          inputs: [x, dy],
          run: (ops, [a, d]) => ops.geluGradient(a!, d!, approximation),
          want: geluGradient(x, dy, approximation),
        });
      }
    },
  },
]);

const bfloat16Case: Case = {
  name: 'roundToBfloat16 to the bit',
  async run(context) {
    const { random } = context;
    const fromBits = (bits: number) => new Float32Array(Uint32Array.of(bits).buffer)[0]!;
    const special = [0, -0, Infinity, -Infinity, NaN, 3.4028234663852886e38, -3.4e38, 1, 1.00390625, 1.01171875];
    // Ties (lower half 0x8000) above even and odd upper halves, and their neighbours.
    const ties = [0x3f808000, 0x3f818000, 0x3f807fff, 0x3f808001, 0xbf818000, 0x7f7f8000, 0x7f7f7fff].map(fromBits);
    const anywhere = Array.from({ length: 400 }, () => Math.fround(random.normal() * 2 ** random.integer(-100, 100)));
    const tiny = context.backend.supports.subnormals ? [2 ** -149, 2 ** -133, 3 * 2 ** -134, -(2 ** -130)] : [];
    const values = [...special, ...ties, ...anywhere, ...tiny];
    const x = repeated([values.length], values);
    await context.check({
      label: 'roundToBfloat16',
      bound: 'copy',
      kernel: 'roundToBfloat16',
      composedNeedsSubnormals: true,
      inputs: [x],
      run: (ops, [a]) => ops.roundToBfloat16(a!),
      want: mapped(x, roundToBfloat16),
    });
  },
};

/** The kernels of layers, fused or composed, and their gradients. */
export const neural: CaseGroup = {
  name: 'neural',
  cases: [...softmaxCases, ...layerNormCases, ...geluCases, ...crossEntropyCases, bfloat16Case],
};
