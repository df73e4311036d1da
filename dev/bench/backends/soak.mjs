/**
 * node dev/bench/backends/soak.mjs [--json] [--quick] [--minutes 60] [--threads 2] [--out soak.jsonl]
 *
 * Soak test: trains a small Vision Transformer with LMD in MXFP6 on the cpu backend, writes the memory of the process
 * and of the arena to a JSON lines file once per minute, and reports whether memory stays constant. Exits with code 1
 * if memory grows. Needs built packages. With node --expose-gc, garbage is collected before each measurement. Runs
 * shorter than about five minutes are not meaningful, since the heap is still growing to its normal size. `--quick`
 * trains for a second, without a verdict or a file.
 */
import { appendFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { createCpuBackend } from '@lmd/backends/cpu';
import { adamw, createOperations, lmd, parameterGroups } from '@lmd/core';
import { print, report } from '../lib/report.mjs';

// By path: they depend on this package for their tests, so that it cannot depend on them.
const { lmdParameter, precisionPreset, vit, vitPreset } = await import('@lmd/models');
const { valueAndGradients } = await import('@lmd/autograd');

const { values: given } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    quick: { type: 'boolean', default: false },
    minutes: { type: 'string' },
    threads: { type: 'string' },
    out: { type: 'string', default: 'soak.jsonl' },
  },
});
const minutes = Number(given.minutes ?? (given.quick ? 1 / 60 : 60));
if (!(minutes > 0)) throw new Error(`--minutes is ${given.minutes}. Use a number above 0.`);

/** Allowed fluctuation of the process memory: the engine's heap and compiled code. */
const allowedGrowth = 16 * 2 ** 20;
/** Fraction of the run that counts as warm-up: code is compiled, and heaps reach their size. */
const warmUp = 0.15;

const backend = await createCpuBackend(given.threads === undefined ? {} : { threads: Number(given.threads) });
const ops = createOperations(backend);
const model = vit(vitPreset('tiny'));
const precision = precisionPreset('mxfp6_e3m2');
const optimizer = parameterGroups([
  { match: lmdParameter, optimizer: lmd({ learningRate: 0.005 }) },
  { match: '*', optimizer: adamw({ learningRate: 1e-3 }) },
]);
const batch = 32;
const labels = ops.fromData(Int32Array.from({ length: batch }, (_, i) => i % 10));
let state = await optimizer.init(ops, model.initialize(ops, 1));

/**
 * One step on new images: the pattern of their class plus noise.
 */
async function trainingStep() {
  const loss = ops.scope(() => {
    const key = { seed: 1, step: state.step, sample: 0 };
    const patterns = ops.randomNormal([10, 28, 28, 1], { seed: 2, stream: 0, step: 0, sample: 0 });
    const noise = ops.randomNormal([batch, 28, 28, 1], { seed: 2, stream: 1, step: state.step, sample: 0 });
    const images = ops.add(ops.gather(patterns, labels), noise);
    const drawn = optimizer.draw(ops, state, key);
    const { value, gradients } = valueAndGradients(ops, drawn, (recording, recorded) => {
      const logits = model.forward(recording, recorded, images, { training: true, precision, key });
      return recording.mean(recording.crossEntropy(logits, labels));
    });
    const next = optimizer.update(ops, state, [{ key, gradients }]);
    for (const tensor of Object.values(next.tensors)) ops.keep(tensor);
    ops.dispose(state.tensors);
    state = next;
    return ops.keep(value);
  });
  const [value] = await ops.read(loss);
  ops.dispose(loss);
  return value;
}

/** The slope of the least-squares line, per minute. */
function slope(points) {
  const n = points.length;
  const [meanX, meanY] = [0, 1].map((i) => points.reduce((sum, point) => sum + point[i], 0) / n);
  const above = points.reduce((sum, [x, y]) => sum + (x - meanX) * (y - meanY), 0);
  const below = points.reduce((sum, [x]) => sum + (x - meanX) ** 2, 0);
  return below === 0 ? 0 : above / below;
}

const begun = performance.now();
const elapsed = () => (performance.now() - begun) / 60_000;
const rows = [];
const write = given.quick ? () => {} : (line) => appendFileSync(given.out, `${JSON.stringify(line)}\n`);
if (!given.quick) writeFileSync(given.out, '');
console.error(
  `${backend.device}; Node ${process.versions.node}; ${minutes.toFixed(2)} minutes${given.quick ? '' : ` into ${given.out}`}`,
);
let loss = Number.NaN;
for (let next = Math.min(1, minutes / 20); ; ) {
  loss = await trainingStep();
  if (!Number.isFinite(loss)) throw new Error(`The loss is ${loss} at step ${state.step}.`);
  if (elapsed() < next) continue;
  next += Math.min(1, minutes / 20);
  globalThis.gc?.();
  const { rss, heapUsed, external } = process.memoryUsage();
  const { heldBytes, usedBytes, reservedBytes } = backend.arena();
  const row = {
    minute: elapsed(),
    step: state.step,
    loss,
    rss,
    heapUsed,
    external,
    heldBytes,
    usedBytes,
    reservedBytes,
  };
  rows.push(row);
  write(row);
  if (elapsed() >= minutes) break;
}

const settled = rows.filter(({ minute }) => minute >= warmUp * minutes);
const growth = slope(settled.map(({ minute, rss }) => [minute, rss])) * minutes;
const arenaGrowth = settled.at(-1).usedBytes - settled[0].usedBytes;
const heldGrowth = settled.at(-1).heldBytes - settled[0].heldBytes;
const flat = growth <= allowedGrowth && arenaGrowth === 0 && heldGrowth === 0;
const verdict = {
  verdict: flat ? 'flat' : 'grows',
  minutes: elapsed(),
  steps: state.step,
  loss,
  growthOfRss: growth,
  growthOfArena: arenaGrowth,
  growthOfTensors: heldGrowth,
  largestRss: Math.max(...rows.map(({ rss }) => rss)),
  device: backend.device,
  node: process.versions.node,
};
write(verdict);
const mebibytes = (name, bytes) => report(name, bytes / 2 ** 20, 'MiB');
mebibytes('growth of the process (least-squares line)', growth);
mebibytes('growth of the arena', arenaGrowth);
mebibytes('growth of live tensors', heldGrowth);
mebibytes('maximum size of the process', verdict.largestRss);
print(given.json);
const judgement = given.quick ? 'Too short for a verdict' : `Memory ${flat ? 'stays constant' : 'GROWS'}`;
console.error(`${judgement}: ${minutes.toFixed(2)} minutes, ${state.step} steps, last loss ${loss.toFixed(3)}.`);
backend.close();
process.exitCode = flat || given.quick ? 0 : 1;
