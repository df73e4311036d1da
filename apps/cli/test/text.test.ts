import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseSafetensors } from '@lmd/safetensors';
import { beforeAll, describe, expect, it } from 'vitest';
import { lmd, start, temporaryFolder, tiny } from './lmd.js';

const folder = temporaryFolder();
const at = (...path: string[]) => join(folder, ...path);
const json = async <T>(...words: string[]) => {
  const { stdout, stderr } = await lmd([...words, '--json'], folder);
  expect(stderr).toBe('');
  return JSON.parse(stdout.trim().split('\n').at(-1)!) as T;
};

interface Generated {
  readonly text: string;
  readonly tokens: readonly number[];
  readonly cacheFormat: string;
  readonly cacheBytesPerToken: number;
}

/** A small GPT-2 over characters, one step after the other on text that repeats itself. */
const model = { kind: 'gpt2', width: 32, depth: 1, heads: 1 };
const configuration = {
  steps: 160,
  batchSize: 8,
  precision: 'mxfp6_e3m2',
  data: { kind: 'tokens', folder: 'tokens', length: 16 },
  model,
  optimizers: [
    {
      name: 'lmd',
      rule: 'lmd',
      ...{ learningRate: 0.02, regularization: 0.5, noise: 0.05, priorMedianFloor: 0.5 },
      rest: { learningRate: 0.01 },
    },
  ],
  evaluation: { every: 80, examples: 8 },
  checkpoints: { every: 80 },
  samples: { prompts: ['Row 3: one', ''], maxTokens: 12, temperature: 0 },
};

beforeAll(async () => {
  const rhyme = (i: number) => `Row ${i % 10}: one, two, three, four.\n`;
  writeFileSync(at('rhymes.txt'), Array.from({ length: 300 }, (_, i) => rhyme(i)).join('@'));
  writeFileSync(at('text.json'), JSON.stringify(configuration));
  await json('data', 'prepare', 'rhymes.txt', '--separator', '@', '--tokenizer', 'characters', '--out', 'tokens');
  const outcome = await lmd(['train', 'text.json', '--out', 'run'], folder);
  expect(outcome).toMatchObject({ code: 0, stderr: '' });
  expect(outcome.stdout).toMatch(/perplexity +seconds +tokens\/s/);
});

describe('lmd predict', () => {
  it('with a language model continues the text of a file, as lmd generate does', async () => {
    writeFileSync(at('prompt.txt'), 'Row 3: one\n');
    const predicted = await json<Generated>('predict', 'run', 'prompt.txt', '--seed', '3');
    const generated = await json<Generated>('generate', 'run', '--prompt', 'Row 3: one', '--seed', '3');
    expect(predicted.text).toBe(generated.text);
    writeFileSync(at('picture.png'), Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0, 0, 0, 13));
    for (const words of [['prompt.txt', '--samples', '2'], ['picture.png'], ['.']]) {
      const { code, stderr } = await lmd(['predict', 'run', ...words], folder);
      expect(code).toBe(2);
      expect(stderr).toMatch(/is a language model/);
    }
    const missing = await lmd(['predict', 'run', 'absent.txt'], folder);
    expect([missing.code, missing.stderr]).toEqual([2, expect.stringContaining('absent.txt does not exist')]);
  });
});

describe('lmd data prepare', () => {
  it('writes tokens and what they are', () => {
    const description = JSON.parse(readFileSync(at('tokens', 'train.bin.json'), 'utf8'));
    expect(description).toMatchObject({ format: 'lmd-tokens', tokenizer: { name: 'characters' } });
    expect(readFileSync(at('tokens', 'train.bin')).length).toBe(2 * description.tokens);
    const heldOut = JSON.parse(readFileSync(at('tokens', 'val.bin.json'), 'utf8'));
    expect(description.documents + heldOut.documents).toBe(300);
  });

  it.each([
    ['a file that is not there', ['nothing.txt', '--out', 'x'], 1, 'nothing.txt'],
    [
      'a part that is none',
      ['rhymes.txt', '--out', 'x', '--validation', '1'],
      2,
      'Use a finite number above 0 and below 1.',
    ],
    [
      'a tokenizer that is not there',
      ['rhymes.txt', '--out', 'x', '--tokenizer', 'gpt3'],
      2,
      'Allowed choices are gpt2, characters.',
    ],
    ['the speeches beside files', ['sotu', 'rhymes.txt', '--out', 'x'], 2, 'cannot be combined with other sources'],
  ])('refuses %s', async (_, words, code, message) => {
    const outcome = await lmd(['data', 'prepare', ...words], folder);
    expect(outcome.code).toBe(code);
    expect(outcome.stderr).toContain(message);
  });
});

