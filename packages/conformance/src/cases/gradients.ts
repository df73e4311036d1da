import { valueAndGradients } from '@lmd/autograd';
import type { Case, CaseGroup, Context } from '../case.js';
import { floats, integers, normals, type Values } from '../values.js';
import { checkGradients } from './check-gradients.js';

function gradientCase(name: string, run: (context: Context) => Promise<void>): Case {
  return { name, run };
}

/** Away from zero by at least `gap`: where functions with a corner or a pole are smooth. */
const apart = ({ random }: Context, shape: readonly number[], gap: number) =>
  floats(shape, () => random.sign() * random.uniform(gap, 2));

const positive = ({ random }: Context, shape: readonly number[]) => floats(shape, () => random.uniform(0.3, 3));

/** Distinct values, so that no two compete for a maximum. */
function distinct({ random }: Context, shape: readonly number[]): Values {
  const order = random.shuffled(Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => i));
  return floats(shape, (i) => order[i]! / 7 - 1);
}

const unaryGradients = gradientCase('elementwise functions', async (context) => {
  const { random } = context;
  const shape = () => random.shape(2, 20);
  for (const name of ['negate', 'exp', 'tanh', 'erf'] as const) {
    await checkGradients(context, name, [normals(random, shape())], (ops, [x]) => ops[name](x!));
  }
  for (const name of ['log', 'sqrt'] as const) {
    await checkGradients(context, name, [positive(context, shape())], (ops, [x]) => ops[name](x!));
  }
  for (const name of ['absolute', 'sign'] as const) {
    await checkGradients(context, name, [apart(context, shape(), 0.2)], (ops, [x]) => ops[name](x!));
  }
  const offGrid = floats([6], (i) => i - 2.7);
  await checkGradients(context, 'round', [offGrid], (ops, [x]) => ops.round(x!));
});

const binaryGradients = gradientCase('arithmetic with broadcasting', async (context) => {
  const pairs = [
    [
      [3, 4],
      [3, 4],
    ],
    [[3, 1], [4]],
    [[], [2, 3]],
    [
      [2, 3],
      [2, 1],
    ],
    [
      [2, 1, 3],
      [4, 1],
    ],
  ] as const;
  for (const [a, b] of pairs) {
    for (const name of ['add', 'subtract', 'multiply', 'divide'] as const) {
      const inputs = [normals(context.random, a), apart(context, b, 0.5)];
      await checkGradients(context, name, inputs, (ops, [p, q]) => ops[name](p!, q!));
    }
    for (const name of ['maximum', 'minimum'] as const) {
      const p = distinct(context, a);
      const q = floats(b, (i) => i / 3 + 0.05 - 0.5);
      await checkGradients(context, name, [p, q], (ops, [x, y]) => ops[name](x!, y!));
    }
  }
});

const whereGradients = gradientCase('where', async (context) => {
  const condition = integers([3, 4], () => context.random.integer(0, 1));
  const inputs = [normals(context.random, [4]), normals(context.random, [3, 1])];
  await checkGradients(context, 'where', inputs, (ops, [a, b, c]) => ops.where(c!, a!, b!), [condition]);
});

const reductionGradients = gradientCase('reductions', async (context) => {
  for (const options of [{}, { axes: 0 }, { axes: [1, 2], keepDims: true }, { axes: -1 }]) {
    for (const name of ['sum', 'mean', 'max'] as const) {
      const x = distinct(context, [2, 3, 4]);
      await checkGradients(context, `${name} ${JSON.stringify(options)}`, [x], (ops, [a]) => ops[name](a!, options));
    }
  }
});

const matmulGradients = gradientCase('matmul with every transpose flag, batched and shared', async (context) => {
  const { random } = context;
  for (const transposeA of [false, true]) {
    for (const transposeB of [false, true]) {
      for (const [aBatch, bBatch] of [
        [[], []],
        [[2], [2]],
        [[3], []],
        [[], [2]],
      ] as const) {
        const a = normals(random, [...aBatch, ...(transposeA ? [3, 2] : [2, 3])]);
        const b = normals(random, [...bBatch, ...(transposeB ? [4, 3] : [3, 4])]);
        const options = { transposeA, transposeB };
        const label = `matmul ${JSON.stringify(options)} of [${a.shape}] and [${b.shape}]`;
        await checkGradients(context, label, [a, b], (ops, [p, q]) => ops.matmul(p!, q!, options));
      }
    }
  }
});

