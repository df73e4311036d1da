import { each, type LevelFault, result } from './level-fault.js';

/** Mistakes in elementwise functions, comparisons and reductions. */
export const elementwiseLevelFaults: readonly LevelFault[] = [
  {
    name: 'exp is off by 1e-5 of its value',
    level: 'operations',
    names: /exp of \[/,
    breakIt: result(
      'exp',
      each((value) => value * (1 + 1e-5)),
    ),
  },
  {
    name: 'erf is its sign beyond 2',
    level: 'operations',
    names: /erf of \[/,
    breakIt: result(
      'erf',
      each((value) => (Math.abs(value) > 0.9953 ? Math.sign(value) : value)),
    ),
  },
  {
    name: 'tanh is a rational function',
    level: 'operations',
    names: /tanh of \[/,
    breakIt: (right) => ({
      tanh(x) {
        const data = right.readFloat64(x);
        const values = Float32Array.from(data, (v) => Math.max(-1, Math.min(1, (v * (27 + v * v)) / (27 + 9 * v * v))));
        return right.fromData(values, x.shape, 'f32');
      },
    }),
  },
  {
    name: 'round takes half up',
    level: 'operations',
    names: /round of \[/,
    breakIt: (right) => ({
      round: (x) =>
        right.fromData(
          Float32Array.from(right.readFloat64(x), (v) => Math.floor(v + 0.5)),
          x.shape,
          'f32',
        ),
    }),
  },
  {
    name: 'sign(0) is 1',
    level: 'operations',
    names: /sign of \[/,
    breakIt: result(
      'sign',
      each((value) => (value === 0 ? 1 : value)),
    ),
  },
  {
    name: 'sqrt of a negative number is 0',
    level: 'operations',
    names: /sqrt of \[/,
    breakIt: (right) => ({
      sqrt: (x) =>
        right.fromData(
          Float32Array.from(right.readFloat64(x), (v) => (v < 0 ? 0 : Math.sqrt(v))),
          x.shape,
          'f32',
        ),
    }),
  },
  {
    name: 'maximum swallows a NaN',
    level: 'operations',
    names: /maximum of \[/,
    breakIt: (right) => ({
      maximum: (a, b) => right.where(right.greater(a, b), a, b),
    }),
  },
  {
    name: 'max swallows a NaN',
    level: 'operations',
    names: /max.* of \[/,
    breakIt: result(
      'max',
      each((value) => (Number.isNaN(value) ? -Infinity : value)),
    ),
  },
  {
    name: 'equal holds for two NaNs',
    level: 'operations',
    names: /equal of \[/,
    breakIt: (right) => ({
      equal(a, b) {
        const same = right.equal(a, b);
        if (a.shape.join() !== b.shape.join()) return same;
        const [p, q] = [right.readFloat64(a), right.readFloat64(b)];
        right.dispose(same);
        return right.fromData(
          Int32Array.from(p, (value, i) => (value === q[i] || (Number.isNaN(value) && Number.isNaN(q[i])) ? 1 : 0)),
          a.shape,
          'i32',
        );
      },
    }),
  },
  {
    name: 'argMax gives the last maximum',
    level: 'operations',
    names: /argMax.* of \[/,
    breakIt: (right) => ({
      argMax(x, axis) {
        const index = right.argMax(x, axis);
        if (x.shape.length !== 1) return index;
        const data = right.readFloat64(x);
        right.dispose(index);
        const last = data.lastIndexOf(data.reduce((a, b) => Math.max(a, b), -Infinity));
        return right.fromData(Int32Array.of(Math.max(0, last)), [], 'i32');
      },
    }),
  },
  {
    name: 'sum leaves out the last element of a long axis',
    level: 'operations',
    names: /sum.* of \[/,
    breakIt: (right) => ({
      sum(x, axes) {
        const axis = axes[0]!;
        if (axes.length > 1 || x.shape[axis]! < 2) return right.sum(x, axes);
        const size = x.shape.map((extent, i) => (i === axis ? extent - 1 : extent));
        const part = right.slice(
          x,
          x.shape.map(() => 0),
          size,
        );
        const total = right.sum(part, axes);
        right.dispose(part);
        return total;
      },
    }),
  },
];
