import { describe, expect, it } from 'vitest';
import { createOperations, type EagerOperations } from '../index.js';
import { fillRandomNormal } from '../random/fill.js';
import { erf } from '../testing/erf.js';
import { createTestBackend, expectTensor } from '../testing/index.js';

const tolerance = 2e-6;
let stream = 0;

/** Fresh normals, exactly representable in f32. */
function normals(size: number, spread = 1): number[] {
  const values = new Float32Array(size);
  fillRandomNormal(values, { seed: 11, stream: stream++, step: 0, sample: 0 });
  return [...values].map((value) => Math.fround(value * spread));
}

function rows(values: readonly number[], width: number): number[][] {
  return Array.from({ length: values.length / width }, (_, row) => values.slice(row * width, (row + 1) * width));
}

const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
const mean = (values: readonly number[]) => sum(values) / values.length;
const softmaxOf = (values: readonly number[]) => {
  const exponentials = values.map((value) => Math.exp(value - Math.max(...values)));
  return exponentials.map((value) => value / sum(exponentials));
};

/** Runs `body` with operations that have no fused kernel, and checks that nothing but what it made by hand is left. */
function withOperations(
  body: (ops: EagerOperations, leaves: (count: number) => void) => Promise<void>,
): () => Promise<void> {
  return async () => {
    const backend = createTestBackend();
    await body(createOperations(backend), (count) => expect(backend.memory().tensors).toBe(count));
  };
}

describe('softmax', () => {
  it(
    'is exp / Σ exp, with its gradient',
    withOperations(async (ops, leaves) => {
      const [x, dy] = [normals(12, 3), normals(12)];
      const y = ops.softmax(ops.fromData(x, [3, 4]));
      const want = rows(x, 4).flatMap(softmaxOf);
      await expectTensor(ops, y, [3, 4], want, tolerance);
      const dx = ops.softmaxGradient(y, ops.fromData(dy, [3, 4]));
      const wantGradient = rows(want, 4).flatMap((p, row) => {
        const upstream = rows(dy, 4)[row]!;
        const along = sum(p.map((value, i) => value * upstream[i]!));
        return p.map((value, i) => value * (upstream[i]! - along));
      });
      await expectTensor(ops, dx, [3, 4], wantGradient, tolerance);
      leaves(4);
    }),
  );

  it(
    'neither overflows nor underflows, and spreads NaN over its row',
    withOperations(async (ops) => {
      const x = ops.fromData([1e38, 1e38, -1e38, -1e38, -1e38, -1e38, 1, Number.NaN, 2], [3, 3]);
      const third = 1 / 3;
      const { NaN: none } = Number;
      await expectTensor(ops, ops.softmax(x), [3, 3], [0.5, 0.5, 0, third, third, third, none, none, none], tolerance);
    }),
  );
});

describe('layerNorm', () => {
  it(
    'is the deviation over its root mean square, with its gradients',
    withOperations(async (ops, leaves) => {
      const [x, gain, bias, dy] = [normals(24), normals(4), normals(4), normals(24)];
      const epsilon = 1e-3;
      const tensors = {
        x: ops.fromData(x, [2, 3, 4]),
        gain: ops.fromData(gain),
        bias: ops.fromData(bias),
        dy: ops.fromData(dy, [2, 3, 4]),
      };
      const normalized = rows(x, 4).map((row) => {
        const variance = mean(row.map((value) => (value - mean(row)) ** 2));
        const deviation = Math.sqrt(variance + epsilon);
        return { values: row.map((value) => (value - mean(row)) / deviation), deviation };
      });
      const y = ops.layerNorm(tensors.x, tensors.gain, tensors.bias, epsilon);
      const want = normalized.flatMap(({ values }) => values.map((value, i) => value * gain[i]! + bias[i]!));
      await expectTensor(ops, y, [2, 3, 4], want, tolerance);

      const gradients = ops.layerNormGradient(tensors.x, tensors.gain, tensors.dy, epsilon);
      leaves(4 + 1 + 3);
      const upstream = rows(dy, 4);
      const wantX = normalized.flatMap(({ values, deviation }, row) => {
        const inner = upstream[row]!.map((value, i) => value * gain[i]!);
        const along = mean(inner.map((value, i) => value * values[i]!));
        return inner.map((value, i) => (value - mean(inner) - values[i]! * along) / deviation);
      });
      await expectTensor(ops, gradients.x, [2, 3, 4], wantX, 1e-5);
      const column = (i: number) => sum(normalized.map(({ values }, row) => values[i]! * upstream[row]![i]!));
      await expectTensor(ops, gradients.gain, [4], [0, 1, 2, 3].map(column), tolerance);
      await expectTensor(
        ops,
        gradients.bias,
        [4],
        [0, 1, 2, 3].map((i) => sum(upstream.map((row) => row[i]!))),
        tolerance,
      );
    }),
  );

  it(
    'keeps its precision far from zero, where a difference of moments would not',
    withOperations(async (ops) => {
      const x = ops.fromData([1e6, 1e6 + 1, 1e6 + 2, 1e6 + 3], [1, 4]);
      const y = ops.layerNorm(x, ops.full([4], 1), ops.zeros([4]), 0);
      const unit = 1 / Math.sqrt(1.25);
      await expectTensor(ops, y, [1, 4], [-1.5 * unit, -0.5 * unit, 0.5 * unit, 1.5 * unit], tolerance);
    }),
  );
});