describe('bad text and models that do not fit', () => {
  const refused = async (...words: string[]) => {
    const { code, stdout, stderr } = await lmd([...words, '--json'], folder);
    const error = JSON.parse(stdout.trim().split('\n').at(-1)!);
    expect(stderr).toMatch(/^error /);
    return { exit: code, code: error.code as string, message: error.message as string };
  };

  it('refuses text that is not UTF-8, says where, and writes nothing', async () => {
    writeFileSync(at('latin.txt'), Buffer.concat([Buffer.from('good @ text @ caf'), Buffer.from([0xe9, 0x20])]));
    const words = ['--separator', '@', '--validation', '0.5', '--out', 'bad'];
    const error = await refused('data', 'prepare', 'rhymes.txt', 'latin.txt', ...words);
    expect(error).toMatchObject({ exit: 1, code: 'DATA_CORRUPT' });
    expect(error.message).toMatch(/latin\.txt.*17/s);
    expect(existsSync(at('bad', 'train.bin'))).toBe(false);
    expect(existsSync(at('bad', 'train.bin.json'))).toBe(false);
    expect(existsSync(at('bad', 'val.bin'))).toBe(false);
  });

  it.each([
    ['an empty file', ''],
    ['empty documents alone', '@@\n@'],
  ])('refuses a corpus of %s, and writes nothing', async (_, text) => {
    writeFileSync(at('empty.txt'), text.replaceAll('\n', ''));
    const error = await refused('data', 'prepare', 'empty.txt', '--separator', '@', '--out', 'bad');
    expect(error.exit).toBe(1);
    expect(error.message).toMatch(/no text|empty|no document/i);
    expect(existsSync(at('bad', 'train.bin'))).toBe(false);
  });

  it('refuses a text that is longer than the context of the model', async () => {
    const examples = await refused('evaluate', 'longer.json', '--model', 'run');
    expect(examples.message).toContain('longer.json');
    writeFileSync(
      at('longer.json'),
      JSON.stringify({ ...configuration, data: { ...configuration.data, length: 32 }, model }),
    );
    // The network of the file has 16 positions, and this one 32.
    expect(await refused('evaluate', 'longer.json', '--model', 'run')).toMatchObject({
      exit: 2,
      code: 'INVALID_ARGUMENT',
      message: expect.stringContaining('data.length'),
    });
  });

  it('refuses the weights of another architecture, and of another size', async () => {
    expect(await lmd(['train', ...tiny, '--only', 'adamw', '--out', 'vit'], folder)).toMatchObject({ code: 0 });
    const mismatch = { exit: 2, code: 'CHECKPOINT_MISMATCH' };
    const start = ['train', 'text.json', '--out', 'mismatched', '--set'];
    expect(await refused(...start, 'model.weights=vit')).toMatchObject(mismatch);
    expect(existsSync(at('mismatched', 'lmd', 'model.safetensors'))).toBe(false);
    const wide = ['model.width=64', 'model.weights=run'];
    expect(await refused('train', 'text.json', '--out', 'wide', '--set', ...wide)).toMatchObject({
      ...mismatch,
      message: expect.stringContaining('model.width is 64, but '),
    });
    expect(await refused('evaluate', 'vit', '--model', 'run')).toMatchObject(mismatch);
    expect(await refused('generate', 'vit')).toMatchObject({ exit: 2, code: 'INVALID_ARGUMENT' });
  });
});

