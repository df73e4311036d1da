import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseSafetensors, toFloat32Array } from '@lmd/safetensors';
import { beforeAll, describe, expect, it } from 'vitest';
import { lmd, sha256, start, temporaryFolder, tiny } from './lmd.js';

const folder = temporaryFolder();
const at = (...path: string[]) => join(folder, ...path);
const weightsOf = (...path: string[]) => {
  const { tensors } = parseSafetensors(readFileSync(at(...path, 'model.safetensors')));
  return Object.fromEntries([...tensors].map(([name, tensor]) => [name, toFloat32Array(tensor)]));
};

/** The smoke preset from the weights of a run before, with a way of fine-tuning. */
const from = (base: string, ...settings: string[]) => [...tiny, `model.weights=${base}`, ...settings];
const adapters = 'fineTuning.lora={"rank":2,"alpha":4}';

async function train(out: string, words: readonly string[]) {
  expect(await lmd(['train', ...words, '--out', out], folder)).toMatchObject({ code: 0, stderr: '' });
}

beforeAll(() => train('base', [...tiny, '--only', 'lmd']));

/** Which weights of two models differ. */
function changed(a: string, b: string): string[] {
  const [before, after] = [weightsOf(a), weightsOf(b)];
  expect(Object.keys(after)).toEqual(Object.keys(before));
  return Object.keys(before).filter((name) => !before[name]!.every((value, i) => value === after[name]![i]));
}

