import type { FakeQuantizeOptions } from '@lmd/core';
import { fakeQuantize as scalarFakeQuantize } from '@lmd/mx-formats';
import type { Values } from '../values.js';

/**
 * `@lmd/mx-formats`, whose codes are checked against published vectors, is what every backend must give, bit for bit.
 */
export function fakeQuantize(x: Values, options: FakeQuantizeOptions): Values {
  const rounded = scalarFakeQuantize(new Float32Array(x.data), { ...options, shape: x.shape });
  return { shape: x.shape, dtype: 'f32', data: new Float64Array(rounded) };
}
