import { describe, it } from 'vitest';
import { expectGradients } from '../../test/support.js';

const shape = [2, 3, 4];

describe('operations on shapes', () => {
  it('reshape', () => {
    expectGradients((ops, x) => ops.reshape(x, [4, -1]), [{ shape }]);
    expectGradients((ops, x) => ops.reshape(x, []), [{ shape: [1, 1] }]);
  });
  it('transpose', () => {
    expectGradients((ops, x) => ops.transpose(x), [{ shape }]);
    expectGradients((ops, x) => ops.transpose(x, [2, 0, 1]), [{ shape }]);
    expectGradients((ops, x) => ops.transpose(x, [1, 3, 0, 2]), [{ shape: [2, 3, 4, 2] }]);
  });
  it('slice', () => {
    expectGradients((ops, x) => ops.slice(x, [1, 0, 2], [1, 2, 2]), [{ shape }]);
    expectGradients((ops, x) => ops.slice(x, [0, 0, 0], [2, 3, 4]), [{ shape }]);
  });
  it('slices that overlap, that leave gaps, and that meet', () => {
    const part = (begin: number, size: number) => [[0, begin, 0] as const, [2, size, 4] as const] as const;
    const pieces = (...parts: ReturnType<typeof part>[]) =>
      expectGradients(
        (ops, x) =>
          ops.concatenate(
            parts.map(([begin, size], i) => ops.multiply(ops.slice(x, begin, size), i + 1)),
            1,
          ),
        [{ shape: [2, 6, 4] }],
      );
    pieces(part(0, 2), part(2, 2), part(4, 2));
    pieces(part(4, 2), part(0, 1), part(1, 3));
    pieces(part(0, 3), part(2, 2));
    pieces(part(0, 3), part(2, 3));
    pieces(part(0, 2), part(2, 2));
    pieces(part(0, 2));
    pieces(part(0, 2), part(5, 1));
    pieces(part(0, 6), part(0, 6));
  });
  it('slices that follow one another and differ in another axis', () => {
    expectGradients(
      (ops, x) => ops.matmul(ops.slice(x, [0, 0], [2, 4]), ops.slice(x, [0, 2], [4, 1])),
      [{ shape: [4, 4] }],
    );
    expectGradients(
      (ops, x) =>
        ops.concatenate(
          [ops.slice(x, [0, 0], [2, 4]), ops.slice(x, [2, 0], [2, 2])].map((s) => ops.reshape(s, [-1])),
          0,
        ),
      [{ shape: [4, 4] }],
    );
  });
  it('slices beside other uses of the tensor', () => {
    expectGradients(
      (ops, x) => ops.add(ops.multiply(x, 3), ops.concatenate([ops.slice(x, [2], [2]), ops.slice(x, [0], [2])], 0)),
      [{ shape: [4] }],
    );
    expectGradients(
      (ops, x) => {
        const y = ops.exp(x);
        return ops.multiply(ops.multiply(ops.slice(y, [0], [2]), ops.slice(y, [2], [2])), ops.sum(y));
      },
      [{ shape: [4] }],
    );
  });
  it('concatenate', () => {
    expectGradients((ops, a, b) => ops.concatenate([a, b, a], 1), [{ shape: [2, 3] }, { shape: [2, 1] }]);
    expectGradients((ops, a, b) => ops.concatenate([a, b], -1), [{ shape: [2, 3] }, { shape: [2, 1] }]);
  });
  it('broadcastTo', () => {
    expectGradients((ops, x) => ops.broadcastTo(x, [4, 2, 3]), [{ shape: [2, 1] }]);
    expectGradients((ops, x) => ops.broadcastTo(x, [2, 3]), [{ shape: [] }]);
  });
  it('pad', () => {
    expectGradients((ops, x) => ops.pad(x, [1, 0, 2], [0, 1, 1]), [{ shape }]);
  });
  it('cast to f32', () => {
    expectGradients((ops, x) => ops.multiply(ops.cast(x, 'f32'), x), [{ shape }]);
  });
});
