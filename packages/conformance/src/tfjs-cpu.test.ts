import { createTfjsBackend } from '@lmd/backends/tfjs';
import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import { describe, expect, it } from 'vitest';
import { backendConformance } from './index.js';

backendConformance(
  { describe, it, expect },
  {
    name: 'tfjs-cpu',
    async create() {
      await tf.setBackend('cpu');
      return createTfjsBackend(tf);
    },
  },
);
