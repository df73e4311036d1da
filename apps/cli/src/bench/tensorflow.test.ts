import { expect, it } from 'vitest';
import { openTensorflow } from './tensorflow.js';

// Neither Dawn nor the engine is a development dependency of this package, so that neither is found from here.
it('says what to install where WebGPU is missing: Dawn, and the engine', async () => {
  await expect(openTensorflow('webgpu')).rejects.toMatchObject({
    code: 'ENGINE_MISSING',
    subject: 'webgpu',
    remedy: 'Install it: npm install webgpu @tensorflow/tfjs-core @tensorflow/tfjs-backend-webgpu',
  });
});
