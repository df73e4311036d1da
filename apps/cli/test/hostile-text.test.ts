import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { serializeSafetensors, tensorFrom } from '@lmd/safetensors';
import { beforeAll, describe, expect, it } from 'vitest';
import { lmd, type Outcome, temporaryFolder, tiny } from './lmd.js';

const folder = temporaryFolder();

/** Colours, a cleared screen, the clipboard (OSC 52), a title, C1's CSI, DEL and a carriage return. */
const hostile = '\u001b[31m\u001b[2J\u001b]52;c;aGk=\u0007\u001b]0;title\u001b\\\u009b2J\u007f\r\u0008\u0000';
/** Without what no file system takes. */
const hostileName = hostile.replaceAll('\u0000', '').replaceAll('/', '');

const isWindows = process.platform === 'win32';

function expectEscaped({ stdout, stderr }: Outcome): void {
  for (const text of [stdout, stderr]) {
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these must not be there.
    expect(text).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/);
  }
}

beforeAll(async () => {
  const values = tensorFrom(Float32Array.of(1, -2, 3, -4), [2, 2]);
  const file = serializeSafetensors({
    tensors: new Map([
      [`w${hostile}`, values],
      ['two\nlines', values],
    ]),
    metadata: { [`key${hostile}`]: `value${hostile}` },
  });
  writeFileSync(join(folder, 'hostile.safetensors'), file);
  expect(await lmd(['train', ...tiny, '--only', 'adamw', '--out', 'run'], folder)).toMatchObject({ code: 0 });
});

describe('control characters never reach the terminal', () => {
  it('from the names of tensors and metadata', async () => {
    const outcome = await lmd(['inspect', 'hostile.safetensors'], folder);
    expect(outcome).toMatchObject({ code: 0 });
    expectEscaped(outcome);
    expect(outcome.stdout).toContain('w\\u001b[31m\\u001b[2J');
    expect(outcome.stdout).toContain('two\\nlines');
  });

  it('and JSON holds them escaped, with their meaning', async () => {
    const outcome = await lmd(['inspect', 'hostile.safetensors', '--json'], folder);
    expectEscaped(outcome);
    const [inspection] = outcome.events as unknown as { tensors: { name: string }[] }[];
    expect(inspection!.tensors.map(({ name }) => name)).toContain(`w${hostile}`);
  });

  it.each([
    ['inspect', 'hostile.safetensors', '--tensor', `no${hostileName}`],
    ['quantize', 'hostile.safetensors', '--format', 'mxfp4_e2m1', '--out', 'packed.safetensors'],
    ['export', 'hostile.safetensors', '--out', 'exported'],
    ['train', `missing${hostileName}`],
    ['train', 'smoke', '--set', `${hostileName}=1`],
    ['train', 'smoke', '--set', `backend=${hostileName}`],
    ['train', 'smoke', `--${hostileName}`],
    [`tr${hostileName}`],
    ['train', 'smoke', '--only', hostileName],
    ['train', 'smoke', '--out', join('run', hostileName)],
    ['evaluate', 'run', '--model', `missing${hostileName}`],
    ['evaluate', 'run', '--format', hostileName],
    ['generate', `missing${hostileName}`],
    ['data', 'prepare', `missing${hostileName}`, '--out', 'tokens'],
    ['bench', '--backend', hostileName],
  ])('from arguments and messages: %j', async (...words) => {
    const outcome = await lmd(words, folder);
    expectEscaped(outcome);
    expectEscaped(await lmd([...words, '--json'], folder));
  });

  it('from a configuration', async () => {
    const text = JSON.stringify({
      [`key${hostile}`]: hostile,
      name: hostile,
      backend: hostile,
      data: { kind: hostile },
    });
    writeFileSync(join(folder, 'hostile.json'), text);
    const outcome = await lmd(['train', 'hostile.json'], folder);
    expect(outcome.code).toBe(2);
    expectEscaped(outcome);
    writeFileSync(join(folder, 'cut.json'), `{"${hostile}`);
    expectEscaped(await lmd(['train', 'cut.json'], folder));
  });

  it('from the names of files', async ({ skip }) => {
    skip(isWindows, 'Windows allows no such file names');
    const path = join(folder, `f${hostileName}.safetensors`);
    copyFileSync(join(folder, 'run', 'model.safetensors'), path);
    mkdirSync(join(folder, `d${hostileName}`));
    for (const words of [
      ['inspect', path],
      ['quantize', path, '--format', 'mxfp6_e3m2'],
      ['evaluate', 'run', '--model', path],
      ['export', path, '--layout', 'lmd', '--out', `e${hostileName}`],
      ['train', '--resume', `d${hostileName}`],
      ['train', ...tiny, '--only', 'adamw', '--out', `o${hostileName}`],
      ['inspect', `o${hostileName}`],
    ]) {
      expectEscaped(await lmd(words, folder));
    }
  });
});
