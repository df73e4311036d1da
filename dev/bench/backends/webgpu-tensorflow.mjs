/** TensorFlow.js's engine on a device of its own. It runs in browsers only, or where it finds what a worker has. */
export async function tensorflow(gpu) {
  // Absent before Node 21.
  globalThis.navigator ??= /** @type {Navigator} */ ({});
  Object.defineProperty(globalThis.navigator, 'gpu', { value: gpu });
  globalThis.WorkerGlobalScope ??= class {};
  const tf = await import('@tensorflow/tfjs-core');
  const { WebGPUBackend } = await import('@tensorflow/tfjs-backend-webgpu');
  const adapter = await gpu.requestAdapter();
  const { maxStorageBufferBindingSize, maxBufferSize } = adapter.limits;
  const device = await adapter.requestDevice({ requiredLimits: { maxStorageBufferBindingSize, maxBufferSize } });
  tf.removeBackend('webgpu');
  tf.registerBackend('webgpu', () => new WebGPUBackend(device, adapter.info));
  await tf.setBackend('webgpu');
  await tf.ready();
  // Computes small tensors on the device too; otherwise reading one would not wait for the device.
  tf.env().set('WEBGPU_CPU_FORWARD', false);
  return tf;
}
