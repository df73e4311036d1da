import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-wasm';

/** 2^⌊log2 |x|⌋, with a floating-point logarithm, the only one available to a composition. */
const binade = (x) => tf.pow(2, tf.floor(tf.div(tf.log(x), Math.LN2)));

/** Time of a composition of TensorFlow.js operations equivalent to fakeQuantize, in milliseconds, on one thread. */
export async function tfjsComposition(values, { element, blockSize }, rounds) {
  const { setThreadsCount } = await import('@tensorflow/tfjs-backend-wasm');
  setThreadsCount(1);
  await tf.setBackend('wasm');
  const bits = element.kind === 'int' ? element.mantissaBits + element.emax : element.mantissaBits;
  const x = tf.tensor2d(values, [values.length / blockSize, blockSize]);
  const compute = () =>
    tf.tidy(() => {
      const scale = tf.div(binade(tf.maximum(tf.max(tf.abs(x), 1, true), 2 ** -120)), 2 ** element.emax);
      const scaled = tf.div(x, scale);
      const quantum = tf.mul(tf.maximum(binade(tf.maximum(tf.abs(scaled), 2 ** -60)), 2 ** element.emin), 2 ** -bits);
      const rounded = tf.mul(tf.round(tf.div(scaled, quantum)), quantum);
      return tf.mul(tf.clipByValue(rounded, -element.largest, element.largest), scale);
    });
  let best = Number.POSITIVE_INFINITY;
  for (let round = 0; round <= rounds; round++) {
    const start = performance.now();
    const y = compute();
    // The wasm backend is synchronous; reading one value ensures that the computation is complete.
    const first = tf.slice(y, [0, 0], [1, 1]);
    await first.data();
    first.dispose();
    if (round > 0) best = Math.min(best, performance.now() - start);
    y.dispose();
  }
  x.dispose();
  return best;
}
