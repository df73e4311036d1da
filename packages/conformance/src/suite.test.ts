import { createReferenceBackend } from '@lmd/backends/reference';
import { type FloatTensor, isLmdError, type Tensor } from '@lmd/core';
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
    expect(tests.length).toBe(testNames.length + 2);
    expect(new Set(testNames).size).toBe(testNames.length);
  });

  it('skips what cannot run, where the framework hands tests a context that can skip', async () => {
    const { tests } = collect({ name: 'none', create: () => Promise.reject(new Error('no adapter')) });
    const skipped: string[] = [];
    const context = { skip: (reason: string) => skipped.push(reason) };
    const run = (test: (typeof tests)[number], ...given: unknown[]) =>
      (test.body as (...given: unknown[]) => Promise<void>)(...given);
    expect(tests[0]!.body.length).toBe(0);
    await expect(run(tests[0]!, context)).rejects.toThrow('no adapter');
    for (const test of tests.slice(1)) await run(test, context);
    expect(skipped).toEqual(tests.slice(1).map(() => 'not run: the backend was not created'));
    await expect(run(tests[1]!)).rejects.toThrow('not run: the backend was not created');
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
    const handles = tests.slice(0, 11);
    await expect(Promise.all(handles.map(({ body }) => body()))).resolves.toBeDefined();
  });

  it.each([
    [{ ...reference, colour: 'red' }, 'UNKNOWN_OPTION', /no option "colour"/],
    [{ ...reference, name: '' }, 'INVALID_ARGUMENT', /name/],
    [{ name: 'x', create: 3 }, 'INVALID_ARGUMENT', /create is 3/],
    [{ ...reference, timeLimit: 0 }, 'INVALID_ARGUMENT', /timeLimit is 0/],
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

  it.each<[string, () => unknown, RegExp]>([
    ['cannot be created', () => Promise.reject(new Error('no adapter')), /no adapter/],
    ['is none', () => ({ name: 'x' }), /Backend "x" has no specVersion/],
    ['has no memory', () => ({ ...createReferenceBackend(), memory: undefined }), /has memory = undefined/],
    ['has no kernels', () => ({ ...createReferenceBackend(), fused: undefined }), /has fused = undefined/],
    ['says not what it supports', () => ({ ...createReferenceBackend(), supports: {} }), /supports.maxElements/],
    ['lacks a primitive', () => ({ ...createReferenceBackend(), erf: undefined }), /lacks erf/],
    ['is never there', () => new Promise(() => {}), /create has not settled within 0\.05 s.*timeLimit/],
  ])('reports a backend that %s once', async (_, create, message) => {
    const results: string[] = [];
    const { passed, failed } = await runConformance({
      name: 'none',
      create: create as never,
      timeLimit: 50,
      // A test that is expected to fail does not pass by it.
      expectedFailures: [failing],
      onResult: ({ name }) => results.push(name),
    });
    expect(passed).toEqual([]);
    expect(failed.map(({ name }) => name)).toEqual(['start > creates']);
    expect(String(failed[0]!.error)).toMatch(message);
    expect(results).toEqual(['start > creates']);
  });

  it('ends a test whose read never settles, and the run where no read does', async () => {
    const right = createReferenceBackend();
    const closed: string[] = [];
    const create = () => ({ ...right, read: () => new Promise<never>(() => {}), close: () => closed.push('closed') });
    const stuck = await runConformance({ name: 'stuck', create, timeLimit: 50, filter: (name) => /^elem/.test(name) });
    expect(stuck.failed.map(({ name }) => name)).toEqual(['elementwise > negate']);
    expect(String(stuck.failed[0]!.error)).toMatch(
      /read, for the result of negate of \[.*, has not settled within 0\.05 s/,
    );
    expect([stuck.passed, closed]).toEqual([['end > closes'], ['closed']]);
  });

  it('goes on after a test that never ends, as long as the backend answers', async () => {
    const right = createReferenceBackend();
    const never = new Set<unknown>();
    const create = () => ({
      ...right,
      exp(x: FloatTensor) {
        const y = right.exp(x);
        never.add(y);
        return y;
      },
      read: (x: Tensor) => (never.has(x) ? new Promise<never>(() => {}) : right.read(x)),
    });
    const filter = (name: string) => ['elementwise > exp', 'elementwise > log'].includes(name);
    const { failed, passed } = await runConformance({
      name: 'half stuck',
      create,
      timeLimit: 2000,
      filter,
      expectedFailures: [failing],
    });
    expect(failed.map(({ name }) => name)).toEqual(['elementwise > exp']);
    expect(passed).toEqual(['elementwise > log', 'end > closes']);
  });

  it('closes the backend once, at the end', async () => {
    const calls: string[] = [];
    const create = () => ({ ...createReferenceBackend(), close: () => calls.push('close') });
    await runConformance({ name: 'x', create, filter: only(failing), onResult: ({ name }) => calls.push(name) });
    expect(calls).toEqual([failing, 'close', 'end > closes']);
  });
});
