/**
 * npm run bench -- mx-formats [--json] [--quick] [--values 24] [--rounds 7]
 *
 * Times fakeQuantize, quantize and dequantize of every format on 2^24 normal float32 values, single thread, beside a
 * copy of the same bytes; and beside what people would otherwise use: torchao's emulation in PyTorch on one thread
 * (where the environment variable MX_PYTHON names a Python that has the packages of
 * dev/golden/mx-formats/requirements.txt) and a composition of TensorFlow.js operations on its wasm backend. Every
 * figure is the minimum over several rounds, which alternate, since timings vary. `--quick` runs everything except
 * torchao once on 2^12 values, to check that it works; its times are not meaningful.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { gzipSync } from 'node:zlib';
import { dequantize, fakeQuantize, formats, kernelsInUse, quantize, useKernels } from '@lmd/mx-formats';
import { tfjsComposition } from './tfjs-composition.mjs';

const { values: given } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    quick: { type: 'boolean', default: false },
    values: { type: 'string' },
    rounds: { type: 'string' },
  },
});
const { quick } = given;
const values = Number(given.values ?? (quick ? 12 : 24));
const rounds = Number(given.rounds ?? (quick ? 1 : 7));
const count = 2 ** values;
const results = [];

/** Files a figure. `target` bounds the ratio: from above for copies, from below for peers. */
function report(name, value, unit, peer, ratio, target) {
  const met = target === null ? null : peer === 'copy' || peer === 'limit' ? ratio <= target : ratio >= target;
  results.push({ name, value, unit, peer, ratio, target, met });
}

function normals() {
  const out = new Float32Array(count);
  let state = 12345;
  const uniform = () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return ((state >>> 0) + 0.5) / 2 ** 32;
  };
  for (let i = 0; i < count; i++) out[i] = Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform());
  return out;
}

/** The minimum time of each task in milliseconds, over rounds that run all tasks in turn. */
function race(tasks, times = rounds) {
  const best = tasks.map(() => Number.POSITIVE_INFINITY);
  for (const [, task] of tasks) task();
  for (let round = 0; round < times; round++) {
    tasks.forEach(([, task], i) => {
      const start = performance.now();
      task();
      best[i] = Math.min(best[i], performance.now() - start);
    });
  }
  return new Map(tasks.map(([name], i) => [name, best[i]]));
}

const data = normals();
const out = new Float32Array(count).fill(1);
const names = /** @type {import('@lmd/mx-formats').FormatName[]} */ (Object.keys(formats));

// 1. Compared with a copy.
const tensors = new Map(names.map((format) => [format, quantize(data, { format })]));
const ours = race([
  ['copy', () => out.set(data)],
  ...names.map((format) => [`fakeQuantize ${format}`, () => fakeQuantize(data, { format }, out)]),
  ...names.map((format) => [`quantize ${format}`, () => quantize(data, { format })]),
  ...names.map((format) => [`dequantize ${format}`, () => dequantize(tensors.get(format), out)]),
]);
const copy = ours.get('copy');
report(`copy of 2^${values} float32`, copy, 'ms', 'copy', 1, null);
for (const [name, milliseconds] of ours) {
  if (name !== 'copy') report(`${name} (${kernelsInUse()})`, milliseconds, 'ms', 'copy', milliseconds / copy, 3);
}

