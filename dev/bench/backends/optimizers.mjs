import { compositions, createOperations } from '@lmd/core';
import { race, report } from '../lib/report.mjs';
import { pytorch } from './pytorch.mjs';
import { lmdOptions as options } from './settings.mjs';
import { raceStates } from './states.mjs';

const key = { seed: 1, stream: 2, step: 3, sample: 0 };

/**
 * Tensors of one weight, and functions that sample and update it, with kernels or with core's compositions.
 */
function lmdTask(backend, size, fused) {
  const ops = createOperations(fused ? backend : { ...backend, fused: {} });
  const filled = (value) => ops.keep(ops.scope(() => ops.add(ops.multiply(ops.randomNormal([size], key), 0.1), value)));
  const [logPlus, logMinus] = [filled(-3), filled(-3)];
  const [momentumPlus, momentumMinus, gradient] = [filled(0), filled(0), filled(0)];
  const state = { logPlus, logMinus, momentumPlus, momentumMinus };
  const prior = ops.keep(ops.full([], -3));
  const draw = fused
    ? () => backend.fused.lmdDraw(logPlus, logMinus, options.noise, key)
    : () => compositions.lmdDraw(ops, logPlus, logMinus, options.noise, key);
  const update = fused
    ? () => backend.fused.lmdUpdate(state, [gradient], [key], prior, options)
    : () => compositions.lmdUpdate(ops, state, [gradient], [key], prior, options);
  const freed = fused ? backend.dispose : ops.dispose;
  return {
    run() {
      freed(draw());
      for (const tensor of Object.values(update())) freed(tensor);
    },
    free: () => ops.dispose([...Object.values(state), gradient, prior]),
  };
}

/**
 * A draw and an update of LMD for 10 M weights; with TensorFlow.js's composition for 1 M, since its memory is limited
 * to 4 GiB.
 */
export async function benchOptimizers({ cpu, tfjs }, rounds, quick) {
  const million = quick ? 1e3 : 1e6;
  const unit = quick ? 'thousand' : 'M';
  const [small, large] = [lmdTask(cpu, million, true), lmdTask(cpu, 10 * million, true)];
  const composed = lmdTask(tfjs, million, false);
  const least = await race({ small: small.run, composed: composed.run }, rounds);
  const name = 'LMD draw + update';
  report(`${name}, 1 ${unit}`, least.small, 'ms', 'TensorFlow.js operations on wasm', least.composed / least.small, 8);

  const copied = new Float32Array(10 * million);
  const source = new Float32Array(10 * million).fill(1);
  const { run, copy } = await race({ run: large.run, copy: () => copied.set(source) }, rounds);
  const peer = quick ? undefined : pytorch('lmd', 10 * million, rounds);
  const ratio = peer === undefined ? undefined : peer.milliseconds / run;
  if (ratio !== undefined) report(`${name}, 10 M`, run, 'ms', `PyTorch ${peer.version}, eager, 2 threads`, ratio, 4);
  // Read twice (draw, update): l± and v±, g; written: w, l±, v±. A copy moves 2 values per element.
  report(`${name}, 10 ${unit}, of the copy bandwidth`, (((3 + 9) / 2) * copy * 100) / run, '%');
  for (const task of [small, large, composed]) task.free();

  const states = await raceStates(cpu, 10 * million, rounds);
  for (const { label, bytes, update } of states) {
    const peer = states[0];
    report(
      `${label}, update, 10 ${unit}, ${bytes.toFixed(1)} bytes a weight`,
      update,
      'ms',
      peer.label,
      peer.update / update,
    );
  }
}
