import { type BlockFormat, canCodeRows, compositions, createOperations } from '@lmd/core';
import { formats } from '@lmd/mx-formats';
import { type Fault, withKernel } from './fault.js';

const named = (title: string) =>
  Object.values(formats as { readonly [name: string]: BlockFormat })
    .filter(canCodeRows)
    .map(({ name }) => `coded rows > ${name}: ${title}`);

export const codedRowFaults: readonly Fault[] = [
  {
    name: 'codedAttention passes over the last key',
    breakIt(right) {
      const ops = createOperations({ ...right, fused: {} });
      const { encodeRows, decodeRows, codedAttention } = compositions;
      return withKernel(right, {
        encodeRows: (x, format) => encodeRows(ops, x, format),
        decodeRows: (rows) => decodeRows(ops, rows) as never,
        codedAttention(query, rows, scale) {
          const { shape } = rows;
          const keys = Math.max(1, shape[2]! - 1);
          const cut = Object.entries(rows.tensors).map(([name, x]) => [
            name,
            ops.slice(x, [0, 0, 0, 0], [...x.shape.slice(0, 2), keys, x.shape[3]!]),
          ]);
          const tensors = Object.fromEntries(cut);
          const attended = codedAttention(
            ops,
            query,
            { ...rows, shape: [shape[0]!, shape[1]!, keys, shape[3]!], tensors },
            scale,
          );
          ops.dispose(tensors);
          return attended as never;
        },
      });
    },
    caughtBy: [
      ...named('values, appended rows and attention'),
      'coded rows > int4_20: values, appended rows and attention',
    ],
  },
];
