import { valueAndGradients } from '@lmd/autograd';
import { adamw, createOperations, lmd, parameterGroups } from '@lmd/core';
import { lmdParameter, precisionPreset, vit } from '@lmd/models';

/** Digits of 5 × 7 pixels, row by row. */
const glyphs = [
  '01110 10001 10011 10101 11001 10001 01110',
  '00100 01100 00100 00100 00100 00100 01110',
  '01110 10001 00001 00010 00100 01000 11111',
  '11111 00010 00100 00010 00001 10001 01110',
  '00010 00110 01010 10010 11111 00010 00010',
  '11111 10000 11110 00001 00001 10001 01110',
  '00110 01000 10000 11110 10001 10001 01110',
  '11111 00001 00010 00100 01000 01000 01000',
  '01110 10001 10001 01110 10001 10001 01110',
  '01110 10001 10001 01111 00001 00010 01100',
].map((rows) => rows.split(' '));

const size = 12;
const seed = 5;

/** A generator of numbers from 0 to 1 (Mulberry32): made images need no more. */
function uniforms(start) {
  let state = start;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Images of digits, each shifted, of its own brightness and with noise: [count, 12, 12, 1], about zero. */
export function makeDigits(count, start) {
  const uniform = uniforms(start);
  const images = new Float32Array(count * size * size);
  const labels = Int32Array.from({ length: count }, (_, i) => i % 10);
  for (let image = 0; image < count; image++) {
    const [top, left] = [Math.floor(uniform() * 6), Math.floor(uniform() * 8)];
    const brightness = 0.6 + 0.8 * uniform();
    for (let y = 0; y < size; y++) {
      for (let x = 0; x < size; x++) {
        const ink = glyphs[labels[image]][y - top]?.[x - left] === '1' ? brightness : 0;
        images[(image * size + y) * size + x] = ink - 0.3 + 0.4 * (uniform() - 0.5);
      }
    }
  }
  return { images, labels };
}

const adam = () => adamw({ learningRate: 0.003 });
const optimizers = {
  adamw: adam,
  lmd: () =>
    parameterGroups([
      { match: lmdParameter, optimizer: lmd({ learningRate: 0.01 }) },
      { match: '*', optimizer: adam() },
    ]),
};

/**
 * A small Vision Transformer on made digits: its losses, its accuracy on digits it has not seen, and milliseconds a
 * step.
 */
export async function trainDigits(backend, { optimizer: name, precision: precisionName, steps, batch }) {
  const ops = createOperations(backend);
  const model = vit({
    imageSize: size,
    channels: 1,
    classes: 10,
    patchSize: 3,
    width: 64,
    depth: 2,
    heads: 4,
    pooling: 'mean',
  });
  const precision = precisionPreset(precisionName);
  const optimizer = optimizers[name]();
  const initial = model.initialize(ops, seed);
  let state = await optimizer.init(ops, initial);
  const losses = [];
  let from = performance.now();
  // The first steps compile the kernels.
  const warmup = Math.min(5, steps - 1);
  while (state.step < steps) {
    if (state.step === warmup) from = performance.now();
    const { images, labels } = makeDigits(batch, 1000 + state.step);
    const [x, y] = [ops.fromData(images, [batch, size, size, 1]), ops.fromData(labels, [batch])];
    const key = { seed, step: state.step, sample: 0 };
    const weights = optimizer.draw(ops, state, key);
    const { value, gradients } = valueAndGradients(ops, weights, (tape, drawn) =>
      tape.mean(tape.crossEntropy(model.forward(tape, drawn, x, { training: true, precision, key }), y)),
    );
    const next = optimizer.update(ops, state, [{ key, gradients }]);
    losses.push((await ops.read(value))[0]);
    ops.dispose([x, y, value, ...[weights, gradients, state.tensors].flatMap(Object.values)]);
    state = next;
  }
  const milliseconds = (performance.now() - from) / (steps - warmup);

  const count = 200;
  const test = makeDigits(count, 1);
  const key = { seed, step: steps, sample: 0 };
  const predicted = ops.scope(() => {
    const weights = optimizer.weights(ops, state, 'mean');
    const x = ops.fromData(test.images, [count, size, size, 1]);
    return ops.argMax(model.forward(ops, weights, x, { training: false, precision, key }), -1);
  });
  const classes = await ops.read(predicted);
  ops.dispose(predicted);
  const right = test.labels.filter((label, i) => label === classes[i]).length;
  return {
    optimizer: name,
    precision: precisionName,
    steps,
    batch,
    firstLoss: losses[0],
    lastLoss: losses.at(-1),
    accuracy: right / count,
    millisecondsPerStep: milliseconds,
  };
}
