// @ts-check
import assert from 'node:assert';
import { describe, it } from 'node:test';
import { backendConformance } from '@lmd/conformance';
import { create } from './index.js';

/** @param {unknown} actual */
const expect = (actual) => ({ toBe: (/** @type {unknown} */ expected) => assert.strictEqual(actual, expected) });

backendConformance(
  { describe, it: (title, body, timeout) => it(title, { timeout }, body), expect },
  { name: 'my-backend', create: () => create() },
);
