import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { documentedCommands, root } from './documentation.js';

// Every command of the documentation is one that a test executes. Those of `lmd` are executed by
// apps/cli/test/documented.test.ts; the others stand here, with the test that executes them, or the part of them that a
// test can afford, and why it is that part.

interface Executed {
  /** Where it is executed, and words by which that is found there. */
  readonly by: string;
  readonly words: string;
  /** Why it is a part of the command, and which. */
  readonly because?: string;
}

const study = 'apps/experiments/test/study.test.ts';
const program = (why: string): Executed => ({
  by: 'test/documented-commands.test.ts',
  words: 'every program that is documented can be read',
  because: `${why} That it is a program is checked.`,
});
const setUpFirst = 'Besides, it installs and builds, as whatever runs the tests has done.';
const fashion = 'npm run study -- apps/experiments/studies/fashion-mnist.json';
const hours = 'The study takes hours: a small one is run, interrupted, resumed and reported.';
const speeches = 'apps/cli/test/speeches-study.test.ts';
const speechesHours = 'It takes hours: a small study is run, stopped, killed, gone on with and reported.';
const python = 'It needs Python and its libraries, which the tests do without: they read the files that it made.';

const executed: Readonly<Record<string, Executed>> = {
  'npm start': { by: 'apps/cli/test/documented.test.ts', words: "'first-light'", because: `Two steps. ${setUpFirst}` },
  'npm start --silent -- --json': {
    by: 'apps/cli/test/run.test.ts',
    words: "'--json'",
    because: `A smaller preset. ${setUpFirst}`,
  },
  'npm start --silent -- --json | …': {
    by: 'apps/cli/test/resume.test.ts',
    words: 'whoever reads its output has gone',
    because: `A smaller preset. ${setUpFirst}`,
  },
  'npm test': { by: 'scripts/test.mjs', words: "'test:root'", because: 'It is what runs this test.' },
  'npm run lint': { by: 'scripts/test.mjs', words: "'lint:root'" },
  'npm run typecheck': { by: 'scripts/test.mjs', words: "'typecheck'" },
  'npm run format': {
    by: 'test/documented-commands.test.ts',
    words: 'stdin-file-path=example.ts',
    because: 'A test does not write over sources: it formats a text.',
  },
  'npm run setup': { by: 'scripts/test.mjs', words: 'await setUp()', because: setUpFirst },
  'npm run study': { by: study, words: "'trials run.'", because: hours },
  [`${fashion} --dry-run`]: { by: study, words: '--dry-run' },
  [`${fashion} --out docs/studies/fashion-mnist`]: { by: study, words: "'--out', whole", because: hours },
  [`${fashion} --dry-run --out docs/studies/fashion-mnist`]: { by: study, words: '--dry-run', because: 'A small one.' },
  [`${fashion} --report --out docs/studies/fashion-mnist`]: {
    by: 'apps/experiments/test/documented.test.ts',
    words: 'composeFiles',
  },
  'npm run study:speeches': { by: speeches, words: "run(...words('work'))", because: speechesHours },
  'npm run study:speeches -- --backend cpu-onnxruntime': { by: speeches, words: "'--backend'", because: speechesHours },
  'npm run study:speeches -- --only search': { by: speeches, words: "'--only', 'search'", because: speechesHours },
  'npm run study:speeches -- --report': {
    by: speeches,
    words: "start('--report'",
    because: 'The page of a small study.',
  },
  'npm run study:speeches -- --study tools/speeches/long.json --out docs/studies/speeches-long --backend cpu-onnxruntime':
    { by: speeches, words: "start('--study', 'single.json'", because: speechesHours },
  'npm run study:speeches -- --study tools/speeches/retuned.json --out docs/studies/speeches-retuned --backend cpu-onnxruntime':
    { by: speeches, words: "start('--study', 'single.json'", because: speechesHours },
  'npm run study:speeches -- --report --out docs/studies/speeches-retuned': {
    by: speeches,
    words: "start('--report', '--out'",
    because: 'The page of a small study.',
  },
  'npm run study:speeches -- --report --out docs/studies/speeches-long': {
    by: speeches,
    words: "start('--report', '--out'",
    because: 'The page of a small study.',
  },
  'npm run docs:backends': {
    by: 'test/backends-page.test.ts',
    words: 'render(names, records)',
    because: 'Measuring every backend needs every engine: the page is written from the figures.',
  },
  'npm run fuzz': {
    by: 'packages/safetensors/src/fuzz.test.ts',
    words: 'LMD_FUZZ_FILES',
    because: 'With 20,000 files in place of 100,000.',
  },
  'UPDATE_DOCS=1 npx vitest run src/optimizers/documentation.test.ts': {
    by: 'packages/core/src/optimizers/documentation.test.ts',
    words: 'UPDATE_DOCS',
    because: 'A test does not write the page: it compares.',
  },
  'npx vitest run': { by: 'apps/backend-template/src/conformance.test.ts', words: 'backendConformance(' },
  'npm start --prefix apps/tfjs-mnist': {
    by: 'apps/tfjs-mnist/src/main.test.ts',
    words: "'--steps', '3'",
    because: 'Three steps.',
  },
  'npm start --prefix apps/tfjs-mnist -- --steps 2000': {
    by: 'apps/tfjs-mnist/src/main.test.ts',
    words: "'--steps', '3'",
    because: 'Three steps.',
  },
  'npm start --prefix apps/tfjs-mnist -- --readme README.md': {
    by: 'apps/tfjs-mnist/src/main.test.ts',
    words: "'--readme', readme",
    because: 'Three steps.',
  },
  'node scripts/readme-results.mjs': program('It trains for two minutes, and writes over a page.'),
  'node scripts/browser-tests.mjs': program('It runs tests itself, in a browser; scripts/ci.mjs runs it.'),
  'node scripts/native-tests.mjs': program('It runs tests itself, on native engines; scripts/ci.mjs runs it.'),
  'node tools/tune-first-light.mjs --trials 8 --steps 300 --seed 1': program('It searches for an hour.'),
  'node dev/engines/libtensorflow/index.mjs FOLDER [--gpu] [--wheel FILE] [--python PROGRAM] [--compiler PROGRAM]':
    program('It fetches a library of hundreds of megabytes and compiles.'),
  'node dev/engines/libtensorflow/index.mjs FOLDER --wheel tensorflow_cpu-2.15.1-….whl': program(
    'It unpacks a library of hundreds of megabytes and compiles.',
  ),
  'node dev/parity/write.mjs /tmp/exported': {
    by: 'packages/models/src/pretrained/pretrained.test.ts',
    words: 'exportPretrained',
    because: python,
  },
};

