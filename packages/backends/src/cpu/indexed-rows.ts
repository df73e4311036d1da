import { type Primitives, sizeOf } from '@lmd/core';
import type { MemoryHost } from './memory-host.js';

export function cpuIndexedRows({ run, address, make, threads }: MemoryHost): Pick<Primitives, 'gather' | 'scatterAdd'> {
  return {
    gather(x, indices) {
      const [rows, ...rest] = x.shape as [number, ...number[]];
      return make([...indices.shape, ...rest], x.dtype, (out) => {
        const width = sizeOf(rest);
        const split = { total: sizeOf(indices.shape), cost: 5 + 0.3 * width };
        run('gatherRows', split, {
          x: address(x),
          indices: address(indices),
          out: address(out),
          rows,
          width,
          integers: x.dtype !== 'f32',
        });
      });
    },
    scatterAdd(indices, updates, rows) {
      const rest = updates.shape.slice(indices.shape.length);
      return make([rows, ...rest], updates.dtype, (out) => {
        const width = sizeOf(rest);
        const count = sizeOf(indices.shape);
        // Every chunk reads all indices, to add in order; therefore there are few chunks.
        const unit = Math.ceil(rows / (2 * threads));
        const cost = 0.2 * width + (count * (1 + 0.4 * width)) / Math.max(rows, 1);
        run(
          'scatterAddRows',
          { total: rows, unit, cost },
          {
            indices: address(indices),
            updates: address(updates),
            out: address(out),
            count,
            width,
            integers: updates.dtype !== 'f32',
          },
        );
      });
    },
  };
}
