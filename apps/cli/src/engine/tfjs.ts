import { createTfjsBackend } from '@lmd/backends/tfjs';
import { type Backend, LmdError } from '@lmd/core';
import type * as Tfjs from '@tensorflow/tfjs-core';

/** TensorFlow.js, without the greeting that it prints where it finds itself in Node. */
export async function loadTfjs(): Promise<typeof Tfjs> {
  const tf = await import('@tensorflow/tfjs-core');
  tf.env().set('PROD', true);
  return tf;
}

const engines = {
  wasm: () => import('@tensorflow/tfjs-backend-wasm'),
  cpu: () => import('@tensorflow/tfjs-backend-cpu'),
};

/** Makes an engine of TensorFlow.js current and adapts it. Throws `ENGINE_MISSING` where it cannot start here. */
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
      remedy: 'Run lmd doctor to see what works here, and choose it with --set backend=<name>.',
      cause,
    });
  }
  return createTfjsBackend(tf);
}
