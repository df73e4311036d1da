import type { BlockFormat, Tensor } from '@lmd/core';
import { formats } from '@lmd/mx-formats';
import { type GoldenCase, goldenCases, goldenHashes, goldenValues } from '@lmd/mx-golden';
import type { Case, Context } from '../case.js';

const edges = goldenCases.filter(({ dataset }) => dataset === 'edges');

/**
 * Parts of the golden values that hold no subnormal number and no block scaled into them, for a backend that flushes
 * those.
 */
const firstNormalChunk = 10;

async function check({ ops, backend, fail, expect }: Context, x: Tensor, golden: GoldenCase): Promise<void> {
  const { format, rounding, scaleMode, key, hashes } = golden;
  const result = ops.fakeQuantize(x, { format: formats[format], axis: 1, rounding, scaleMode, key });
  // A backend may choose the payload of a NaN; the oracles' is the canonical one.
  const read = new Float32Array(await ops.read(result)).map((value) => (Number.isNaN(value) ? Number.NaN : value));
  ops.dispose(result);
  const got = goldenHashes(read);
  const from = backend.supports.subnormals ? 0 : firstNormalChunk;
  const wrong = got.findIndex((hash, chunk) => chunk >= from && hash !== hashes[chunk]);
  if (wrong >= 0) {
    fail(
      `fakeQuantize to ${format} with ${rounding} and ${scaleMode}: part ${wrong} of the golden values has other bits`,
    );
  }
  expect(wrong).toBe(-1);
}

/** The bits that torchao's scales and gfloat's roundings give on values at every edge of the format. */
export function goldenCase({ name: format, blockSize }: BlockFormat): Case {
  return {
    name: `${format} has the oracles' bits on the golden values`,
    async run(context) {
      const data = goldenValues('edges');
      const x = context.upload({
        dtype: 'f32',
        shape: [data.length / blockSize, blockSize],
        data: new Float64Array(data),
      });
      for (const golden of edges.filter((one) => one.format === format)) await check(context, x, golden);
    },
  };
}