const shapeGradients = gradientCase('rearrangements', async (context) => {
  const x = () => normals(context.random, [2, 3, 4]);
  await checkGradients(context, 'reshape', [x()], (ops, [a]) => ops.reshape(a!, [4, 6]));
  await checkGradients(context, 'transpose', [x()], (ops, [a]) => ops.transpose(a!, [2, 0, 1]));
  await checkGradients(context, 'slice', [x()], (ops, [a]) => ops.slice(a!, [1, 0, 1], [1, 3, 2]));
  await checkGradients(context, 'pad', [x()], (ops, [a]) => ops.pad(a!, [1, 0, 2], [0, 1, 0]));
  await checkGradients(context, 'broadcastTo', [normals(context.random, [3, 1])], (ops, [a]) =>
    ops.broadcastTo(a!, [2, 3, 4]),
  );
  await checkGradients(context, 'concatenate', [x(), normals(context.random, [2, 1, 4])], (ops, [a, b]) =>
    ops.concatenate([a!, b!], 1),
  );
});

const indexingGradients = gradientCase('gather and scatterAdd, repeats included', async (context) => {
  const { random } = context;
  const indices = integers([5], (i) => [0, 2, 2, 1, 2][i]!);
  await checkGradients(context, 'gather', [normals(random, [4, 3])], (ops, [x, at]) => ops.gather(x!, at!), [indices]);
  const someOutside = integers([5], (i) => [0, 2, -1, 7, 2][i]!);
  await checkGradients(
    context,
    'scatterAdd',
    [normals(random, [5, 2])],
    (ops, [updates, at]) => ops.scatterAdd(at!, updates!, 3),
    [someOutside],
  );
});

const layerGradients = gradientCase('softmax, layerNorm, gelu and crossEntropy', async (context) => {
  const { random } = context;
  await checkGradients(context, 'softmax', [normals(random, [3, 5])], (ops, [x]) => ops.softmax(x!));
  await checkGradients(
    context,
    'layerNorm',
    [normals(random, [4, 6], 2), apart(context, [6], 0.5), normals(random, [6])],
    (ops, [x, gain, bias]) => ops.layerNorm(x!, gain!, bias!, 1e-3),
  );
  for (const approximation of ['none', 'tanh'] as const) {
    const x = normals(random, [3, 4], 2);
    await checkGradients(context, `gelu ${approximation}`, [x], (ops, [a]) => ops.gelu(a!, approximation));
  }
  const labels = integers([4], () => random.integer(0, 4));
  await checkGradients(
    context,
    'crossEntropy',
    [normals(random, [4, 5], 2)],
    (ops, [x, at]) => ops.crossEntropy(x!, at!),
    [labels],
  );
});

const attentionGradients = gradientCase('attention, with and without the causal mask', async (context) => {
  for (const causal of [false, true]) {
    const inputs = [0, 1, 2].map(() => normals(context.random, [2, 2, 3, 4]));
    await checkGradients(context, `attention (causal: ${causal})`, inputs, (ops, [q, k, v]) =>
      ops.attention(q!, k!, v!, { causal }),
    );
  }
});

const straightThroughGradient = gradientCase('a gradient of one’s own, straight through rounding', async (context) => {
  const { ops, random } = context;
  const x = context.upload(normals(random, [7], 5));
  const { value, gradients } = valueAndGradients(ops, { x }, (recorded, { x: input }) =>
    recorded.sum(
      recorded.customGradient([input!], {
        forward: (plain, [a]) => plain.round(a!),
        backward: (plain, dy) => [plain.multiply(dy, 3)],
      }),
    ),
  );
  await context.compare(
    'gradient of round, declared as 3·dy',
    gradients.x!,
    floats([7], () => 3),
    'arithmetic',
  );
  ops.dispose(value);
  ops.dispose(gradients);
});

const chainGradients = gradientCase('a chain that uses a value more than once', async (context) => {
  const { random } = context;
  const inputs = [normals(random, [3, 4]), normals(random, [4, 4], 0.5)];
  await checkGradients(context, 'tanh(x·W) + x, normalized, squared', inputs, (ops, [x, w]) => {
    const mixed = ops.add(ops.tanh(ops.matmul(x!, w!)), x!);
    const centred = ops.subtract(mixed, ops.mean(mixed, { axes: -1, keepDims: true }));
    return ops.multiply(centred, ops.exp(ops.matmul(centred, w!, { transposeB: true })));
  });
});

/** Every operation that a gradient passes through, against finite differences in float64. */
export const gradients: CaseGroup = {
  name: 'gradients',
  cases: [
    unaryGradients,
    binaryGradients,
    whereGradients,
    reductionGradients,
    matmulGradients,
    shapeGradients,
    indexingGradients,
    layerGradients,
    attentionGradients,
    straightThroughGradient,
    chainGradients,
  ],
};
