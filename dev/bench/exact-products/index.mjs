/**
 * npm run bench -- exact-products [--json] [--write] [--quick] [--rounds 7]
 *
 * Exact products of block formats, the activations' encoding included, beside the FP32 product of the same engine:
 * native kernels where there are any, and WebAssembly; and the peak memory of a step of LMD beside FP32's. `--write`
 * writes docs/exact-products.json, and from it the table in docs/exact-products.md and the sentence in README.md.
 * `--quick` runs the smallest product once: it shows that it runs, and its times say nothing.
 */
import { createCpuBackend } from '@lmd/backends/cpu';
import { benchBlockProducts } from '../backends/block-products.mjs';
import { benchArguments } from '../lib/arguments.mjs';
import { occasion } from '../lib/page.mjs';
import { forgetTargets, print, rows } from '../lib/report.mjs';
import { benchMemory } from './memory.mjs';
import { writeResults } from './page.mjs';

const given = benchArguments({});
const { quick, rounds } = given;

const native = await createCpuBackend();
/** @type {[string, import('@lmd/backends/cpu').CpuBackend][]} */
const backends = [['WebAssembly', await createCpuBackend({ native: 'off' })]];
if (native.native.level !== undefined) backends.unshift(['native kernels', native]);

const engines = [];
for (const [name, cpu] of backends) {
  console.error(`${name}: ${cpu.device}`);
  // Workers take a moment to start, which is no part of what is measured.
  cpu.dispose(cpu.randomNormal([2 ** 20], { seed: 1, stream: 0, step: 0, sample: 0 }));
  await new Promise((resolve) => setTimeout(resolve, 500));
  const before = rows.length;
  await benchBlockProducts({ cpu, ending: `, ${name}` }, rounds, quick);
  const measured = rows.slice(before).map(({ name: title, value, ratio }) => {
    const [, layer, format] = /^(.*), forward in (\w+), /.exec(title) ?? [];
    return { layer, format, gops: Number(value.toFixed(2)), ratio: Number(ratio.toFixed(3)) };
  });
  engines.push({ name, device: cpu.device, integerProducts: cpu.integerProducts, rows: measured });
  // The bytes do not depend on the engine.
  if (engines.length === 1) await benchMemory(cpu, quick);
  cpu.close();
}
if (quick) forgetTargets();
print(given.json);
if (given.write) writeResults({ ...occasion(), engines });