describe('a run on text', () => {
  it('learns, and reports perplexity', () => {
    const { results } = JSON.parse(readFileSync(at('run', 'summary.json'), 'utf8'));
    expect(results[0].testPerplexity).toBeCloseTo(Math.exp(results[0].testLoss), 10);
    expect(results[0].testPerplexity).toBeLessThan(8);
    expect(results[0].tokensPerSecond).toBeGreaterThan(0);
    const { steps, parameters, ...summary } = JSON.parse(readFileSync(at('run', 'lmd', 'summary.json'), 'utf8'));
    const { batchSize, data } = JSON.parse(readFileSync(at('run', 'config.json'), 'utf8'));
    expect(summary.examplesPerParameter).toBeCloseTo((steps * batchSize) / parameters, 12);
    expect(summary.tokensPerParameter).toBeCloseTo((steps * batchSize * data.length) / parameters, 10);
  });

  it('writes a text after each prompt of `samples`, as lmd generate does', async () => {
    const { samples } = JSON.parse(readFileSync(at('run', 'lmd', 'summary.json'), 'utf8'));
    expect(samples.map(({ prompt }: { prompt: string }) => prompt)).toEqual(configuration.samples.prompts);
    for (const { prompt, text } of samples) {
      const words = ['--prompt', prompt, '--max-tokens', '12', '--temperature', '0', '--format', 'mxfp6_e3m2'];
      expect(await json<Generated>('generate', 'run', ...words)).toMatchObject({ text });
    }
  });

  it('exports all that generation needs', () => {
    const { metadata } = parseSafetensors(readFileSync(at('run', 'model.safetensors')));
    expect(JSON.parse(metadata.config!)).toMatchObject({ width: 32, contextLength: 16 });
    expect(JSON.parse(metadata.tokenizer!)).toMatchObject({ name: 'characters' });
  });

  it('is refused where model and data do not fit', async () => {
    const refusals = {
      'model.kind=vit': 'model.patchSize is missing',
      'model.contextLength=8': 'data.length is 16, but the model has a context of 8 tokens. Use at most 8',
      'data.folder=nowhere': 'data.folder is ',
    };
    for (const [assignment, message] of Object.entries(refusals)) {
      const outcome = await lmd(['train', 'text.json', '--set', assignment], folder);
      expect(outcome.code, assignment).toBeGreaterThan(0);
      expect(outcome.stderr).toContain(message);
    }
  });

  it('starts from given weights', async () => {
    // With nothing learned, the test finds what the first run's did.
    const still = ['optimizers.lmd.learningRate=0', 'optimizers.lmd.rest.learningRate=0'];
    const words = ['train', 'text.json', '--set', 'steps=1', 'model.weights=run', ...still, '--out', 'further'];
    expect(await lmd(words, folder)).toMatchObject({ code: 0, stderr: '' });
    const result = (run: string) => JSON.parse(readFileSync(at(run, 'summary.json'), 'utf8')).results[0];
    expect(result('further').testPerplexity).toBeCloseTo(result('run').testPerplexity, 3);
  });
});

