import { type Primitives, sizeOf } from '@lmd/core';
import type { Context } from './context.js';
import type { Kernel } from './kernel.js';
import { fill } from './movement.js';
import { perElement } from './wgsl.js';

type Indexing = Pick<Primitives, 'gather' | 'scatterAdd'>;

const gatherKernel: Kernel = {
  name: 'gather',
  inputs: { x: 'u32', indices: 'u32' },
  outputs: { out: 'u32' },
  parameters: { count: 'u32', rows: 'u32', width: 'u32', missing: 'u32' },
  code: perElement(`
  // Negative indices are large unsigned numbers.
  let row = indices_at(i / params.width);
  var value = params.missing;
  if (row < params.rows) { value = x_at(row * params.width + i % params.width); }
  out_set(i, value);`),
};

/** For each position: the next with the same index, or `count`; and whether it is the first, in the top bit. */
const linkKernel: Kernel = {
  name: 'scatterAdd-links',
  inputs: { indices: 'u32' },
  outputs: { links: 'u32' },
  parameters: { count: 'u32' },
  code: perElement(`
  let own = indices_at(i);
  var next = i + 1u;
  while (next < params.count && indices_at(next) != own) { next++; }
  var before = i;
  while (before > 0u && indices_at(before - 1u) != own) { before--; }
  links_set(i, next | select(0u, 0x80000000u, before == 0u));`),
};

/**
 * Each chain of equal indices is added up by the threads of its first position, in index order: no atomics, one result.
 */
const addKernel: Kernel = {
  name: 'scatterAdd',
  inputs: { indices: 'u32', links: 'u32', updates: 'f32' },
  outputs: { out: 'f32' },
  parameters: { count: 'u32', rows: 'u32', width: 'u32', positions: 'u32' },
  code: perElement(`
  let position = i / params.width;
  let column = i % params.width;
  let row = indices_at(position);
  var link = links_at(position);
  if (row >= params.rows || (link & 0x80000000u) == 0u) { return; }
  var total = updates_at(i);
  var next = link & 0x7fffffffu;
  while (next < params.positions) {
    total += updates_at(next * params.width + column);
    next = links_at(next) & 0x7fffffffu;
  }
  out_set(row * params.width + column, total);`),
};

const nanBits = 0x7fc0_0000;

export function indexing(context: Context): Indexing {
  const { allocate, make, runElements, store } = context;
  return {
    gather(x, indices) {
      const [rows, ...rest] = x.shape as [number, ...number[]];
      return make([...indices.shape, ...rest], x.dtype, (out) => {
        const values = { rows, width: sizeOf(rest), missing: x.dtype === 'f32' ? nanBits : 0 };
        runElements(gatherKernel, [x, indices], [out], values, sizeOf(out.shape));
      });
    },
    scatterAdd(indices, updates, rows) {
      const rest = updates.shape.slice(indices.shape.length);
      return make([rows, ...rest], 'f32', (out) => {
        fill(context, out, 0);
        const positions = sizeOf(indices.shape);
        const size = sizeOf(updates.shape);
        if (size === 0 || sizeOf(out.shape) === 0) return;
        const links = allocate([positions], 'i32');
        try {
          runElements(linkKernel, [indices], [links], {}, positions);
          const values = { rows, width: sizeOf(rest), positions };
          runElements(addKernel, [indices, links, updates], [out], values, size);
        } finally {
          store.free(links);
        }
      });
    },
  };
}
