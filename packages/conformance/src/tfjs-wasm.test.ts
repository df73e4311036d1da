import { createTfjsBackend } from '@lmd/backends/tfjs';
import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-wasm';
import { describe, expect, it } from 'vitest';
import { backendConformance } from './index.js';

backendConformance(
  { describe, it, expect },
  {
    name: 'tfjs-wasm',
    async create() {
      await tf.setBackend('wasm');
      return createTfjsBackend(tf);
    },
  },
);
