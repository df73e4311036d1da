import { closeSync, mkdtempSync, openSync, readFileSync, readSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createOperations } from '@lmd/core';
import { modelOf } from './tasks.mjs';

/**
 * Writes initial weights, inputs and labels to a folder that both programs read, so that they start with the same bits:
 * `task.json` describes them, `data.bin` contains them.
 */
export async function writeTask(backend, task, settings) {
  const folder = mkdtempSync(join(tmpdir(), 'lmd-bench-'));
  const ops = createOperations(backend);
  const model = modelOf(task);
  const { batch, length, config } = task;
  const key = { seed: 1, stream: 0, step: 0, sample: 0 };
  const tokens = (seed, shape, classes) =>
    ops.scope(() => ops.cast(ops.multiply(ops.randomUniform(shape, { ...key, seed }), classes), 'i32'));
  const isGpt2 = task.model === 'gpt2';
  const tensors = {
    ...model.initialize(ops, 1),
    inputs: isGpt2
      ? tokens(2, [batch, length], config.vocabularySize)
      : ops.randomNormal([batch, config.imageSize, config.imageSize, config.channels], key),
    labels: isGpt2 ? tokens(3, [batch, length], config.vocabularySize) : tokens(3, [batch], config.classes),
  };
  const arrays = {};
  let offset = 0;
  const file = openSync(join(folder, 'data.bin'), 'w');
  for (const [name, tensor] of Object.entries(tensors)) {
    const data = await ops.read(tensor);
    arrays[name] = { shape: tensor.shape, dtype: tensor.dtype, offset };
    writeSync(file, new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
    offset += data.byteLength;
  }
  closeSync(file);
  ops.dispose(tensors);
  const description = { ...task, ...settings, config: model.config ?? config, arrays };
  writeFileSync(join(folder, 'task.json'), JSON.stringify(description));
  return { folder, remove: () => rmSync(folder, { recursive: true, force: true }) };
}

/** Reads the output of `writeTask`: the description, and a function that returns one array. */
export function readTask(folder) {
  const task = JSON.parse(readFileSync(join(folder, 'task.json'), 'utf8'));
  return {
    task,
    read(name) {
      const { shape, dtype, offset } = task.arrays[name];
      const count = shape.reduce((product, size) => product * size, 1);
      const data = dtype === 'f32' ? new Float32Array(count) : new Int32Array(count);
      const file = openSync(join(folder, 'data.bin'), 'r');
      readSync(file, new Uint8Array(data.buffer), 0, data.byteLength, offset);
      closeSync(file);
      return { data, shape, dtype };
    },
  };
}
