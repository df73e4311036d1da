import { createTfjsBackend } from '@lmd/backends/tfjs';
import { type Backend, LmdError } from '@lmd/core';
import type * as Tfjs from '@tensorflow/tfjs-core';

/** Loads TensorFlow.js without the notice that it prints under Node. */
export async function loadTfjs(): Promise<typeof Tfjs> {
  const tf = await import('@tensorflow/tfjs-core');
  tf.env().set('PROD', true);
  return tf;
}

/** Remedy where a limit of virtual memory stops WebAssembly. */
export const addressSpaceRemedy =
  'WebAssembly reserves address space: raise its limit (ulimit -v unlimited), or set ' +
  'NODE_OPTIONS=--disable-wasm-trap-handler.';

const engines = {
  wasm: () => import('@tensorflow/tfjs-backend-wasm'),
  cpu: () => import('@tensorflow/tfjs-backend-cpu'),
};

/** Activates a TensorFlow.js engine and wraps it as a backend. Throws `ENGINE_MISSING` if it cannot start here. */
export async function openTfjsBackend(engine: keyof typeof engines): Promise<Backend> {
  const tf = await loadTfjs();
  await engines[engine]();
  let started = false;
  let cause: unknown;
  try {
    started = await tf.setBackend(engine);
    await tf.ready();
  } catch (error) {
    cause = error;
  }
  if (!started) {
    throw new LmdError('ENGINE_MISSING', `TensorFlow.js could not start its ${engine} engine.`, {
      subject: `tfjs-${engine}`,
      remedy:
        engine === 'wasm'
          ? `${addressSpaceRemedy} Or use another backend: --set backend=tfjs-cpu.`
          : 'Use another backend: --set backend=cpu.',
      cause,
    });
  }
  return createTfjsBackend(tf);
}
