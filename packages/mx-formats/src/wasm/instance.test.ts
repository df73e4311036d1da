import { afterEach, describe, expect, it, vi } from 'vitest';
import { normals } from '../../test/values.js';

afterEach(() => {
  vi.unstubAllGlobals();
  vi.resetModules();
});

describe('without WebAssembly', () => {
  it.each([
    ['an engine that has none', undefined],
    [
      'a page that forbids compiling',
      {
        Module: class {
          constructor() {
            throw new Error('unsafe-eval');
          }
        },
      },
    ],
  ])('falls back to the plain kernels in %s, and says so', async (_, replacement) => {
    const values = normals(4096, 9);
    const expected = (await import('../index.js')).fakeQuantize(values, { format: 'mxfp6_e3m2' });
    vi.resetModules();
    vi.stubGlobal('WebAssembly', replacement);
    const library = await import('../index.js');
    expect(library.kernelsInUse()).toBe('plain');
    expect(library.fakeQuantize(values, { format: 'mxfp6_e3m2' })).toEqual(expected);
    expect(() => library.useKernels('wasm')).toThrow(expect.objectContaining({ code: 'UNSUPPORTED' }));
  });
});
