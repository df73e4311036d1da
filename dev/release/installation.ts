import { cpSync, existsSync, mkdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Manifest, platforms, published, specifiersOf } from '../../scripts/packed.mjs';
import { type Block, blocksOf, root } from '../examples/blocks.js';
import { commandsOf, lmdOf, runCommand, wordsOf } from '../examples/run-commands.js';
import { runModule } from '../examples/run-module.js';
import { type Manager, managers } from './managers.js';
import { environmentOf, setting, succeed } from './setting.js';

const pageOf = (folder: string) => `${relative(root, folder).split(sep).join('/')}/README.md`;

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
/** Whether this Node can `require` ES modules without a flag. */
const canRequire = major > 22 || (major === 22 && minor >= 12) || (major === 20 && minor >= 19);

/** The packages that a README says to install, in its blocks of commands. */
function namedToInstall(blocks: readonly Block[]): string[] {
  const commands = blocks.filter(({ language }) => language === 'sh').flatMap(({ code }) => commandsOf(code));
  return commands
    .map(wordsOf)
    .filter(([program, word]) => program === 'npm' && word === 'install')
    .flatMap(([, , ...words]) => words.filter((word) => !word.startsWith('-')));
}

/** Runs a program of the project under Node. */
const evaluate = (type: 'module' | 'commonjs', program: string, cwd: string) =>
  succeed([process.execPath, `--input-type=${type}`, '--eval', program], { cwd, env: environmentOf('node') });

function testExample(block: Block, page: string, project: string) {
  const { mark, line, language, code } = block;
  const copyFiles = () => {
    for (const { from, to } of mark.kind === 'run' ? mark.copies : [])
      cpSync(join(dirname(join(root, page)), from), join(project, to), { recursive: true });
  };
  if (mark.kind === 'file') {
    it(`README line ${line} is ${mark.file}`, () => writeFileSync(join(project, mark.file), `${code}\n`));
  } else if (mark.kind === 'run' && language === 'sh') {
    it.each(commandsOf(code).map((command, index) => [command, index] as const))(
      `README line ${line}: %s`,
      async (command, index) => {
        if (index === 0) copyFiles();
        await runCommand(command, project, lmdOf(join(project, 'node_modules', '@lmd', 'cli', 'dist', 'bin.js')));
      },
    );
  } else if (mark.kind === 'run') {
    it(`README line ${line} runs`, async (context) => {
      copyFiles();
      const { failed, output } = await runModule(block, project, project);
      if (failed && mark.ifEngine && output.includes("'ENGINE_MISSING'")) context.skip('its engine is not installed');
      expect(failed, output).toBe(false);
    });
  }
}

/** Whether the binary for this machine, if it is built, arrives by the optional dependency, and works. */
function testBinary(project: string) {
  it('brings the native binary of this platform', async ({ skip }) => {
    skip(!platforms.some(({ folder }) => existsSync(join(folder, 'lmd.node'))), 'no native binary is built here');
    const program = `const { native, reason } = (await import('@lmd/native')).loadNative();
      if (native === undefined) throw new Error(reason); console.log(native.source.binary);`;
    const binary = await evaluate('module', program, project);
    expect(binary).toContain(`native-${process.platform}-${process.arch}`);
    expect(realpathSync(binary.trim())).toContain(realpathSync(project));
  });
}

/** Tests one package in a fresh project, with what its README says to install beside it. */
function testPackage(manifest: Manifest, folder: string, { name, add, env, missing }: Manager) {
  const page = pageOf(folder);
  const blocks = blocksOf(page);
  const project = join(setting.work, name, manifest.name.replace(/\W+/g, '-'));
  const specifiers = specifiersOf(manifest);
  beforeAll(() => {
    mkdirSync(project, { recursive: true });
    writeFileSync(join(project, 'package.json'), JSON.stringify({ name: 'fresh', private: true, type: 'module' }));
  });
  afterAll(() => rmSync(project, { recursive: true, force: true, maxRetries: 5 }));

  it('is installed by name', async ({ skip }) => {
    skip(missing !== undefined, missing);
    await succeed([...add, ...new Set([manifest.name, ...namedToInstall(blocks)])], { cwd: project, env });
    const path = join(project, 'node_modules', ...manifest.name.split('/'), 'package.json');
    expect(JSON.parse(readFileSync(path, 'utf8')).version).toBe(manifest.version);
  });
  if (missing !== undefined) return;

  it('is imported', async () => {
    const names = JSON.stringify(specifiers);
    const program = `for (const name of ${names}) if (Object.keys(await import(name)).length === 0) throw new Error(name);`;
    await evaluate('module', program, project);
  });
  it('is required by CommonJS', async ({ skip }) => {
    skip(!canRequire, 'this version of Node cannot require() ECMAScript modules');
    const names = JSON.stringify(specifiers);
    const program = `for (const name of ${names}) if (Object.keys(require(name)).length === 0) throw new Error(name);`;
    await evaluate('commonjs', program, project);
  });
  if (manifest.name === '@lmd/native') testBinary(project);
  for (const block of blocks) testExample(block, page, project);
}

/** Defines the tests of every published package, installed by one package manager. */
export function testInstallations(name: string) {
  const manager = managers().find((one) => one.name === name)!;
  for (const { manifest, folder } of published) {
    describe(`${name}: ${manifest.name}`, () => testPackage(manifest, folder, manager));
  }
}
