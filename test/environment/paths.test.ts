import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { consumerProject, lmdOf, runNode } from './consumer.js';

// Where a URL and a path differ: a fragment, an escape, characters that are escaped in URLs, and a space.
const odd = 'a #1 %41 ü ☃';
const project = consumerProject(odd);
const lmd = async (...words: string[]) => {
  const outcome = await runNode([lmdOf(project), ...words], project);
  expect({ words, ...outcome }).toMatchObject({ code: 0 });
  return outcome.stdout;
};

const names = {
  texts: `texts ${odd}`,
  tokens: `tokens ${odd}`,
  configuration: `configuration ${odd}.json`,
  run: `run ${odd}`,
  model: `model ${odd}`,
};

beforeAll(() => {
  mkdirSync(join(project, names.texts));
  for (let i = 0; i < 10; i++) {
    writeFileSync(
      join(project, names.texts, `${i} ${odd}.txt`),
      `The text number ${i} says ${i % 2 ? 'yes' : 'no'}. `.repeat(20),
    );
  }
  const configuration = {
    steps: 4,
    batchSize: 4,
    backend: 'cpu',
    data: { kind: 'tokens', folder: names.tokens, length: 16 },
    model: { kind: 'gpt2', width: 16, depth: 1, heads: 2 },
    optimizers: [{ name: 'sgd', rule: 'sgd', learningRate: 0.01 }],
    evaluation: { every: 2, batchSize: 4 },
    checkpoints: { every: 2, keep: 2 },
  };
  writeFileSync(join(project, names.configuration), JSON.stringify(configuration));
});

describe(`in a folder named "${odd}"`, () => {
  it('lmd prepares text, trains, resumes, evaluates, generates and exports', async () => {
    await lmd(
      'data',
      'prepare',
      names.texts,
      '--out',
      names.tokens,
      '--tokenizer',
      'characters',
      '--validation',
      '0.3',
    );
    await lmd('train', names.configuration, '--out', names.run);
    expect(existsSync(join(project, names.run, 'report.html'))).toBe(true);
    await lmd('train', '--resume', names.run);
    expect(await lmd('evaluate', names.run)).toContain('sgd');
    await lmd('generate', names.run, '--prompt', 'The ', '--max-tokens', '4');
    await lmd('export', names.run, '--out', names.model);
    expect(await lmd('inspect', join(names.model, 'model.safetensors'))).toContain('transformer');
  });

  it('TensorFlow.js finds its WebAssembly files', async () => {
    const run = await lmd('train', 'smoke', '--set', 'backend=tfjs-wasm', '--only', 'adamw', '--out', `smoke ${odd}`);
    expect(run).toContain('adamw');
  });
});
