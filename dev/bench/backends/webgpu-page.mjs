/** The page that `node bench/webgpu.mjs --page FILE.html` writes. */
import { createWebgpuBackend } from '@lmd/backends/webgpu';
import '@tensorflow/tfjs-backend-webgpu';
import * as tf from '@tensorflow/tfjs-core';
import { countWebgpu } from './webgpu-counts.mjs';
import { measureWebgpu } from './webgpu-tasks.mjs';

const status = document.getElementById('status');
try {
  const open = (options) => createWebgpuBackend({ ...options, powerPreference: 'high-performance' });
  const backend = await open({});
  await tf.setBackend('webgpu');
  await tf.ready();
  // Computes small tensors on the device too; otherwise reading one would not wait for the device.
  tf.env().set('WEBGPU_CPU_FORWARD', false);
  const software = /swiftshader|llvmpipe/i.test(backend.device);
  const rows = await measureWebgpu({ backend, tf, rounds: 5, large: !software });
  rows.push(...(await countWebgpu(open, software ? ['tiny'] : ['tiny', 'Ti/4'])));
  const note = software ? 'Software rendering: the figures and ratios do not apply to a GPU.' : '';
  status.textContent = `${backend.device}. ${navigator.userAgent}. ${note}`;
  const table = /** @type {HTMLTableElement} */ (document.getElementById('rows'));
  for (const { name, value, unit, peer, ratio } of rows) {
    const row = table.insertRow();
    for (const text of [name, value.toFixed(2), unit, peer === null ? '' : `${ratio.toFixed(2)} × ${peer}`]) {
      row.insertCell().textContent = text;
    }
  }
} catch (error) {
  status.textContent = String(error);
}
