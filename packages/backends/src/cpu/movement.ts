import type { DType, Tensor } from '@lmd/core';
import { broadcast as broadcastBy, type Move, movements, type Side } from '../host/movements.js';
import { coalesce, stridedCopy } from '../host-kernels/strided.js';
import type { MemoryHost } from './memory-host.js';
import { turnedRows } from './wasm/numbers.js';

type Movements = ReturnType<typeof movements>;

/** Values of a long row that move as a row of their own. */
const cutLength = 4096;

/** Copies by kernels if one axis is contiguous on each side and there are few axes; otherwise by the host loops. */
function move(host: MemoryHost, extents: readonly number[], source: Side, target: Side): void {
  if (extents.includes(0)) return;
  const walk = coalesce({ extents, strides: [source.strides, target.strides] });
  const last = walk.extents.length - 1;
  const [from, to] = walk.strides as [number[], number[]];
  const axis = from[last] === 0 ? last : from.indexOf(1);
  if (last > 3 || to[last] !== 1 || axis < 0) {
    const { start, strides } = source;
    stridedCopy(
      extents,
      host.view(source.tensor),
      strides,
      start,
      host.view(target.tensor),
      target.strides,
      target.start,
    );
    return;
  }
  const sourceAt = host.address(source.tensor) + 4 * source.start;
  const targetAt = host.address(target.tensor) + 4 * target.start;
  // The axes that are left, outermost first, after as many of extent 1 as are missing.
  const outer = walk.extents.map((_, i) => i).filter((i) => i !== last && i !== axis);
  const extent = (slot: number) => walk.extents[outer[slot]!] ?? 1;
  const stride = (strides: number[], slot: number) => strides[outer[slot]!] ?? 0;
  if (last === 0) {
    moveRow(host, sourceAt, targetAt, walk.extents[0]!, from[0]!);
  } else if (axis === last) {
    const length = walk.extents[last]!;
    const rows = extent(outer.length - 3) * extent(outer.length - 2) * extent(outer.length - 1);
    host.run(
      'copyRows',
      { total: rows, cost: 3 + 0.3 * length },
      {
        source: sourceAt,
        target: targetAt,
        length,
        step: from[last]!,
        e1: extent(outer.length - 2),
        e2: extent(outer.length - 1),
        s0: stride(from, outer.length - 3),
        s1: stride(from, outer.length - 2),
        s2: stride(from, outer.length - 1),
        t0: stride(to, outer.length - 3),
        t1: stride(to, outer.length - 2),
        t2: stride(to, outer.length - 1),
      },
    );
  } else {
    const matrices = extent(outer.length - 2) * extent(outer.length - 1);
    const [rows, columns] = [walk.extents[last]!, walk.extents[axis]!];
    host.run(
      'turnMatrices',
      { total: matrices * Math.ceil(rows / turnedRows), cost: 0.5 * Math.min(rows, turnedRows) * columns },
      {
        source: sourceAt,
        target: targetAt,
        rows,
        columns,
        sourceStride: from[last]!,
        targetStride: to[axis]!,
        e1: extent(outer.length - 1),
        s0: stride(from, outer.length - 2),
        s1: stride(from, outer.length - 1),
        t0: stride(to, outer.length - 2),
        t1: stride(to, outer.length - 1),
      },
    );
  }
}

/** One row, cut into many, which threads can share. */
function moveRow({ run }: MemoryHost, source: number, target: number, length: number, step: number): void {
  const whole = Math.floor(length / cutLength);
  const rest = length - whole * cutLength;
  const outermost = { s0: 0, s1: 0, t0: 0, t1: 0 };
  run(
    'copyRows',
    { total: whole, cost: 0.3 * cutLength },
    {
      source,
      target,
      length: cutLength,
      step,
      e1: whole,
      e2: whole,
      ...outermost,
      s2: step * cutLength,
      t2: cutLength,
    },
  );
  if (rest === 0) return;
  const done = 4 * whole * cutLength;
  run(
    'copyRows',
    { total: 1, cost: 0.3 * rest },
    {
      source: source + step * done,
      target: target + done,
      length: rest,
      step,
      e1: 1,
      e2: 1,
      ...outermost,
      s2: 0,
      t2: 0,
    },
  );
}

/** `x` repeated as NumPy broadcasting does; another handle where there is nothing to repeat. */
export function broadcast<Type extends DType>(
  host: MemoryHost,
  x: Tensor<Type>,
  shape: readonly number[],
): Tensor<Type> {
  return broadcastBy(host, moveWith(host), x, shape);
}

export function cpuMovements(host: MemoryHost): Movements {
  return movements(host, moveWith(host));
}

function moveWith(host: MemoryHost): Move {
  return (extents, source, target) => move(host, extents, source, target);
}
