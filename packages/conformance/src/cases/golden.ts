import { formats } from '@lmd/mx-formats';
import { type GoldenCase, goldenCases, goldenHashes, goldenValues } from '@lmd/mx-golden';
import type { Case, Context } from '../case.js';

const edges = goldenCases.filter(({ dataset }) => dataset === 'edges');

/**
 * Parts of the golden values that hold no subnormal number and no block scaled into them, for a backend that flushes
 * those.
 */
const firstNormalChunk = 10;

async function check({ ops, backend, upload, fail, expect }: Context, golden: GoldenCase): Promise<void> {
  const { format, rounding, scaleMode, key, hashes } = golden;
  const data = goldenValues('edges');
  const blockSize = formats[format].blockSize;
  const x = upload({ dtype: 'f32', shape: [data.length / blockSize, blockSize], data: Float64Array.from(data) });
  const result = ops.fakeQuantize(x, { format: formats[format], axis: 1, rounding, scaleMode, key });
  // A backend may choose the payload of a NaN; the oracles' is the canonical one.
  const read = Float32Array.from(await ops.read(result), (value) => (Number.isNaN(value) ? Number.NaN : value));
  ops.dispose([result, x]);
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
export function goldenCase(format: string): Case {
  return {
    name: `${format} has the oracles' bits on the golden values`,
    async run(context) {
      for (const golden of edges.filter((one) => one.format === format)) await check(context, golden);
    },
  };
}
