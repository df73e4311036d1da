import { describe, expect, it } from 'vitest';
import { splitByClass } from './index.js';

const labelled = (...sizes: number[]) => sizes.flatMap((size, label) => new Array<number>(size).fill(label));
const names = ['cat', 'dog', 'fox'];
const counts = (labels: readonly number[], indices: Int32Array) =>
  names.map((_, label) => indices.reduce((sum, index) => sum + (labels[index] === label ? 1 : 0), 0));

describe('splitByClass', () => {
  it('holds out in proportion, exactly as many as asked, every example once', () => {
    const labels = labelled(200, 100, 50);
    const split = splitByClass(labels, names, { validation: 35, test: 70, seed: 3 });
    expect(counts(labels, split.test)).toEqual([40, 20, 10]);
    expect(counts(labels, split.validation)).toEqual([20, 10, 5]);
    const all = [...split.train, ...split.validation, ...split.test].sort((a, b) => a - b);
    expect(all).toEqual(labels.map((_, index) => index));
    expect([...split.train]).toEqual([...split.train].sort((a, b) => a - b));
  });

  it('has every class in every part, also one of three images', () => {
    const labels = labelled(500, 3, 40);
    const split = splitByClass(labels, names, { validation: 50, test: 50, seed: 0 });
    for (const part of [split.train, split.validation, split.test]) {
      expect(Math.min(...counts(labels, part))).toBeGreaterThan(0);
    }
    expect([split.validation.length, split.test.length]).toEqual([50, 50]);
  });

  it('holds out all but one of each class at most', () => {
    const labels = labelled(4, 3, 3);
    const split = splitByClass(labels, names, { validation: 4, test: 3, seed: 0 });
    expect(counts(labels, split.train)).toEqual([1, 1, 1]);
  });

  it('depends on the seed alone, and takes images from all over a class', () => {
    const labels = labelled(60, 60, 60);
    const split = (seed: number) => splitByClass(labels, names, { validation: 18, test: 0, seed });
    expect(split(1)).toEqual(split(1));
    expect(split(1).validation).not.toEqual(split(2).validation);
    expect(split(1).test.length).toBe(0);
    const ofFirst = [...split(1).validation].filter((index) => index < 60);
    expect(Math.max(...ofFirst) - Math.min(...ofFirst)).toBeGreaterThan(15);
  });

  it.each([
    ['a class that is too small', labelled(9, 2, 9), { validation: 3, test: 3 }, /The class dog has 2 images.*3 parts/],
    ['fewer examples than classes', labelled(9, 9, 9), { validation: 2, test: 3 }, /validation is 2.*3 classes/],
    ['too many', labelled(9, 9, 9), { validation: 20, test: 5 }, /of 27 examples in 3 classes at most 24/],
  ])('refuses %s', (_, labels, options, message) => {
    expect(() => splitByClass(labels, names, { ...options, seed: 0 })).toThrow(message);
  });
});
