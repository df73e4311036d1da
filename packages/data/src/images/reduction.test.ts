import { describe, expect, it } from 'vitest';
import type { ReductionTarget } from './image.js';
import { reducedSize, reductionOf } from './reduction.js';

const photograph = { width: 4000, height: 3000 };
const square = (side: number, rest: Partial<ReductionTarget> = {}): ReductionTarget => ({
  ...{ height: side, width: side, fit: 'crop', cropFraction: 1 },
  ...rest,
});

describe('the reduction of a JPEG', () => {
  it.each([
    [photograph, square(224), 4],
    [photograph, square(187), 8],
    [photograph, square(188), 4],
    [photograph, square(750), 2],
    [photograph, square(751), 1],
    // The kept square has 0.5 of 3000 pixels.
    [photograph, square(224, { cropFraction: 0.5 }), 2],
    [photograph, square(93, { cropFraction: 0.5 }), 8],
    // `stretch` keeps the whole image, so that its shorter side decides; it has no fraction.
    [photograph, square(224, { fit: 'stretch', cropFraction: 0.5 }), 4],
    [photograph, { ...square(100), width: 250, fit: 'stretch' }, 8],
    [photograph, { ...square(100), width: 251, fit: 'stretch' }, 4],
    // A wide input keeps the width: 4000 × 1600 pixels.
    [photograph, { ...square(100), width: 250 }, 8],
    [photograph, { ...square(100), width: 251 }, 4],
    [{ width: 3000, height: 4000 }, { ...square(100), width: 250 }, 4],
    // Incomplete rows do not count.
    [{ width: 900, height: 447 }, square(112), 1],
    [{ width: 900, height: 448 }, square(112), 2],
    [{ width: 224, height: 224 }, square(224), 1],
    [{ width: 5, height: 1 }, square(224), 1],
    [{ width: 0, height: 0 }, square(1), 1],
  ] as const)('of %o for %o is %i', (size, target, reduction) => {
    expect(reductionOf(size, target)).toBe(reduction);
  });

  it('leaves out incomplete rows and columns', () => {
    expect(reducedSize({ width: 17, height: 13 }, 4)).toEqual({ width: 4, height: 3 });
    expect(reducedSize({ width: 17, height: 13 }, 1)).toEqual({ width: 17, height: 13 });
  });
});
