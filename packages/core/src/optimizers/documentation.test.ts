import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import * as core from '../index.js';
import { type LmdOptions, lmd, type Optimizer, stateBytes } from '../index.js';
import { descend, meanOf, randomNumbers, testOperations, values } from './test-support.js';

const path = (relative: string) => fileURLToPath(new URL(relative, import.meta.url));
const page = path('../../../../docs/optimizers.md');
const updates = process.env.UPDATE_DOCS === '1';

/** Every export that makes a rule by itself, from options or from none. */
const rules: Record<string, () => Optimizer> = {};
for (const [name, make] of Object.entries(core)) {
  // A part of rules makes no rule without its functions.
  if (typeof make !== 'function' || name === 'perWeightRule') continue;
  const create = () => (make as (options: object) => Optimizer)(name === 'ivon' ? { effectiveSampleSize: 1000 } : {});
  try {
    const rule: Partial<Optimizer> = create();
    // Another function may have begun something that fails later.
    if (rule instanceof Promise) rule.catch(() => undefined);
    if (typeof rule?.update === 'function' && typeof rule.draw === 'function') rules[name] = create;
  } catch {
    // Not a rule: it wants other arguments.
  }
}

describe('docs/optimizers.md', () => {
  // Writes where UPDATE_DOCS=1 asks for it, and is no test.
  const update = async () => {
    let text = await readFile(page, 'utf8');
    text = filled(text, 'state', await stateTable());
    text = filled(text, 'lean', await leanTable());
    for (const [, name] of text.matchAll(/<!-- options (\w+) -->/g)) {
      text = filled(text, `options ${name}`, optionsList(name!), 'options');
    }
    await writeFile(page, text);
  };
  if (updates) it('is written anew', update);

  it('has a section for every rule that is exported, and knows no other', async () => {
    const text = await readFile(page, 'utf8');
    const sections = [...text.matchAll(/^## `(\w+)`$/gm)].map(([, name]) => name!);
    expect(Object.keys(rules).length).toBeGreaterThan(10);
    expect(sections.sort()).toEqual(Object.keys(rules).sort());
  });

  it('lists every option as its table declares it', async () => {
    const text = await readFile(page, 'utf8');
    const names = [...text.matchAll(/<!-- options (\w+) -->/g)].map(([, name]) => name!);
    // All rules but `frozen`, which has none.
    expect(names.length).toBe(Object.keys(rules).length - 1);
    for (const name of names) expect(blockOf(text, `options ${name}`, 'options')).toBe(optionsList(name));
  });

  it('states what each rule holds as it is', async () => {
    expect(blockOf(await readFile(page, 'utf8'), 'state')).toBe(await stateTable());
  });
});

/** What stands between the marks of a block, without the blank lines beside them. */
function blockOf(text: string, name: string, end = name): string {
  const found = new RegExp(`<!-- ${name} -->\\n([\\s\\S]*?)<!-- /${end} -->`).exec(text);
  return found![1]!.trim();
}

function filled(text: string, name: string, contents: string, end = name): string {
  return text.replace(
    new RegExp(`(<!-- ${name} -->\\n)[\\s\\S]*?(<!-- /${end} -->)`),
    (_, before, after) => `${before}\n${contents}\n\n${after}`,
  );
}

async function stateTable(): Promise<string> {
  const rows = [];
  for (const [name, create] of Object.entries(rules)) {
    const ops = testOperations();
    const random = randomNumbers(1);
    const weight = ops.fromData(
      Float32Array.from({ length: 64 * 128 }, () => random() - 0.5),
      [64, 128],
    );
    const state = await create().init(ops, { w: weight });
    const tensors = Object.entries(state.tensors).map(
      ([vector, { shape }]) => `\`${vector.slice(2)}\`${shape.length === 0 ? ' (a scalar)' : ''}`,
    );
    rows.push([`\`${name}\``, tensors.join(', '), (stateBytes(state) / (64 * 128)).toFixed(1)]);
  }
  return table(['rule', 'tensors', 'bytes a weight'], rows);
}

const leanOptions: readonly LmdOptions[] = [
  { stateFormat: 'f32', gradientScaling: 'sample' },
  { stateFormat: 'block16', gradientScaling: 'sample' },
  { stateFormat: 'f32', gradientScaling: 'none' },
  { stateFormat: 'block16', gradientScaling: 'none' },
  { stateFormat: 'block8', gradientScaling: 'none' },
];

/** Bytes of each state, and how far down a quadratic it comes: ½ |w − w*|² over 256 weights, 300 steps, three seeds. */
async function leanTable(): Promise<string> {
  const size = 256;
  const seeds = [1, 2, 3];
  const rows = [];
  for (const options of leanOptions) {
    const rule = lmd({
      ...options,
      regularization: 0.02,
      noise: 0.02,
      learningRate: core.schedules.cosine({ from: 0.03, to: 3e-4, steps: 300 }),
    });
    const left = [];
    let bytes = 0;
    for (const seed of seeds) {
      const ops = testOperations();
      const random = randomNumbers(seed);
      const goal = ops.fromData(Float32Array.from({ length: size }, () => random() - 0.5));
      const initial = ops.multiply(ops.randomNormal([size], { seed, stream: 1, step: 0, sample: 0 }), 0.1);
      const lossOf = async (state: Parameters<Optimizer['weights']>[1]) => {
        const distance = ops.subtract(rule.weights(ops, state).w!, goal);
        return (await values(ops, ops.mean(ops.multiply(distance, distance))))[0]!;
      };
      const before = await lossOf(await rule.init(ops, { w: initial }));
      const state = await descend(ops, rule, initial, 300, (w) => ops.subtract(w, goal));
      left.push((await lossOf(state)) / before);
      bytes = (stateBytes(state) - 4) / size;
    }
    const percent = `${(100 * meanOf(left)).toPrecision(2)} %`;
    rows.push([`\`${options.stateFormat}\``, `\`${options.gradientScaling}\``, bytes.toFixed(2), percent]);
  }
  const note = `The part of the initial loss that is left on ½ |w − w*|² over ${size} weights after 300 steps, mean of seeds ${seeds.join(', ')}; written ${new Date().toISOString().slice(0, 10)} by the command at the top, which computes in TypeScript.`;
  return `${table(['`stateFormat`', '`gradientScaling`', 'bytes a weight', 'loss left'], rows)}\n\n${note}`;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

/** The options of a rule, in the order of its table. */
function optionsList(name: string): string {
  const rule = name[0]!.toLowerCase() + name.slice(1).replace(/Options$/, '');
  const table: core.OptionTable = core.optimizerRules[rule as core.OptimizerRuleName].options;
  return Object.entries(table)
    .map(([option, declared]) => `- \`${option}\`: ${core.describeOption(declared)}`)
    .join('\n');
}
