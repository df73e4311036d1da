import { LmdError } from '@lmd/core';
import * as tf from '@tensorflow/tfjs-core';

/** `node` is `@tensorflow/tfjs-node`, or `@tensorflow/tfjs-node-gpu` if it is installed. */
export const engineNames = ['wasm', 'node', 'cpu'] as const;
export type EngineName = (typeof engineNames)[number];

/** Starts a TensorFlow.js engine. Throws `ENGINE_MISSING` if it is not installed or does not start. */
export async function startEngine(name: EngineName): Promise<string> {
  // Without the notice that it prints in Node.
  tf.env().set('PROD', true);
  const backend = { wasm: 'wasm', cpu: 'cpu', node: 'tensorflow' }[name];
  try {
    if (name === 'wasm') await import('@tensorflow/tfjs-backend-wasm');
    if (name === 'cpu') await import('@tensorflow/tfjs-backend-cpu');
    if (name === 'node') await importNode();
    if (!(await tf.setBackend(backend))) throw new Error('it did not start');
    await tf.ready();
  } catch (cause) {
    throw new LmdError('ENGINE_MISSING', `TensorFlow.js could not start its ${name} engine: ${cause}`, {
      subject: name,
      value: name,
      remedy: name === 'node' ? 'Run npm install @tensorflow/tfjs-node, or use --engine wasm.' : 'Use --engine cpu.',
      cause,
    });
  }
  return `TensorFlow.js ${tf.version_core} ${tf.getBackend()}`;
}

async function importNode(): Promise<void> {
  // Not a dependency: its installation downloads the TensorFlow library.
  const names = ['@tensorflow/tfjs-node-gpu', '@tensorflow/tfjs-node'];
  for (const [index, name] of names.entries()) {
    try {
      await import(/* @vite-ignore */ /* webpackIgnore: true */ name);
      return;
    } catch (error) {
      if (index === names.length - 1) throw error;
    }
  }
}
