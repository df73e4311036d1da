import { createReferenceBackend } from '@lmd/backends/reference';
import { isLmdError } from '@lmd/core';
import { describe, expect, it } from 'vitest';
import { backendConformance, type ConformanceOptions, type Measurement, runConformance, testNames } from './index.js';

/** A framework that only writes down what it is told. */
function collect(options: ConformanceOptions) {
  const suites: string[] = [];
  const tests: { name: string; body: () => Promise<void> }[] = [];
  backendConformance(
    {
      describe(name, body) {
        suites.push(name);
        body();
      },
      it: (name, body) => tests.push({ name, body }),
      expect,
    },
    options,
  );
  return { suites, tests };
}

const reference = { name: 'reference', create: () => createReferenceBackend() };
const failing = 'elementwise > exp';
const withWrongExp = {
  name: 'wrong',
  create: () => ({ ...createReferenceBackend(), exp: createReferenceBackend().negate }),
};
const only = (name: string) => (test: string) => test === name;

describe('backendConformance', () => {
  it('says the seed in the name of the suite, and defines every test', () => {
    const { suites, tests } = collect({ ...reference, seed: 42 });
    expect(suites[0]).toBe('conformance of reference (seed 42)');
    expect(tests.length).toBe(testNames.length + 1);
    expect(new Set(testNames).size).toBe(testNames.length);
  });

  it('does not create the backend before the first test', () => {
    let created = 0;
    collect({
      name: 'x',
      create() {
        created += 1;
        return createReferenceBackend();
      },
    });
    expect(created).toBe(0);
  });

  it('runs one test at a time, also when all are started together', async () => {
    const { tests } = collect(reference);
    const handles = tests.slice(0, 10);
    await expect(Promise.all(handles.map(({ body }) => body()))).resolves.toBeDefined();
  });

  it.each([
    [{ ...reference, colour: 'red' }, 'UNKNOWN_OPTION', /no option 'colour'/],
    [{ ...reference, name: '' }, 'INVALID_ARGUMENT', /name/],
    [{ name: 'x', create: 3 }, 'INVALID_ARGUMENT', /create is 3/],
    [{ ...reference, seed: -1 }, 'INVALID_ARGUMENT', /seed is -1/],
    [{ ...reference, expectedFailures: ['no such test'] }, 'INVALID_ARGUMENT', /no such test.*There is no such test/],
  ])('refuses %o', (options, code, message) => {
    let caught: unknown;
    try {
      collect(options as unknown as ConformanceOptions);
    } catch (error) {
      caught = error;
    }
    expect(isLmdError(caught, code as 'INVALID_ARGUMENT')).toBe(true);
    expect(String(caught)).toMatch(message);
  });
});

describe('expected failures', () => {
  it('run inverted: a failure passes, with its reason in the title', async () => {
    const options = { ...withWrongExp, expectedFailures: { [failing]: 'exp is negate here' } };
    const { tests } = collect(options);
    expect(tests.map(({ name }) => name)).toContain('exp (expected to fail: exp is negate here)');
    const { passed, failed } = await runConformance({ ...options, filter: only(failing) });
    expect(failed).toEqual([]);
    expect(passed).toContain(failing);
  });

  it('that pass fail, and say what to do', async () => {
    const { failed } = await runConformance({ ...reference, expectedFailures: [failing], filter: only(failing) });
    expect(failed.map(({ name }) => name)).toEqual([failing]);
    expect(String(failed[0]!.error)).toMatch(/passes, but is listed .* remove it from expectedFailures/);
  });
});

describe('runConformance', () => {
  it('reports what failed and how to replay it', async () => {
    const seen: string[] = [];
    const { failed, passed, seed, name } = await runConformance({
      ...withWrongExp,
      seed: 7,
      filter: only(failing),
      onResult: (result) => seen.push(`${result.name} ${result.passed}`),
    });
    expect([name, seed]).toEqual(['wrong', 7]);
    expect(passed).toEqual(['end > closes']);
    expect(failed.map((one) => one.name)).toEqual([failing]);
    expect(String(failed[0]!.error)).toMatch(/replay with seed: 7/);
    expect(seen).toEqual([`${failing} false`, 'end > closes true']);
  });

  it('measures each operation, and core’s composition beside a kernel', async () => {
    const measured: Measurement[] = [];
    await runConformance({
      ...reference,
      filter: (name) => /^(neural > roundToBfloat16|elementwise > (exp|add)$|elementwise > exp keeps)/.test(name),
      onMeasurement: (measurement) => measured.push(measurement),
    });
    const of = (operation: string) => measured.filter((one) => one.operation === operation);
    expect(of('exp').every(({ units, share, bound }) => units <= 1 && share < 0.2 && bound === 'exp')).toBe(true);
    expect(of('exp').length).toBeGreaterThan(5);
    expect(of('roundToBfloat16').map(({ composed, units }) => [composed, units])).toEqual([
      [false, 0],
      [true, 0],
    ]);
  });

  it('replays a seed, and draws other shapes from another', async () => {
    const message = async (seed: number) => {
      const { failed } = await runConformance({ ...withWrongExp, seed, filter: only(failing) });
      return String(failed[0]!.error);
    };
    expect(await message(7)).toBe(await message(7));
    expect((await message(8)).replace('seed: 8', 'seed: 7')).not.toBe(await message(7));
  });

  it('fails every test of a backend that cannot be created', async () => {
    const create = () => Promise.reject(new Error('no adapter'));
    const { passed, failed } = await runConformance({ name: 'none', create });
    expect(passed).toEqual([]);
    expect(failed.length).toBe(testNames.length + 1);
    expect(String(failed[0]!.error)).toMatch(/no adapter/);
  });

  it('closes the backend once, at the end', async () => {
    const calls: string[] = [];
    const create = () => ({ ...createReferenceBackend(), close: () => calls.push('close') });
    await runConformance({ name: 'x', create, filter: only(failing), onResult: ({ name }) => calls.push(name) });
    expect(calls).toEqual([failing, 'close', 'end > closes']);
  });
});
