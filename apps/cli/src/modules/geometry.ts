import { showValue } from '@lmd/core';
import type { Geometry } from '../data/source.js';
import { type ModuleUse, refused } from './load.js';

const example =
  "Return { kind: 'images', imageSize, channels, classes }, { kind: 'tokens', vocabularySize, length } or " +
  "{ kind: 'examples', inputShape, classes }.";

/** Checks the result of `geometry(options)` of a data module. */
export function checkGeometry(use: ModuleUse, value: unknown): Geometry {
  const given = (typeof value === 'object' && value !== null ? value : {}) as Readonly<Record<string, unknown>>;
  const isCount = (key: string) => Number.isSafeInteger(given[key]) && (given[key] as number) >= 1;
  const { inputShape } = given;
  const isShape =
    Array.isArray(inputShape) &&
    inputShape.every((extent: unknown) => Number.isSafeInteger(extent) && Number(extent) >= 1);
  const fits =
    (given.kind === 'images' && ['imageSize', 'channels', 'classes'].every(isCount)) ||
    (given.kind === 'tokens' && ['vocabularySize', 'length'].every(isCount)) ||
    (given.kind === 'examples' && isShape && isCount('classes'));
  if (fits) return given as unknown as Geometry;
  throw refused(use, `has a function geometry that returned ${showValue(value)}`, example);
}

/** The error of a data module without `geometry`. */
export function missingGeometry(use: ModuleUse): Error {
  return refused(use, 'exports no function "geometry", which the model needs', `Export geometry(options). ${example}`);
}