describe('lmd generate', () => {
  it('goes on with a text, the same for the same seed', async () => {
    const words = ['generate', 'run', '--prompt', 'Row', '--max-tokens', '8', '--temperature', '1'];
    const [first, again, other] = [
      await json<Generated>(...words, '--seed', '1'),
      await json<Generated>(...words, '--seed', '1'),
      await json<Generated>(...words, '--seed', '2'),
    ];
    expect(first).toMatchObject({ text: again.text, tokens: again.tokens });
    expect(other.tokens).not.toEqual(first.tokens);
    const { stdout, stderr } = await lmd([...words, '--seed', '1'], folder);
    expect(stdout).toBe(`Row${first.text}\n`);
    expect(stderr).toMatch(/tokens, [\d.,]+ tokens\/s on WebAssembly/);
    expect(stderr).toContain('cache 256 B a token');
  });

  it('keeps keys and values in a block format', async () => {
    const words = ['generate', 'run', '--prompt', 'Row', '--max-tokens', '8', '--temperature', '0'];
    const dense = await json<Generated>(...words);
    expect(dense).toMatchObject({ cacheFormat: 'fp32', cacheBytesPerToken: 256 });
    const encoded = await json<Generated>(...words, '--cache-format', 'mxint8');
    // 32 codes of a byte and a word with a scale, of keys and of values.
    expect(encoded).toMatchObject({ cacheFormat: 'mxint8', cacheBytesPerToken: 72 });
    expect(encoded.tokens).toHaveLength(dense.tokens.length);
    const { stderr } = await lmd([...words, '--cache-format', 'mxfp4_e2m1'], folder);
    expect(stderr).toContain('cache 40 B a token, in mxfp4_e2m1');
  });

  it('ends before a text of several tokens, and prints nothing of it', async () => {
    const words = ['generate', 'run', '--prompt', 'Row 3:', '--temperature', '0', '--max-tokens', '60'];
    const whole = await json<Generated>(...words);
    const sequence = whole.text.slice(9, 12);
    const stopped = await json<Generated & { end: string }>(...words, '--stop', 'never', '--stop', sequence);
    const before = whole.text.slice(0, whole.text.indexOf(sequence));
    expect(stopped).toMatchObject({ text: before, end: 'stopSequence' });
    expect(stopped.tokens).toHaveLength(before.length + 3);
    const { stdout } = await lmd([...words, '--stop', sequence], folder);
    expect(stdout).toBe(`Row 3:${before}\n`);
  });

  it('takes several prompts, of options and of files, each with the text that it has alone', async () => {
    const greedy = ['--temperature', '0.5', '--max-tokens', '5'];
    const alone = await json<Generated>('generate', 'run', '--prompt', 'two', ...greedy);
    writeFileSync(at('prompts.txt'), 'Row\n\ntwo\n');
    writeFileSync(at('prompts.jsonl'), '"Row"\r\n{ "prompt": "two", "id": 4 }\r\n');
    for (const given of [
      ['--prompt', 'Row', '--prompt', 'two'],
      ['--prompts-file', 'prompts.txt'],
      ['--prompts-file', 'prompts.jsonl'],
      ['--prompt', 'Row', '--prompts-file', 'prompts.jsonl'],
    ]) {
      const { stdout } = await lmd(['generate', 'run', ...given, ...greedy, '--json'], folder);
      const lines = stdout
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as Generated & { prompt: string });
      expect(lines.slice(0, 2).map(({ prompt }) => prompt)).toEqual(
        given.length < 4 || given[2] === '--prompt' ? ['Row', 'two'] : ['Row', 'Row'],
      );
      expect(lines.at(-1)).toMatchObject({ prompt: 'two', text: alone.text });
    }
    const { stdout } = await lmd(['generate', 'run', '--prompts-file', 'prompts.txt', ...greedy], folder);
    expect(stdout).toMatch(/^Row.*\n\ntwo.*\n$/s);
  });

  it('says what tokens beyond the context cost', async () => {
    const words = ['generate', 'run', '--prompt', 'Row', '--seed', '3'];
    const { code, stderr } = await lmd([...words, '--max-tokens', '40'], folder);
    expect(code).toBe(0);
    // The context of 16 has room for 13 after the prompt, and the last position gives one more.
    const [, total, beyond] =
      /(\d+) tokens, .*; of these (\d+) beyond the context, each a forward pass over 16, [\d.]+ tokens\/s/.exec(
        stderr,
      )!;
    expect(Number(total) - Number(beyond)).toBe(14);
    const within = await lmd([...words, '--max-tokens', '14'], folder);
    expect(within.stderr).not.toContain('beyond');
  });

  it('crops a text that is longer than the context', async () => {
    const words = [
      'generate',
      'run',
      '--prompt',
      'Row 1: one, two, three, four.',
      '--max-tokens',
      '3',
      '--temperature',
      '0',
    ];
    const whole = await json<Generated>(...words);
    // The last 16 characters are all that the model sees.
    words[3] = 'two, three, four.'.slice(-16);
    expect(await json<Generated>(...words)).toMatchObject({ tokens: whole.tokens });
  });

  it('reads a packed model, and another optimizer of a run', async () => {
    await json('quantize', 'run', '--format', 'mxfp8_e4m3', '--out', 'packed.safetensors');
    const greedy = ['--prompt', 'Row', '--temperature', '0', '--max-tokens', '6'];
    const packed = await json<Generated>('generate', 'packed.safetensors', ...greedy);
    const rounded = await json<Generated>('generate', 'run', '--optimizer', 'lmd', ...greedy);
    expect(packed.tokens.length).toBeGreaterThan(0);
    expect(rounded.tokens.length).toBeGreaterThan(0);
  });

  it.each([
    ['a character that the model does not know', ['--prompt', 'é'], 2, 'é'],
    ['a temperature below 0', ['--temperature', '-1'], 2, 'Use a finite number at least 0.'],
    ['a probability above 1', ['--top-p', '2'], 2, 'Use a finite number above 0 and at most 1.'],
    ['a format that no cache has', ['--cache-format', 'nvfp4'], 2, "argument 'nvfp4' is invalid"],
    ['an empty stop sequence', ['--stop', ''], 2, '--stop "" is not allowed'],
    ['a prompts file that is missing', ['--prompts-file', 'absent.txt'], 2, '--prompts-file absent.txt cannot be read'],
    ['a prompts file without a prompt', ['--prompts-file', 'none.txt'], 2, '--prompts-file none.txt has no prompt'],
    ['a line that is no prompt', ['--prompts-file', 'bad.jsonl'], 2, 'bad.jsonl:2 is no prompt in JSON'],
    ['a penalty of nothing', ['--repetition-penalty', '0'], 2, 'Use a finite number above 0.'],
  ])('refuses %s', async (_, words, code, message) => {
    writeFileSync(at('none.txt'), '\n\n');
    writeFileSync(at('bad.jsonl'), '"Row"\n{ "text": "two" }\n');
    const outcome = await lmd(['generate', 'run', ...words], folder);
    expect(outcome.code).toBe(code);
    expect(outcome.stderr).toContain(message);
  });

  it('refuses a model of images', async () => {
    writeFileSync(
      at('no-model.safetensors'),
      readFileSync(at('run', 'lmd', 'checkpoints', 'step-00000160.safetensors')),
    );
    const outcome = await lmd(['generate', 'no-model.safetensors'], folder);
    expect(outcome).toMatchObject({ code: 2 });
    expect(outcome.stderr).toContain('is not a language model');
  });
});

