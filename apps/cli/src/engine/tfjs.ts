import { createTfjsBackend } from '@lmd/backends/tfjs';
import { type Backend, LmdError } from '@lmd/core';
import type * as Tfjs from '@tensorflow/tfjs-core';
import { openTfjsEngine, type TfjsEngine } from './tfjs-packages.js';

/** Remedy where a limit of virtual memory stops WebAssembly. */
export const addressSpaceRemedy =
  'WebAssembly reserves address space: raise its limit (ulimit -v unlimited), or set ' +
  'NODE_OPTIONS=--disable-wasm-trap-handler.';

/**
 * Activates a TensorFlow.js engine and wraps it as a backend. Throws `ENGINE_MISSING` if it is not installed or cannot
 * start here.
 */
export async function openTfjsBackend(engine: TfjsEngine): Promise<Backend> {
  const tf: typeof Tfjs = await openTfjsEngine(engine);
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
