import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, inject, it } from 'vitest';
import { conformanceLevelNames } from '../src/levels.js';

const fixtures = fileURLToPath(new URL('fixtures', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'lmd-conformance-test-'));
afterAll(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));

/** Runs the command in the folder of the fixtures. */
function command(...words: string[]): Promise<{ code: number | null; out: string; error: string }> {
  return new Promise((resolve) => {
    const child = execFile(
      process.execPath,
      [inject('program'), ...words],
      { cwd: fixtures, env: { ...process.env, NO_COLOR: '1' } },
      (_, out, error) => resolve({ code: child.exitCode, out, error }),
    );
  });
}

const faulty = (fault: string, ...words: string[]) =>
  command('./faulty-backend.mjs', '--options', JSON.stringify({ fault }), '--seed', '1', ...words);

// Enough for an import on a busy machine, and for each of the tests that are selected.
const timeout = ['--timeout', '4'];

describe('a backend that hangs or crashes', () => {
  it.each([
    ['exp loops forever', 'elementwise > exp keeps', /exp\(\[\d+\] f32\) has not finished within 4 s/],
    ['read never settles', 'elementwise > erf keeps', /read\(\[\d+\] f32\), the result of erf\(.* has not finished/],
    ['memory loops forever', 'elementwise > log keeps', /memory\(\), after .* has not finished/],
    ['erf ends the process', 'elementwise > erf keeps', /ended with exit code 7 in erf\(\[\d+\] f32\)/],
    ['tanh kills the process', 'elementwise > tanh keeps', /ended with SIGKILL in tanh\(\[\d+\] f32\)/],
    [
      'log rejects unseen',
      'elementwise > log keeps',
      /ended with exit code 1 in .*log\(\[\d+\] f32\): the queue is lost/,
    ],
    ['log rejects at once', 'elementwise > log keeps', /exit code 1 after .*: the queue is lost/],
    ['log throws later', 'elementwise > log keeps', /exit code 1 after .*: "the device is lost"/],
    ['log returns nothing', 'elementwise > log keeps', /log: backend "reference" returned undefined\. .* a handle/],
    ['log throws text', 'elementwise > log keeps', /: log\(\[\d+\] f32\) failed: "out of memory"/],
    ['log throws an object', 'elementwise > log keeps', /: log\(\[\d+\] f32\) failed: an object/],
    [
      'memory returns nothing',
      'elementwise > log keeps',
      /memory\(\) of backend "reference" returned undefined\. It must/,
    ],
    ['matmul throws', 'matrices with no', /: matmul\(.*\) failed: no such shader/],
    ['close never settles', 'elementwise > sign keeps', /end > closes: close\(\) has not finished within 4 s/],
    ['close throws', 'elementwise > sign keeps', /end > closes: close\(\) failed: it is closed already/],
  ])('%s: fails a test of its level, and the next one runs', async (fault, test, message) => {
    const next = 'elementwise > negate keeps';
    const { code, out } = await faulty(fault, '--level', 'operations', '--test', test, '--test', next, ...timeout);
    expect(out).toMatch(message);
    expect(code).toBe(1);
    expect(out).toMatch(/\| operations \| failed \|/);
    // With a hanging read or memory that one hangs as well.
    if (/^(read|memory)/.test(fault)) expect(out).toContain(`${next} NaN and infinities:`);
    else expect(out).toMatch(/: [12] of 2 tests passed/);
  });

  it('ends a level after three tests that hang', async () => {
    const { code, out } = await faulty('exp loops forever', '--test', ' > exp', '--test', 'softmax', ...timeout);
    expect(code).toBe(1);
    expect(out).toMatch(/3 tests hung or crashed: the \d+ after them were not run/);
    expect(out).toMatch(/\| gradients +\| not run \|/);
  });
});

describe('a backend that cannot be created is reported once', () => {
  it.each<[string, number, RegExp, ...string[]]>([
    ['create throws', 1, /create of \.\/faulty-backend\.mjs failed: no adapter/],
    ['create returns nothing', 1, /create of .* returns nothing: does it return the backend\?/],
    ['create never settles', 1, /create\(…\) of .* has not finished within 4 s/],
    ['create loops forever', 1, /create\(…\) of .* has not finished within 4 s/],
    ['no memory', 1, /has memory = undefined/],
    ['no erf', 1, /lacks erf/],
    ['no such fault', 2, /fault is "no such fault"/],
  ])('%s', async (fault, status, message) => {
    const { code, out } = await faulty(fault, ...timeout);
    expect(out).toMatch(message);
    // One message, and nothing about levels.
    expect(out.trim()).toMatch(/^The backend cannot be tested: .*$/);
    expect(code).toBe(status);
  });

  it.each([
    ['./hangs-on-import.mjs', 1, /the import of \.\/hangs-on-import\.mjs has not finished within 4 s/],
    ['./throws-on-import.mjs', 1, /cannot be imported: libdevice\.so is missing/],
    ['./no-create.mjs', 2, /exports createMyBackend, but no function "create".*--export/],
  ])('%s', async (module, status, message) => {
    const { code, out } = await command(module, ...timeout);
    expect(out).toMatch(message);
    expect(code).toBe(status);
  });
});

describe('the command line', () => {
  it.each([
    [['./no-such-file.mjs'], /The backend is "\.\/no-such-file\.mjs", which does not exist\. Give the path/],
    [['no-such-package'], /which does not exist/],
    [['./faulty-backend.mjs', '--level', 'first'], /Allowed choices are operations, gradients/],
    [['./faulty-backend.mjs', '--timeout', '0'], /timeout is 0/],
    [['./faulty-backend.mjs', '--seed', 'x'], /seed is NaN/],
    [['./faulty-backend.mjs', '--options', '[1]'], /--options is "\[1\]"\. Use an object in JSON/],
    [['./faulty-backend.mjs', '--report', 'r.txt'], /--report is "r\.txt"\. Use a name that ends in \.md or \.json/],
    [['./faulty-backend.mjs', '--test', 'no such test'], /--test selects no test/],
    [['./faulty-backend.mjs', '--colour'], /unknown option '--colour'/],
    [[], /missing required argument 'backend'/],
  ])('refuses %j with exit code 2', async (words, message) => {
    const { code, error } = await command(...words);
    expect(error).toMatch(message);
    expect(code).toBe(2);
  });

  it('lists the levels in its help', async () => {
    const { code, out } = await command('--help');
    expect(code).toBe(0);
    for (const name of conformanceLevelNames) expect(out).toContain(`  ${name} `);
  });

  it('passes levels, and stops at the first that fails unless told to go on', async () => {
    const tests = ['--test', 'elementwise > exp', '--test', 'randomBits to', '--test', 'memory >'];
    const right = await faulty('none', ...tests);
    expect(right.out).toMatch(/conforms: all 3 levels \(seed 1\)/);
    expect(right.code).toBe(0);
    const wrong = await faulty('wrong exp', ...tests);
    expect(wrong.out).toMatch(/failed operations: 0 of 2 .*\n {2}elementwise > exp: exp of \[\]/);
    expect(wrong.out).toMatch(/\| memory +\| not run \|/);
    expect(wrong.out).toMatch(/fails at operations .*\n.*--seed 1 --test "elementwise > exp"/);
    expect(wrong.code).toBe(1);
    const all = await faulty('wrong exp', ...tests, '--all');
    expect(all.out).toMatch(/\| random-bits \| passed \|/);
    expect(all.code).toBe(1);
  });

  it('takes messages that the backend sends for what they are, and repeats a failure of close()', async () => {
    const sending = await faulty('sends messages', '--test', 'elementwise > sign keeps');
    expect(sending.out).toMatch(/passed operations: 1 of 1 tests/);
    expect(sending.code).toBe(0);
    const { out } = await faulty('close throws', '--test', 'elementwise > sign keeps');
    expect(out).toMatch(/lmd-conformance \.\/faulty-backend\.mjs --seed 1 --level operations\n/);
  });

  it('calls another function with --export', async () => {
    const { out, code } = await command('./no-create.mjs', '--export', 'createMyBackend', ...timeout);
    expect(out).toMatch(/Backend "mine" has no specVersion/);
    expect(code).toBe(1);
  });

  it('writes reports with errors in ulp and speeds', async () => {
    const [markdown, json] = [join(folder, 'report.md'), join(folder, 'report.json')];
    const { code, out } = await faulty(
      'none',
      ...['--test', 'elementwise > tanh', '--perf', '--report', markdown, '--json', json],
    );
    expect(code).toBe(0);
    expect(out).toMatch(/\| matmul +\| \[128, 128\] \[128, 128\] +\| .* × \|/);
    const page = readFileSync(markdown, 'utf8');
    expect(page).toMatch(/^# Conformance of reference\n/);
    expect(page).toMatch(/\| operation \| bound \| results \| .*≤ 0\.5 \|/);
    expect(page).toMatch(/\| tanh +\| tanh +\| /);
    expect(page).toMatch(/## Speed\n/);
    const report = JSON.parse(readFileSync(json, 'utf8'));
    expect(report).toMatchObject({ type: 'conformance', seed: 1, backend: { name: 'reference' } });
    const [tanh] = report.errors as { operation: string; results: number; histogram: number[] }[];
    expect(tanh).toMatchObject({ operation: 'tanh', bound: 'tanh' });
    expect(tanh!.histogram.reduce((a, b) => a + b, 0)).toBeGreaterThan(100);
    expect(report.speed.length).toBeGreaterThan(10);
  });

  it('says where a report cannot be written', async () => {
    const { code, error } = await faulty(
      'none',
      '--test',
      'elementwise > tanh keeps',
      '--json',
      join(folder, 'no', 'r'),
    );
    expect(error).toMatch(/The report .* cannot be written: ENOENT/);
    expect(code).toBe(2);
  });
});
