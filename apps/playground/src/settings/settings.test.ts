import fc from 'fast-check';
import { expect, it } from 'vitest';
import {
  checkedSettings,
  dataKinds,
  defaultSettings,
  defaultsFor,
  formatNames,
  fragmentOf,
  optimizerNames,
  type Settings,
  settingsFrom,
} from './settings.js';

const run = fc.record({
  optimizer: fc.constantFrom(...(Object.keys(optimizerNames) as (keyof typeof optimizerNames)[])),
  format: fc.constantFrom(...(Object.keys(formatNames) as (keyof typeof formatNames)[])),
  rate: fc.double({ min: 0.0001, max: 0.3, noNaN: true }),
  noise: fc.double({ min: 0, max: 1, noNaN: true }),
});
const settings: fc.Arbitrary<Settings> = fc.record({
  data: fc.constantFrom(...dataKinds),
  seed: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
  batch: fc.integer({ min: 1, max: 256 }),
  steps: fc.integer({ min: 0, max: 1e9 }),
  device: fc.constantFrom('auto' as const, 'webgpu' as const, 'wasm' as const),
  runs: fc.tuple(run, run),
});

it('returns from an address and from a file what went into it', () => {
  fc.assert(
    fc.property(settings, (given) => {
      expect(settingsFrom(`#${fragmentOf(given)}`)).toEqual({ settings: given, problems: [] });
      expect(checkedSettings(JSON.parse(JSON.stringify(given)))).toEqual(given);
    }),
  );
});

it('writes only what differs, with the defaults of the data', () => {
  expect(fragmentOf(defaultSettings)).toBe('');
  expect(fragmentOf(defaultsFor('text'))).toBe('data=text');
  expect(settingsFrom('#data=text').settings.runs[0].rate).toBe(0.04);
});

it('keeps the default for what an address gets wrong, and says so', () => {
  const { settings, problems } = settingsFrom('#batch=0&a.format=fp3&speed=1&b.rate=fast&b.noise=0.5');
  expect(settings).toEqual({
    ...defaultSettings,
    runs: [defaultSettings.runs[0], { ...defaultSettings.runs[1], noise: 0.5 }],
  });
  expect(problems).toHaveLength(4);
  expect(problems.join('\n')).toMatch(/batch.*0[\s\S]*a\.format[\s\S]*"speed", which is no setting[\s\S]*b\.rate/);
});

it('names the setting of a file that is not allowed', () => {
  expect(() => checkedSettings({ runs: [{}, { noise: 7 }] })).toThrow(/Run B of the file.*noise is 7/);
  expect(() => checkedSettings({ batch: '8' })).toThrow(/The file.*batch/);
  expect(checkedSettings(undefined).batch).toBe(32);
});