/**
 * Benchmarks take minutes and compare times, which a test must not: test/benchmarks.test.ts runs each at its smallest.
 */
const benchmark = /^(?:npm run bench -- \S+|node (?:(?:apps|packages)\/\S+\/)?bench\/\S+\.mjs)(?: --\w+)*$/;

/** Without what only installs. */
const documented = documentedCommands(/^(?:[A-Z_]+=\S+ )?(?:npm (?:start|test|run) ?|npx |node \S|vitest )/);

it('every documented command is executed by a test, and no row is left over', () => {
  expect(documented.size).toBeGreaterThan(15);
  expect([...documented].filter((command) => !Object.hasOwn(executed, command) && !benchmark.test(command))).toEqual(
    [],
  );
  expect(Object.keys(executed).filter((command) => !documented.has(command))).toEqual([]);
});

it.each(Object.entries(executed))('%s is executed where that is said', (_, { by, words }) => {
  expect(readFileSync(join(root, by), 'utf8')).toContain(words);
});

it('every script that is documented is one of a package', () => {
  const scripts = new Set(
    [
      '.',
      ...['apps', 'packages'].flatMap((parent) => readdirSync(join(root, parent)).map((name) => join(parent, name))),
    ]
      .map((folder) => join(root, folder, 'package.json'))
      .filter((path) => existsSync(path))
      .flatMap((path) => Object.keys(JSON.parse(readFileSync(path, 'utf8')).scripts ?? {})),
  );
  for (const command of documented) {
    const name = /npm (?:run )?(\S+)/.exec(command)?.[1];
    if (name !== undefined) expect([...scripts], command).toContain(name);
  }
});

it('every benchmark is a program, and the command that runs them names them', () => {
  const packages = readdirSync(join(root, 'packages')).filter((name) =>
    existsSync(join(root, 'packages', name, 'bench', 'index.mjs')),
  );
  const { status, stderr } = spawnSync(process.execPath, [join(root, 'scripts', 'bench.mjs'), 'nothing'], {
    encoding: 'utf8',
  });
  expect(status).toBe(2);
  for (const name of packages) {
    expect(stderr).toContain(name);
    execFileSync(process.execPath, ['--check', join(root, 'packages', name, 'bench', 'index.mjs')]);
  }
});

it('every program that is documented can be read', () => {
  const named = [...documented].flatMap((command) => [...command.matchAll(/(\S+\.mjs)\b/g)].map(([, path]) => path!));
  const scripts = readdirSync(join(root, 'scripts')).filter((name) => name.endsWith('.mjs'));
  const paths = [...named, ...scripts.map((name) => join('scripts', name))];
  expect(named.length).toBeGreaterThan(5);
  for (const path of new Set(paths)) {
    const place = [root, join(root, 'packages', 'backends')].map((from) => join(from, path)).find(existsSync);
    expect(place, path).toBeDefined();
    execFileSync(process.execPath, ['--check', place!]);
  }
});

it('the formatter formats', () => {
  const biome = join(root, 'node_modules', '@biomejs', 'biome', 'bin', 'biome');
  const formatted = execFileSync(process.execPath, [biome, 'format', '--stdin-file-path=example.ts'], {
    cwd: root,
    input: 'const a = {b: "c"}',
    encoding: 'utf8',
  });
  expect(formatted).toBe("const a = { b: 'c' };\n");
});
