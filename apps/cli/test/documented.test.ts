import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { documentedCommands, root } from '../../../test/documentation.js';
import { presets } from '../src/presets/index.js';
import { lmd, temporaryFolder, tiny } from './lmd.js';

const folder = temporaryFolder();

/** Made images of MNIST's shape would not do: a preset is itself, with fewer steps and the smallest network. */
const firstLight = [
  ...['train', 'first-light', '--only', 'adamw', '--set', 'steps=2', 'batchSize=8', 'evaluation.examples=8'],
  ...['optimizers.adamw.schedule.warmup=0', 'model.depth=1'],
];
const speeches = [
  ...['train', 'speeches', '--only', 'lmd', '--set', 'steps=2', 'batchSize=2', 'data.length=16', 'precision=fp32'],
  ...[
    'model.width=32',
    'model.heads=1',
    'model.depth=1',
    'optimizers.lmd.schedule.warmup=0',
    'evaluation.batchSize=500',
  ],
];
const minutes = 'The preset takes minutes.';

interface Executed {
  /** What this test runs for it. */
  readonly words: readonly string[];
  /** Why it is not the command itself. */
  readonly because?: string;
  readonly code?: number;
}

/** How each documented command is executed, in this order. */
const executed: Readonly<Record<string, Executed>> = {
  'lmd doctor': { words: ['doctor'] },
  'lmd train smoke --out my-run': { words: ['train', 'smoke', '--out', 'my-run'] },
  'lmd evaluate my-run --format mxfp4_e2m1': { words: ['evaluate', 'my-run', '--format', 'mxfp4_e2m1'] },
  'lmd inspect my-run': { words: ['inspect', 'my-run'] },
  'lmd quantize my-run --format mxfp6_e3m2': { words: ['quantize', 'my-run', '--format', 'mxfp6_e3m2'] },
  'lmd train smoke --set model.weights=my-run --set fineTuning.lora.rank=4 --out tuned': {
    words: ['train', 'smoke', '--set', 'model.weights=my-run', '--set', 'fineTuning.lora.rank=4', '--out', 'tuned'],
  },
  'lmd export tuned --layout timm --out tuned-timm --shard-size 100KB': {
    words: ['export', 'tuned', '--layout', 'timm', '--out', 'tuned-timm', '--shard-size', '100KB'],
  },
  'lmd export tuned --layout peft --out tuned-adapters': {
    words: ['export', 'tuned', '--layout', 'peft', '--out', 'tuned-adapters'],
  },
  'lmd export my-run --adapters tuned-adapters --layout lmd --out merged': {
    words: ['export', 'my-run', '--adapters', 'tuned-adapters', '--layout', 'lmd', '--out', 'merged'],
  },
  'lmd bench --backend cpu --seconds 0.01': { words: ['bench', '--backend', 'cpu', '--seconds', '0.01'] },
  'lmd train': { words: ['train', ...tiny, '--out', 'plain'], because: 'It stands for the command.' },
  'lmd train config.json': {
    words: ['train', 'my-run/config.json', '--out', 'again'],
    because: 'The file is that of the run before.',
  },
  'lmd train <config.json or preset>': { words: ['train', ...tiny, '--out', 'preset'], because: 'A form.' },
  'lmd evaluate': { words: ['evaluate', 'my-run', '--weights', 'median'], because: 'It stands for the command.' },
  'lmd inspect': { words: ['inspect', 'plain'], because: 'It stands for the command.' },
  'lmd evaluate <run>': { words: ['evaluate', 'my-run'], because: 'A form.' },
  'lmd quantize <model> --format …': { words: ['quantize', 'preset', '--format', 'mxfp8_e4m3'], because: 'A form.' },
  'lmd inspect <run or file>': { words: ['inspect', 'my-run/model.safetensors'], because: 'A form.' },
  'lmd export <model> --out <folder>': {
    words: ['export', 'my-run', '--layout', 'timm', '--out', 'exported'],
    because: 'A form.',
  },
  'lmd bench': { words: ['bench', '--backend', 'cpu', '--seconds', '0.001'], because: 'It takes a minute.' },
  'lmd <command> --help': { words: ['train', '--help'], because: 'A form.' },
  'lmd train first-light': {
    words: [...firstLight, '--out', 'runs/first-light-2025-01-31-001'],
    because: minutes,
  },
  'lmd train smoke --set steps=50 --set optimizers.lmd.noise=0.1': {
    words: ['train', 'smoke', '--set', 'steps=50', '--set', 'optimizers.lmd.noise=0.1'],
  },
  'lmd train my-run.json --json > events.jsonl': {
    words: ['train', 'my-run/config.json', '--json', '--out', 'events'],
    because: 'A test has no shell to send the lines to a file.',
  },
  'lmd train --resume runs/first-light-2025-01-31-001': {
    words: ['train', '--resume', 'runs/first-light-2025-01-31-001'],
  },
  'lmd evaluate runs/first-light-2025-01-31-001 --format all': {
    words: ['evaluate', 'my-run', '--format', 'all'],
    because: '10,000 images in each format take minutes.',
  },
  'lmd evaluate my-run --model my-run/model.mxfp6_e3m2.safetensors': {
    words: ['evaluate', 'my-run', '--model', 'my-run/model.mxfp6_e3m2.safetensors'],
  },
  'lmd data prepare sotu --out data/sotu': {
    words: ['data', 'prepare', 'sotu', '--out', 'data/sotu', '--tokenizer', 'characters', '--validation', '0.03'],
    because: "GPT-2's tokens of all speeches take many seconds.",
  },
  'lmd data prepare <source …>': {
    words: ['data', 'prepare', join(root, 'README.md'), join(root, 'LICENSE'), '--out', 'pages', '--validation', '0.5'],
    because: 'A form.',
  },
  'lmd train speeches': { words: [...speeches, '--out', 'runs/speeches-2025-01-31-001'], because: 'It takes hours.' },
  'lmd generate runs/speeches-2025-01-31-001 --prompt "My fellow citizens"': {
    words: ['generate', 'runs/speeches-2025-01-31-001', '--prompt', 'My'],
    because: 'The context of the small model is 16 characters.',
  },
  'lmd generate': { words: ['generate', 'runs/speeches-2025-01-31-001'], because: 'It stands for the command.' },
  'lmd data prepare': {
    words: ['data', 'prepare', join(root, 'README.md'), join(root, 'LICENSE'), '--out', 'two', '--validation', '0.5'],
    because: 'It stands for the command.',
  },
  'lmd generate <run or model>': { words: ['generate', 'runs/speeches-2025-01-31-001'], because: 'A form.' },
  'lmd export runs/speeches-2025-01-31-001 --out gpt2-speeches': {
    words: ['export', 'runs/speeches-2025-01-31-001', '--out', 'gpt2-speeches'],
  },
  'lmd inspect runs/first-light-2025-01-31-001': { words: ['inspect', 'runs/first-light-2025-01-31-001'] },
  'lmd inspect model.safetensors --html weights.html': {
    words: ['inspect', 'my-run/model.safetensors', '--html', 'weights.html'],
    because: 'The file stands in the run.',
  },
  'lmd quantize model.safetensors --format mxfp6_e3m2': {
    words: ['quantize', 'my-run/model.safetensors', '--format', 'mxfp6_e3m2', '--force'],
    because: 'The file stands in the run.',
  },
  'lmd bench --backend cpu webgpu': {
    words: ['bench', '--backend', 'cpu', 'tfjs-wasm', '--seconds', '0.001'],
    because: 'A machine of tests has no WebGPU; it takes minutes.',
  },
};

