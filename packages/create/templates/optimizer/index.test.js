// @ts-check
import assert from 'node:assert';
import { describe, it } from 'node:test';
import { createReferenceBackend } from '@lmd/backends/reference';
import { optimizerConformance } from '@lmd/conformance';
import { createOperations } from '@lmd/core';
import { create } from './index.js';

/** @param {unknown} actual */
const expect = (actual) => ({ toBe: (/** @type {unknown} */ expected) => assert.strictEqual(actual, expected) });

optimizerConformance(
  { describe, it: (title, body, timeout) => it(title, { timeout }, body), expect },
  {
    name: 'my-optimizer',
    create: (options) => create(options),
    createOperations: () => createOperations(createReferenceBackend()),
    learningRate: 0.1,
    refused: { momentum: [-1, 1, Number.NaN, 'much'] },
  },
);