// 2. Without targets: other axes and roundings, and the plain kernels.
const side = 2 ** Math.ceil(values / 2);
const others = race(
  [
    { name: 'mxfp6_e3m2, axis 0 of a matrix', options: { shape: [count / side, side], axis: 0 } },
    { name: 'mxfp6_e3m2, nearestAway', options: /** @type {const} */ ({ rounding: 'nearestAway' }) },
    { name: 'mxfp6_e3m2, towardZero', options: /** @type {const} */ ({ rounding: 'towardZero' }) },
    { name: 'mxfp6_e3m2, stochastic', options: /** @type {const} */ ({ rounding: 'stochastic', seed: 1 }) },
    { name: 'mxfp6_e3m2, even', options: /** @type {const} */ ({ scaleMode: 'even' }) },
  ].map(({ name, options }) => [name, () => fakeQuantize(data, { format: 'mxfp6_e3m2', ...options }, out)]),
  3,
);
others.set(
  'nvfp4 with its tensor scale given',
  race([['', () => fakeQuantize(data, { format: 'nvfp4', tensorScale: tensors.get('nvfp4').tensorScale }, out)]]).get(
    '',
  ),
);
for (const [name, milliseconds] of others) {
  report(`fakeQuantize ${name}`, milliseconds, 'ms', 'copy', milliseconds / copy, null);
}
useKernels('plain');
for (const [name, milliseconds] of race([['mxfp6_e3m2', () => fakeQuantize(data, { format: 'mxfp6_e3m2' }, out)]], 3)) {
  report(`fakeQuantize ${name} (plain)`, milliseconds, 'ms', 'copy', milliseconds / copy, null);
}
useKernels('wasm');

// 3. Compared with a composition of TensorFlow.js operations, on fewer values, since it needs a multiple of their
// memory.
const part = data.subarray(0, Math.min(count, 2 ** 22));
const size = `2^${Math.log2(part.length)}`;
for (const format of names.filter((name) => formats[name].scale === 'e8m0')) {
  const peer = await tfjsComposition(part, formats[format], quick ? 1 : 3);
  const mine = race([['', () => fakeQuantize(part, { format }, out.subarray(0, part.length))]], 5).get('');
  report(`TensorFlow.js wasm composition, ${format}, ${size}`, peer, 'ms', 'fakeQuantize', peer / mine, 30);
}

// 4. Compared with torchao.
const python = quick ? undefined : process.env.MX_PYTHON;
if (quick) console.error('torchao is omitted with --quick.');
else if (python === undefined) console.error('torchao is omitted: MX_PYTHON is not set.');
else {
  const script = fileURLToPath(new URL('./torchao_peer.py', import.meta.url));
  const { status, stdout, stderr } = spawnSync(python, [script, String(values), '3'], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`torchao's benchmark failed:\n${stderr}`);
  for (const [format, milliseconds] of Object.entries(JSON.parse(stdout))) {
    const mine = ours.get(`quantize ${format}`) + ours.get(`dequantize ${format}`);
    report(`torchao to_mx and back, ${format}`, milliseconds, 'ms', 'quantize + dequantize', milliseconds / mine, 20);
    report(
      `torchao to_mx and back, ${format}`,
      milliseconds,
      'ms',
      'fakeQuantize',
      milliseconds / ours.get(`fakeQuantize ${format}`),
      20,
    );
  }
}

// 5. Size.
const bundle = gzipSync(readFileSync(fileURLToPath(import.meta.resolve('@lmd/mx-formats'))), { level: 9 }).length;
report('package, gzipped, WebAssembly included', bundle, 'bytes', 'limit', bundle / 25_000, 1);

if (quick) for (const row of results) Object.assign(row, { target: null, met: null });
if (given.json) console.log(JSON.stringify(results, null, 2));
else {
  const rows = results.map(({ name, value, unit, peer, ratio, target, met }) => [
    name,
    `${value.toFixed(unit === 'bytes' ? 0 : 1)} ${unit}`,
    `${ratio.toFixed(2)} × ${peer}`,
    target === null ? '' : `${peer === 'copy' || peer === 'limit' ? '≤' : '≥'} ${target}`,
    met === null ? '' : met ? 'met' : 'MISSED',
  ]);
  const table = [['benchmark', 'time or size', 'ratio', 'target', ''], ...rows];
  const widths = table[0].map((_, column) => Math.max(...table.map((row) => row[column].length)));
  for (const row of table)
    console.log(
      row
        .map((cell, column) => cell.padEnd(widths[column]))
        .join('  ')
        .trimEnd(),
    );
}