const documented = documentedCommands(/^lmd \S/);
beforeAll(async () => {
  mkdirSync(join(folder, 'runs'));
  // The examples of --help, each with what it means behind two spaces or more.
  const { stdout } = await lmd(['--help'], folder);
  for (const [, command] of stdout.matchAll(/^ {2}(lmd .*?)(?: {2,}.*)?$/gm)) documented.add(command!);
});

describe('every command of the documentation', () => {
  it('is one that a test executes, and no other is', () => {
    expect(documented.size).toBeGreaterThan(15);
    expect([...documented].filter((command) => !Object.hasOwn(executed, command))).toEqual([]);
    expect(Object.keys(executed).filter((command) => !documented.has(command))).toEqual([]);
    expect(Object.keys(presets)).toEqual(['first-light', 'smoke', 'speeches']);
  });

  it.each(Object.entries(executed))('works: %s', async (command, { words, because }) => {
    const outcome = await lmd(words, folder);
    expect(outcome, outcome.stderr).toMatchObject({ code: 0, signal: null });
    // The command itself, or a reason why not.
    const itself = command.replace(/^lmd /, '') === words.join(' ');
    expect(itself || because !== undefined).toBe(true);
  });

  it('has help with an example, whatever it is', async () => {
    const { stdout } = await lmd(['--help'], folder);
    const names = [...stdout.matchAll(/^ {2}([a-z]+) (?:\[options\]|<|\[)/gm)].map(([, name]) => name!);
    expect(names.length).toBeGreaterThan(8);
    for (const name of names) {
      const help = await lmd(name === 'data' ? ['data', 'prepare', '--help'] : [name, '--help'], folder);
      expect(help, name).toMatchObject({ code: 0, stderr: '' });
      expect(help.stdout).toMatch(/Examples:\n {2}lmd /);
    }
  });
});
