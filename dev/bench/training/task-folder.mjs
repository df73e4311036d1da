import { closeSync, mkdtempSync, openSync, readFileSync, readSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createOperations } from '@lmd/core';
import { batchOf, modelOf } from './tasks.mjs';

/** Arrays of a task that are no weights; `times` are those of the score network. */
export const batchNames = ['inputs', 'labels', 'times'];

/**
 * Writes initial weights, inputs and labels to a folder that both programs read, so that they start with the same bits:
 * `task.json` describes them, `data.bin` contains them.
 */
export async function writeTask(backend, task, settings) {
  const folder = mkdtempSync(join(tmpdir(), 'lmd-bench-'));
  const ops = createOperations(backend);
  const model = modelOf(task);
  const tensors = { ...model.initialize(ops, 1), ...batchOf(ops, task) };
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
  const description = { ...task, ...settings, config: 'config' in model ? model.config : task.config, arrays };
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

/** Writes the gradients of the first step, one after another in the order of the names, to compare two programs. */
export async function writeGradients(ops, folder, program, gradients) {
  const file = openSync(gradientsPath(folder, program), 'w');
  for (const name of Object.keys(gradients).sort())
    writeSync(file, new Uint8Array((await ops.read(gradients[name])).buffer));
  closeSync(file);
}

const gradientsPath = (folder, program) => join(folder, `gradients-${program}.bin`);

/** The largest ‖a − b‖ / ‖b‖ of a gradient in two programs, with its name. */
export function differenceOfGradients(folder, a, b) {
  const [ours, theirs] = [a, b].map((program) => new Float32Array(readFileSync(gradientsPath(folder, program)).buffer));
  const { arrays } = JSON.parse(readFileSync(join(folder, 'task.json'), 'utf8'));
  let from = 0;
  const differences = Object.keys(arrays)
    .filter((name) => !batchNames.includes(name))
    .sort()
    .map((name) => {
      const size = arrays[name].shape.reduce((product, extent) => product * extent, 1);
      let [difference, whole] = [0, 0];
      for (let i = from; i < from + size; i += 1) {
        difference += (ours[i] - theirs[i]) ** 2;
        whole += theirs[i] ** 2;
      }
      from += size;
      return { name, relative: Math.sqrt(difference / whole) };
    });
  if (from !== ours.length || from !== theirs.length) throw new Error('The two programs have other gradients.');
  return differences.reduce((largest, one) => (one.relative > largest.relative ? one : largest));
}
