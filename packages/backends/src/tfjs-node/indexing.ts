import { type DType, type Primitives, sizeOf, type TensorData } from '@lmd/core';
import { type Context, ofDType, type Run, typed } from './context.js';
import { intAttribute, type NativeValue, nativeType, typeAttribute, types } from './native.js';

/**
 * Gather and scatter-add. TensorFlow refuses an index out of range on a CPU and takes it for 0 on a GPU: neither is the
 * contract.
 */
export function nodeIndexing({ native, store, compute, upload }: Context): Pick<Primitives, 'gather' | 'scatterAdd'> {
  const integer = (value: number) => native.scalar(value, types.int32);

  /** Whether each index lies in [0, rows), as TensorFlow's booleans. */
  function inside(run: Run, indices: number, rows: number): NativeValue {
    const notBelow = run('GreaterEqual', typed(types.int32), [indices, integer(0)]);
    return run('LogicalAnd', [], [notBelow.id, run('Less', typed(types.int32), [indices, integer(rows)]).id]);
  }

  return {
    gather(x, indices) {
      const [rows, ...rest] = x.shape as [number, ...number[]];
      const shape = [...indices.shape, ...rest];
      const count = sizeOf(indices.shape);
      const width = sizeOf(rest);
      if (rows === 0) return upload(missing(x.dtype, sizeOf(shape)), shape, x.dtype);
      return compute(shape, x.dtype, (run) => {
        const flat = store.at(indices, [count]);
        const valid = inside(run, flat, rows);
        const safe = run('SelectV2', typed(types.int32), [valid.id, flat, integer(0)]);
        const attributes = [
          typeAttribute('Tparams', nativeType[x.dtype]),
          typeAttribute('Tindices', types.int32),
          typeAttribute('Taxis', types.int32),
          intAttribute('batch_dims', 0),
        ];
        const found = run('GatherV2', attributes, [store.at(x, [rows, width]), safe.id, integer(0)]);
        if (x.dtype !== 'f32') return found;
        const column = run(
          'Reshape',
          [typeAttribute('T', types.bool), typeAttribute('Tshape', types.int32)],
          [valid.id, native.indices([count, 1])],
        );
        return run('SelectV2', typed(types.float32), [column.id, found.id, native.scalar(Number.NaN, types.float32)]);
      });
    },
    scatterAdd(indices, updates, rows) {
      const rest = updates.shape.slice(indices.shape.length);
      const count = sizeOf(indices.shape);
      return compute([rows, ...rest], updates.dtype, (run) => {
        const flat = store.at(indices, [count]);
        // Rows of negative indices are left out.
        const chosen = run('SelectV2', typed(types.int32), [inside(run, flat, rows).id, flat, integer(-1)]);
        const attributes = [
          ...ofDType(updates.dtype),
          typeAttribute('Tindices', types.int32),
          typeAttribute('Tnumsegments', types.int32),
        ];
        const operand = store.at(updates, [count, sizeOf(rest)]);
        return run('UnsortedSegmentSum', attributes, [operand, chosen.id, integer(rows)]);
      });
    },
  };
}

/** Value for indices out of range: NaN; unspecified for integers. */
function missing(dtype: DType, size: number): TensorData {
  if (dtype === 'f32') return new Float32Array(size).fill(Number.NaN);
  return dtype === 'i32' ? new Int32Array(size) : new Uint8Array(size);
}
