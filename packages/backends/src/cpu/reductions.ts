import { type Primitives, sizeOf, type Tensor } from '@lmd/core';
import { argMax, max, sum } from '../host-kernels/reductions.js';
import { withoutAxes } from '../strided-offsets.js';
import type { MemoryHost } from './memory-host.js';
import { bandColumns } from './wasm/numbers.js';

/** Values of a row, and rows of a column, that one part of a sum has at most: parts follow from the shape alone. */
const partWidth = 32_768;
const partRows = 1024;

/** Reductions over adjacent axes by kernels; over others, and of integers, by host loops. */
export function cpuReductions(host: MemoryHost): Pick<Primitives, 'sum' | 'max' | 'argMax'> {
  const { run, address, make } = host;

  function sumRows(x: Tensor, out: Tensor, rows: number, width: number): void {
    if (width <= partWidth) {
      run('sumRows', { total: rows, cost: 5 + 0.3 * width }, { x: address(x), out: address(out), width });
      return;
    }
    const parts = Math.ceil(width / partWidth);
    const totals = host.allocate([rows, parts, 2], 'f32');
    const split = { total: rows * parts, cost: 0.3 * partWidth };
    run('sumRowParts', split, { x: address(x), totals: address(totals), width, partWidth, parts });
    const rest = { parts, partStride: 1, stride: parts };
    run('addParts', { total: rows, unit: 16, cost: parts }, { totals: address(totals), out: address(out), ...rest });
    host.store.free(totals);
  }

  function sumColumns(x: Tensor, out: Tensor, rows: number, width: number): void {
    const parts = Math.max(1, Math.ceil(rows / partRows));
    const padded = Math.ceil(width / 16) * 16;
    const totals = host.allocate([parts, padded, 2], 'f32');
    const bands = Math.ceil(width / bandColumns);
    const split = { total: parts * bands, cost: (0.3 * rows * width) / (parts * bands) };
    run('sumColumnParts', split, { x: address(x), totals: address(totals), rows, width, partRows });
    const rest = { parts, partStride: padded, stride: 1 };
    run('addParts', { total: width, unit: 16, cost: parts }, { totals: address(totals), out: address(out), ...rest });
    host.store.free(totals);
  }

  /** Over axes in a row; the extents before, of, and after them. */
  function reduceSlabs(name: 'sumSlabs' | 'maxSlabs', x: Tensor, out: Tensor, axes: readonly number[]): void {
    const [first, last] = [axes[0]!, axes.at(-1)!];
    const outer = sizeOf(x.shape.slice(0, first));
    const terms = sizeOf(x.shape.slice(first, last + 1));
    const inner = sizeOf(x.shape.slice(last + 1));
    const split = { total: outer, cost: 5 + 0.3 * terms * inner };
    run(name, split, { x: address(x), out: address(out), terms, inner });
  }

  return {
    sum(x, axes) {
      const kept = withoutAxes(x.shape, axes);
      const leading = axes.every((axis, i) => axis === i);
      const trailing = axes.every((axis, i) => axis === kept.length + i);
      return make(kept, x.dtype, (out) => {
        const count = sizeOf(kept);
        if (count === 0) return;
        const terms = sizeOf(axes.map((axis) => x.shape[axis]!));
        if (x.dtype !== 'f32' || !inARow(axes)) sum(host.view(x), x.shape, axes, host.view(out));
        else if (trailing) sumRows(x, out, count, terms);
        else if (leading) sumColumns(x, out, terms, count);
        else reduceSlabs('sumSlabs', x, out, axes);
      });
    },
    max(x, axes) {
      const kept = withoutAxes(x.shape, axes);
      const trailing = axes.every((axis, i) => axis === kept.length + i);
      return make(kept, x.dtype, (out) => {
        const terms = sizeOf(axes.map((axis) => x.shape[axis]!));
        if (x.dtype !== 'f32' || !inARow(axes)) max(host.view(x), x.shape, axes, host.view(out));
        else if (!trailing) reduceSlabs('maxSlabs', x, out, axes);
        else {
          const split = { total: sizeOf(kept), cost: 5 + 0.3 * terms };
          run('maxRows', split, { x: address(x), out: address(out), width: terms });
        }
      });
    },
    argMax(x, axis) {
      const kept = withoutAxes(x.shape, [axis]);
      return make(kept, 'i32', (out) => {
        const width = x.shape[axis]!;
        if (axis !== x.shape.length - 1) {
          argMax(host.view(x), x.shape, axis, host.integers(out));
          return;
        }
        const split = { total: sizeOf(kept), cost: 5 + width };
        run('argMaxRows', split, { x: address(x), out: address(out), width, integers: x.dtype !== 'f32' });
      });
    },
  };
}

/** Whether sorted axes are neighbours. */
function inARow(axes: readonly number[]): boolean {
  return axes.every((axis, i) => axis === axes[0]! + i);
}
