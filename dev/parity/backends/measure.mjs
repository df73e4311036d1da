// node dev/parity/backends/measure.mjs NAME SEED: runs the conformance suite on one backend of `backends.mjs`, in a
// process of its own since engines disturb one another, and writes what it measured as the last line: JSON.
import { bounds, runConformance } from '@lmd/conformance';
import { columns } from './backends.mjs';
import { fusedKernels, primitives } from './operations.mjs';

const [name, seed] = process.argv.slice(2);
const { create } = columns.find((column) => column.name === name);

async function measure() {
  let backend;
  try {
    backend = await create();
  } catch (error) {
    if (error.code === 'ENGINE_MISSING' || error.code === 'ERR_MODULE_NOT_FOUND') return { missing: error.message };
    throw error;
  }
  const { device } = backend;
  const kernels = Object.keys(backend.fused).sort();
  const operations = {};
  const { passed, failed } = await runConformance({
    name,
    seed: Number(seed),
    create: () => backend,
    onMeasurement({ operation, composed, bound, units, share }) {
      if (!primitives.includes(operation) && !fusedKernels.includes(operation)) return;
      const key = composed ? `${operation} composed` : operation;
      operations[key] ??= { bound, units: 0, share: 0 };
      const entry = operations[key];
      entry.units = Math.max(entry.units, Number(units.toPrecision(3)));
      entry.share = Math.max(entry.share, Number(share.toPrecision(3)));
      // An operation that is also tried where its result is exact stands by its other bound.
      if (bounds[bound].kind === 'units') entry.bound = bound;
    },
  });
  return { device, kernels, passed: passed.length, failed: failed.map((one) => one.name), operations };
}

console.log(JSON.stringify(await measure()));
// Some engines keep threads of their own alive.
process.exit(0);