describe('gelu', () => {
  const c = Math.sqrt(2 / Math.PI);
  const values = {
    none: (x: number) => 0.5 * x * (1 + erf(x / Math.SQRT2)),
    tanh: (x: number) => 0.5 * x * (1 + Math.tanh(c * (x + 0.044715 * x ** 3))),
  };

  it.each(['none', 'tanh'] as const)('with approximation %s, and its derivative', (approximation) =>
    withOperations(async (ops, leaves) => {
      const x = [...normals(20, 2), 0, 10, -10, 1e20, -1e20];
      const dy = [...normals(20), 1, 1, 1, 1, 1];
      const input = ops.fromData(x);
      const f = values[approximation];
      const near = x.map((value) => Math.max(-12, Math.min(12, value)));
      await expectTensor(
        ops,
        ops.gelu(input, approximation),
        [25],
        x.map((value) => (value === -1e20 ? 0 : f(value))),
        tolerance,
      );
      const slope = (value: number) => (f(value + 1e-5) - f(value - 1e-5)) / 2e-5;
      const want = near.map((value, i) => dy[i]! * slope(value));
      await expectTensor(ops, ops.geluGradient(input, ops.fromData(dy), approximation), [25], want, 1e-5);
      leaves(4);
    })(),
  );
});

describe('crossEntropy', () => {
  it(
    'is −log softmax at the label, with its gradient',
    withOperations(async (ops, leaves) => {
      const [x, dy] = [normals(12, 4), normals(3)];
      const labels = [3, 0, 2];
      const [logits, targets] = [ops.fromData(x, [3, 4]), ops.fromData(labels, [3], 'i32')];
      const probabilities = rows(x, 4).map(softmaxOf);
      const loss = ops.crossEntropy(logits, targets);
      await expectTensor(
        ops,
        loss,
        [3],
        probabilities.map((p, row) => -Math.log(p[labels[row]!]!)),
        tolerance,
      );
      const gradient = ops.crossEntropyGradient(logits, targets, ops.fromData(dy));
      const want = probabilities.flatMap((p, row) =>
        p.map((value, i) => dy[row]! * (value - (i === labels[row] ? 1 : 0))),
      );
      await expectTensor(ops, gradient, [3, 4], want, tolerance);
      leaves(5);
    }),
  );

  it(
    'is NaN for a label out of range, and finite for logits of any size',
    withOperations(async (ops) => {
      const logits = ops.fromData([1e38, -1e38, 1e4, 0, 0, 0, -Infinity, 0], [4, 2]);
      const labels = ops.fromData([0, 1, 2, 1], [4], 'i32');
      const { NaN: none } = Number;
      await expectTensor(ops, ops.crossEntropy(logits, labels), [4], [0, 1e4, none, 0], tolerance);
      const negative = ops.fromData([-1, 0, 0, 0], [4], 'i32');
      const gradient = ops.crossEntropyGradient(logits, negative, ops.full([4], 1));
      await expectTensor(ops, gradient, [4, 2], [none, none, 0, 0, -0.5, 0.5, -1, 1], tolerance);
    }),
  );
});

describe.each([false, true])('attention, causal: %s', (causal) => {
  it(
    'weights values by the softmax of the scores, with its gradients',
    withOperations(async (ops, leaves) => {
      const [batch, heads, length, width, valueWidth] = [2, 2, 4, 3, 5];
      const group = length * width;
      const q = normals(batch * heads * group);
      const k = normals(batch * heads * group);
      const v = normals(batch * heads * length * valueWidth);
      const dy = normals(v.length);
      const scale = 0.7;
      const forward = (q: readonly number[], k: readonly number[], v: readonly number[]): number[] =>
        rows(q, group).flatMap((queries, at) => {
          const keys = rows(rows(k, group)[at]!, width);
          const values = rows(rows(v, length * valueWidth)[at]!, valueWidth);
          return rows(queries, width).flatMap((query, i) => {
            const scores = keys.map((key, j) =>
              causal && j > i ? -Infinity : scale * sum(key.map((value, c) => value * query[c]!)),
            );
            const weights = softmaxOf(scores);
            return Array.from({ length: valueWidth }, (_, c) =>
              sum(weights.map((weight, j) => weight * values[j]![c]!)),
            );
          });
        });
      const shape = [batch, heads, length, width];
      const valueShape = [batch, heads, length, valueWidth];
      const tensors = [ops.fromData(q, shape), ops.fromData(k, shape), ops.fromData(v, valueShape)] as const;
      await expectTensor(ops, ops.attention(...tensors, { scale, causal }), valueShape, forward(q, k, v), tolerance);

      const gradients = ops.attentionGradient(...tensors, ops.fromData(dy, valueShape), { scale, causal });
      leaves(3 + 1 + 1 + 3);
      const loss = (inputs: readonly (readonly number[])[]) =>
        sum(forward(inputs[0]!, inputs[1]!, inputs[2]!).map((value, i) => value * dy[i]!));
      for (const [at, name] of (['query', 'key', 'value'] as const).entries()) {
        const inputs = [q, k, v];
        const shifted = (i: number, by: number) =>
          loss(
            inputs.map((values, j) => (j === at ? values.map((value, n) => (n === i ? value + by : value)) : values)),
          );
        const want = inputs[at]!.map((_, i) => (shifted(i, 1e-5) - shifted(i, -1e-5)) / 2e-5);
        await expectTensor(ops, gradients[name], at === 2 ? valueShape : shape, want, 1e-5);
      }
    }),
  );
});

it(
  'attention scales by 1/√width by default, and takes other numbers of keys',
  withOperations(async (ops) => {
    const [q, k, v] = [
      ops.fromData(normals(8), [1, 1, 2, 4]),
      ops.fromData(normals(12), [1, 1, 3, 4]),
      ops.fromData(normals(6), [1, 1, 3, 2]),
    ];
    const y = ops.attention(q, k, v);
    const want = await ops.read(ops.attention(q, k, v, { scale: 0.5, causal: false }));
    await expectTensor(ops, y, [1, 1, 2, 2], [...want]);
  }),
);