describe('lmd train with fineTuning', () => {
  it('trains adapters, exports them merged, and leaves the rest as it is', async () => {
    await train('adapted', from('base', adapters, 'fineTuning.train=["head.*"]'));
    expect(changed('base', 'adapted').sort()).toEqual(
      ['head.bias', 'head.weight', 'blocks.0.attention.projection.weight', 'blocks.0.attention.qkv.weight'].sort(),
    );
    const { results } = JSON.parse(readFileSync(at('adapted', 'summary.json'), 'utf8'));
    expect(results.map(({ optimizer }: { optimizer: string }) => optimizer)).toEqual(['lmd', 'adamw']);
    // A checkpoint holds the adapters' state alone.
    const checkpoint = readFileSync(at('adapted', 'lmd', 'checkpoints', 'step-00000016.safetensors'));
    const names = [...parseSafetensors(checkpoint).tensors.keys()];
    expect(names).toContainEqual(expect.stringMatching(/attention\.qkv\.loraA\.weight\/logPlus$/));
    expect(names.filter((name) => name.includes('mlp'))).toEqual([]);
  });

  it('is evaluated, quantized and inspected as any run', async () => {
    const { stdout } = await lmd(['evaluate', 'adapted', '--json'], folder);
    const { results } = JSON.parse(stdout);
    const summary = JSON.parse(readFileSync(at('adapted', 'summary.json'), 'utf8'));
    for (const [index, { testLoss }] of summary.results.entries()) {
      expect(results[index].testLoss).toBeCloseTo(testLoss, 6);
    }
    const merged = await lmd(['evaluate', 'adapted', '--model', 'adapted', '--json'], folder);
    expect(JSON.parse(merged.stdout).results[0].testLoss).toBeCloseTo(summary.results[0].testLoss, 5);
    expect(await lmd(['quantize', 'adapted', '--format', 'mxfp8_e4m3'], folder)).toMatchObject({ code: 0 });
    const packed = ['evaluate', 'adapted', '--model', 'adapted/model.mxfp8_e4m3.safetensors', '--json'];
    expect(JSON.parse((await lmd(packed, folder)).stdout).results[0]).toMatchObject({
      optimizer: 'model.mxfp8_e4m3.safetensors',
      testAccuracy: expect.closeTo(summary.results[0].testAccuracy, 1),
    });
    expect((await lmd(['inspect', 'adapted'], folder)).stdout).toMatch(/lmd +lmd +mxfp6_e3m2 +done +16\/16/);
  });

  it('exports adapters alone, as PEFT has them, and merges such into a model', async () => {
    const shown = await lmd(['export', 'adapted', '--layout', 'peft', '--out', 'adapters', '--json'], folder);
    expect(JSON.parse(shown.stdout)).toMatchObject({
      layout: 'peft',
      files: ['adapter_model.safetensors', 'adapter_config.json'],
    });
    const file = 'adapter_model.safetensors';
    const names = [...parseSafetensors(readFileSync(at('adapters', file))).tensors.keys()];
    const attention = 'base_model.model.blocks.0.attn';
    expect(names).toContain(`${attention}.qkv.lora_A.weight`);
    expect(names.every((name) => name.startsWith(attention) || /\.head\.(weight|bias)$/.test(name))).toBe(true);
    expect(JSON.parse(readFileSync(at('adapters', 'adapter_config.json'), 'utf8'))).toMatchObject({
      ...{ r: 2, lora_alpha: 4, base_model_name_or_path: null, modules_to_save: ['head'] },
      target_modules: ['blocks.0.attn.qkv', 'blocks.0.attn.proj'],
    });
    const merging = ['export', 'base', '--adapters', 'adapters', '--layout', 'lmd', '--out', 'merged'];
    expect(await lmd(merging, folder)).toMatchObject({ code: 0, stderr: '' });
    for (const [name, values] of Object.entries(weightsOf('adapted'))) {
      const merged = weightsOf('merged')[name]!;
      for (const [i, value] of values.entries()) expect(merged[i], name).toBeCloseTo(value, 5);
    }
    expect(changed('base', 'merged')).toEqual(changed('base', 'adapted'));
    // Of the second rule, other adapters.
    await lmd(['export', 'adapted', '--layout', 'peft', '--optimizer', 'adamw', '--out', 'other'], folder);
    expect(sha256(at('other', file))).not.toBe(sha256(at('adapters', file)));
  });

  it.each([
    [['base', '--layout', 'peft'], '--layout peft needs adapters, but base has trained none', 2],
    [['adapted', '--layout', 'peft', '--optimizer', 'lion'], '--optimizer', 2],
    [['adapted', '--layout', 'peft', '--adapters', 'adapters'], 'cannot be combined', 2],
    [['adapted', '--layout', 'peft', '--shard-size', '1MB'], 'cannot be combined', 2],
    [['base', '--layout', 'lmd', '--adapters', 'nowhere'], 'adapter_config.json (ENOENT)', 1],
  ])('lmd export %j is refused, and writes nothing', async (words, message, exit) => {
    const { code, stderr } = await lmd(['export', ...words, '--out', 'refused'], folder);
    expect(stderr).toContain(message);
    expect(code).toBe(exit);
    expect(existsSync(at('refused'))).toBe(false);
  });

  it('resumes adapters to the same bits, and refuses another base', async () => {
    const words = ['train', ...from('base', adapters), '--only', 'lmd'];
    await train('whole', words.slice(1));
    const interrupted = start([...words, '--out', 'part', '--json'], folder, (event, child) => {
      if (event.type === 'step' && event.step === 6) child.kill('SIGINT');
    });
    expect(await interrupted.done).toMatchObject({ code: 130 });
    // Another base under the same name is noticed.
    const configuration = readFileSync(at('part', 'config.json'), 'utf8');
    const model = readFileSync(at('base', 'model.safetensors'));
    const other = Buffer.from(model);
    other.writeFloatLE(0.125, other.length - 8);
    writeFileSync(at('base', 'model.safetensors'), other);
    const refused = await lmd(['train', '--resume', 'part'], folder);
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain('configuration.base');
    writeFileSync(at('base', 'model.safetensors'), model);
    expect(readFileSync(at('part', 'config.json'), 'utf8')).toBe(configuration);
    expect(await lmd(['train', '--resume', 'part'], folder)).toMatchObject({ code: 0, stderr: '' });
    expect(sha256(at('part', 'model.safetensors'))).toBe(sha256(at('whole', 'model.safetensors')));
  });

  it.each([
    ['train', '["blocks.0.mlp.*"]', (name: string) => name.startsWith('blocks.0.mlp.')],
    ['freeze', '["blocks.*", "positionEmbedding"]', (name: string) => !/^(blocks|positionEmbedding)/.test(name)],
    ['train', '["head.bias"]', (name: string) => name === 'head.bias'],
    ['train', '["head.weight"]', (name: string) => name === 'head.weight'],
  ])('trains chosen weights alone: %s %s', async (key, patterns, isTrained) => {
    const out = `${key}-${patterns.replace(/\W/g, '')}`;
    await train(out, from('base', `fineTuning.${key}=${patterns}`, '--only', 'lmd'));
    expect(changed('base', out)).toEqual(Object.keys(weightsOf('base')).filter(isTrained));
  });

  it('begins a new head from the seed, for other classes', async () => {
    await train('classes', from('base', 'fineTuning.fresh=["head.*"]', 'data.classes=6', '--only', 'lmd'));
    expect(weightsOf('classes')['head.bias']).toHaveLength(6);
    await train('only', from('base', 'fineTuning={"fresh":["head.*"],"train":["head.*"]}', 'data.classes=6'));
    const { 'head.weight': _, 'head.bias': __, ...kept } = weightsOf('only');
    for (const [name, values] of Object.entries(kept)) expect(values, name).toEqual(weightsOf('base')[name]);
  });

  it.each([
    ['at the pretrained weights', 'initialWeights', true],
    ['at zero', undefined, false],
  ])('trains all weights with a prior %s', async (_, priorMedian, stays) => {
    const settings = [
      ...(priorMedian === undefined ? [] : [`optimizers.lmd.priorMedian=${priorMedian}`]),
      // So strong that it holds |log(m/m₀)| below 0.1, wherever it is.
      'optimizers.lmd.regularization=10',
      'optimizers.lmd.learningRate=0.02',
    ];
    const out = `prior-${stays}`;
    await train(out, from('base', ...settings, '--only', 'lmd'));
    const distance = (name: string) => {
      const [a, b] = [weightsOf('base')[name]!, weightsOf(out)[name]!];
      return Math.hypot(...a.map((value, i) => value - b[i]!)) / Math.hypot(...a);
    };
    if (stays) expect(distance('blocks.0.mlp.up.weight')).toBeLessThan(0.3);
    else expect(distance('blocks.0.mlp.up.weight')).toBeGreaterThan(0.6);
    const { weights } = JSON.parse(readFileSync(at(out, 'lmd', 'posterior.json'), 'utf8'));
    expect(weights.every(({ logPriorMedian }: { logPriorMedian: number }) => Number.isFinite(logPriorMedian))).toBe(
      true,
    );
  });

  it.each<[string, string[], string]>([
    ['no weights to start from', ['fineTuning.train=["head.*"]'], 'fineTuning needs initial weights'],
    [
      'a pattern that matches none',
      from('base', 'fineTuning.train=["tail.*"]').slice(4),
      'tail.*, which matches no weight',
    ],
    ['train beside freeze', ['fineTuning={"train":["a"],"freeze":["b"]}'], 'cannot be combined'],
    ['adapters beside freeze', ['fineTuning={"lora":{},"freeze":["b"]}'], 'cannot be combined'],
    ['nothing', ['fineTuning={}'], 'fineTuning.lora is missing'],
    ['an unknown key', ['fineTuning.lora.rang=3'], 'fineTuning.lora has no option "rang". Did you mean "rank"?'],
    [
      'a fresh head that is frozen',
      ['model.weights=base', 'fineTuning={"fresh":["head.*"],"lora":{}}'],
      'is not trained and would stay random',
    ],
    ['all frozen', ['model.weights=base', 'fineTuning.freeze=["*"]'], 'leaves no weight'],
    ['adapters of vectors', ['model.weights=base', 'fineTuning.lora.targets=["norm.gain"]'], 'which is not a matrix'],
    [
      'a rank above the extents of a target',
      ['model.weights=base', 'fineTuning.lora={"rank":40,"targets":["head.weight"]}'],
      'fineTuning.lora.rank is 40, but head.weight is [32,4]. Use 4 or less',
    ],
  ])('refuses %s', async (_, settings, message) => {
    const outcome = await lmd(['train', ...tiny, ...settings, '--out', 'refused'], folder);
    expect(outcome.stderr).toContain(message);
    expect(outcome.code).toBeGreaterThan(0);
  });
});