describe('a run that is not finished', () => {
  beforeAll(async () => {
    await start(
      ['train', 'text.json', '--out', 'unfinished', '--json'],
      folder,
      (event, child) => void (event.type === 'checkpoint' && event.step === 80 && child.kill('SIGKILL')),
    ).done;
    expect(existsSync(at('unfinished', 'model.safetensors'))).toBe(false);
  });

  it('generates, exports and evaluates from its newest checkpoint, to the same weights', async () => {
    const generated = await json<Generated>('generate', 'unfinished', '--prompt', 'Row', '--max-tokens', '8');
    expect(generated.tokens.length).toBeGreaterThan(0);
    await json('export', 'unfinished', '--layout', 'lmd', '--out', 'half');
    const { results } = await json<{ results: { step: number; testLoss: number; testPerplexity: number }[] }>(
      'evaluate',
      'unfinished',
    );
    expect(results[0]).toMatchObject({ step: 80 });
    expect(results[0]!.testPerplexity).toBeCloseTo(Math.exp(results[0]!.testLoss), 10);
    const file = await json<{ results: { testLoss: number }[] }>('evaluate', 'unfinished', '--model', 'half');
    expect(file.results[0]!.testLoss).toBe(results[0]!.testLoss);
    const again = await json<Generated>('generate', 'half', '--prompt', 'Row', '--max-tokens', '8');
    expect(again.text).toBe(generated.text);
    const { metadata } = parseSafetensors(readFileSync(at('half', 'model.safetensors')));
    expect(metadata.steps).toBe('80');
  });

  it('names the optimizers that there are', async () => {
    const outcome = await lmd(['generate', 'unfinished', '--optimizer', 'lmdd'], folder);
    expect(outcome).toMatchObject({ code: 2, stderr: expect.stringContaining('Did you mean "lmd"?') });
  });
});
