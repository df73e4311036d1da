import type { ImagePreprocessing } from '@lmd/core';
import { describe, expect, it } from 'vitest';
import { errorOf, reference } from '../../test/support.js';
import { describePretrained, exportPretrained, gpt2, type PretrainedModel, vit } from '../index.js';

const images = { imageSize: 8, channels: 3, patchSize: 4, width: 8, depth: 1, heads: 2, classes: 3 };
const classNames = ['ant', 'bee', 'constructor'];
const crop: ImagePreprocessing = {
  height: 8,
  width: 8,
  channels: 3,
  fit: 'crop',
  cropFraction: 0.9,
  interpolation: 'bicubic',
  mean: [0.1, 0.2, 0.3],
  standardDeviation: [0.4, 0.5, 0.6],
  orientation: 'exif',
};
const stretch: ImagePreprocessing = { ...crop, fit: 'stretch', cropFraction: 1, interpolation: 'bilinear' };

type Options = NonNullable<Parameters<typeof exportPretrained>[3]>;

function exported(model: PretrainedModel, options: Options) {
  const { ops } = reference('f32');
  const { config, files, tensors } = exportPretrained(ops, model, model.initialize(ops, 1), options);
  const shapes = new Map(Object.entries(tensors).map(([name, { shape }]) => [name, shape]));
  // As files hold them.
  const stored = JSON.parse(JSON.stringify({ config, files }));
  return {
    config: stored.config,
    files: stored.files,
    shapes,
    described: describePretrained(stored.config, shapes, stored.files['preprocessor_config.json']),
  };
}

describe('exportPretrained and describePretrained', () => {
  it.each([
    ['transformers', crop],
    ['transformers', stretch],
    ['timm', crop],
    ['timm', stretch],
  ] as const)('give class names and preprocessing back from the files of %s', (layout, preprocessing) => {
    const model = vit(images);
    const { described } = exported(model, { layout, classNames, preprocessing });
    // timm's data sets use pixels as they are stored.
    const orientation = layout === 'timm' ? 'stored' : 'exif';
    expect(described).toMatchObject({
      architecture: 'vit',
      classNames,
      preprocessing: { ...preprocessing, orientation },
    });
    expect(vit(described!.options as Parameters<typeof vit>[0]).config).toEqual(model.config);
  });

  it.each(['transformers', 'timm'] as const)('decode in full in %s, which cannot state another decoding', (layout) => {
    const files = (preprocessing: ImagePreprocessing) => {
      const { config, files } = exported(vit(images), { layout, preprocessing });
      return { config, files };
    };
    expect(files({ ...crop, decoding: 'reduced' })).toEqual(files(crop));
  });

  it('describe every size of a ViT of timm, with a mean and an MLP of any width', () => {
    const odd = { ...images, width: 48, heads: 4, mlpWidth: 100, pooling: 'mean', gelu: 'tanh' } as const;
    const { config, described } = exported(vit(odd), { layout: 'timm' });
    expect(described!.options).toEqual(expect.objectContaining(odd));
    expect(config.model_args).toMatchObject({ class_token: false, global_pool: 'avg', fc_norm: false });
    expect(Math.trunc(48 * config.model_args.mlp_ratio)).toBe(100);
  });

  it.each(['transformers', 'timm'] as const)('have no names and no preprocessing where %s has none', (layout) => {
    const { described, files } = exported(vit(images), { layout });
    expect(described).not.toHaveProperty('classNames');
    expect(described).not.toHaveProperty('preprocessing');
    expect(described).not.toHaveProperty('unsupportedPreprocessing');
    expect(files).toEqual({});
  });

  it('write labels both ways', () => {
    const { config } = exported(vit(images), { classNames });
    expect(config.id2label).toEqual({ 0: 'ant', 1: 'bee', 2: 'constructor' });
    expect(config.label2id).toEqual({ ant: 0, bee: 1, constructor: 2 });
  });

  it.each([
    [{ 0: 'LABEL_0', 1: 'LABEL_1', 2: 'LABEL_2' }],
    [{ 0: 'ant', 1: 'LABEL_1', 2: 'cat' }],
    [{ 0: 'ant', 1: 'ant', 2: 'cat' }],
    [{ 1: 'ant', 2: 'bee', 3: 'cat' }],
    [{ 0: 'ant', 1: 2, 2: 'cat' }],
  ])('take %j for no names', (id2label) => {
    const { config, shapes } = exported(vit(images), { classNames });
    expect(describePretrained({ ...config, id2label }, shapes)).not.toHaveProperty('classNames');
  });

  it('write where a text of GPT-2 ends', () => {
    const sizes = { contextLength: 4, width: 4, depth: 1, heads: 1 };
    const tokens = { bos_token_id: 3, eos_token_id: 3 };
    const small = exported(gpt2({ vocabularySize: 4, ...sizes }), { endOfText: 3 });
    expect(small.config).toMatchObject(tokens);
    expect(small.files).toEqual({ 'generation_config.json': { ...tokens, pad_token_id: 3 } });
    const unknown = exported(gpt2({ vocabularySize: 4, ...sizes }), {});
    expect(unknown.files['generation_config.json']).toMatchObject({ eos_token_id: null });
    const usual = exported(gpt2({ vocabularySize: 50257, ...sizes }), {});
    expect(usual.files['generation_config.json']).toMatchObject({ eos_token_id: 50256 });
  });

  it.each<[string, PretrainedModel, Options, string]>([
    ['too few names', vit(images), { classNames: ['ant'] }, 'classNames'],
    ['equal names', vit(images), { classNames: ['ant', 'ant', 'bee'] }, 'classNames'],
    ['preprocessing for another size', vit(images), { preprocessing: { ...crop, height: 16 } }, 'preprocessing'],
    ['tokens of a ViT', vit(images), { endOfText: 1 }, 'endOfText'],
    [
      'classes of a GPT-2',
      gpt2({ vocabularySize: 4, contextLength: 4, width: 4, depth: 1, heads: 1 }),
      { classNames },
      'classNames',
    ],
  ])('refuse %s', (_, model, options, subject) => {
    expect(errorOf(() => exported(model, options))).toMatchObject({ code: 'INVALID_ARGUMENT', subject });
  });

  it("refuse another ε than timm's", () => {
    const error = errorOf(() => exported(vit({ ...images, layerNormEpsilon: 1e-12 }), { layout: 'timm' }));
    expect(error).toMatchObject({ code: 'UNSUPPORTED', subject: 'layerNormEpsilon' });
  });
});

describe('preprocessor_config.json of transformers', () => {
  const { config, shapes } = exported(vit(images), {});
  const read = (processor: unknown) => describePretrained(config, shapes, processor)!;
  const usual = { image_mean: [0.5, 0.5, 0.5], image_std: [0.5, 0.5, 0.5] };

  it.each([
    // Of google/vit-base-patch16-224, at another size.
    [
      { feature_extractor_type: 'ViTFeatureExtractor', do_normalize: true, do_resize: true, resample: 2, size: 8 },
      'stretch',
      1,
      'bilinear',
    ],
    [
      { image_processor_type: 'ViTImageProcessorFast', size: { height: 8, width: 8 }, resample: 3 },
      'stretch',
      1,
      'bicubic',
    ],
    [{ image_processor_type: 'CLIPImageProcessor', size: 10, crop_size: 8 }, 'crop', 0.8, 'bicubic'],
    [
      { image_processor_type: 'ConvNextImageProcessor', size: { shortest_edge: 8 }, crop_pct: 0.95 },
      'crop',
      0.95,
      'bilinear',
    ],
  ] as const)('reads %j', (processor, fit, cropFraction, interpolation) => {
    expect(read({ ...usual, ...processor }).preprocessing).toEqual({
      ...{ height: 8, width: 8, channels: 3, fit, cropFraction, interpolation },
      ...{ mean: usual.image_mean, standardDeviation: usual.image_std, orientation: 'exif' },
    });
  });

  it('reads bytes that are not normalized', () => {
    const { preprocessing } = read({ size: 8, do_normalize: false });
    expect(preprocessing).toMatchObject({ mean: [0, 0, 0], standardDeviation: [1, 1, 1] });
  });

  it.each([
    [{ size: 16 }, 'gives inputs of 16 × 16 × 3, but the model takes 8 × 8 × 3'],
    [{ size: 8, resample: 1 }, 'resample = 1'],
    [{ size: 8, rescale_factor: 1 }, 'rescale_factor = 1'],
    [{ size: 8, do_resize: false }, 'do_resize = false'],
    [{ size: { shortest_edge: 8 } }, 'size ='],
    [{ size: { height: 10, width: 10 }, do_center_crop: true, crop_size: 8 }, 'crop_size = 8'],
    [{ size: 8, image_mean: [0.5] }, 'image_mean = [0.5]'],
    [{ size: 8, image_processor_type: 'SegformerImageProcessor' }, 'SegformerImageProcessor'],
    [{ size: 8, do_sharpen: true }, 'do_sharpen = true'],
    [[], 'preprocessor_config.json holds []'],
  ])('says what it cannot express: %j', (processor, message) => {
    const described = read(Array.isArray(processor) ? processor : { ...usual, ...processor });
    expect(described).not.toHaveProperty('preprocessing');
    expect(described.unsupportedPreprocessing).toContain(message);
    expect(described.options).toMatchObject({ imageSize: 8 });
  });
});

describe('pretrained_cfg of timm', () => {
  const { config, shapes } = exported(vit(images), { layout: 'timm', preprocessing: crop });
  it.each([
    [{ crop_mode: 'border' }, 'crop_mode = "border"'],
    [{ interpolation: 'lanczos' }, 'interpolation = "lanczos"'],
    [{ crop_mode: 'squash', crop_pct: 0.5 }, 'crop_pct = 0.5'],
    [{ input_size: [3, 8] }, 'input_size = [3,8]'],
    [{ input_size: [3, 16, 16] }, 'gives inputs of 16 × 16 × 3'],
  ])('says what it cannot express: %j', (changes, message) => {
    const described = describePretrained(
      { ...config, pretrained_cfg: { ...config.pretrained_cfg, ...changes } },
      shapes,
    );
    expect(described).not.toHaveProperty('preprocessing');
    expect(described!.unsupportedPreprocessing).toContain(message);
  });

  it('may hold the names of the classes', () => {
    const within = { ...config, pretrained_cfg: { label_names: classNames } };
    expect(describePretrained(within, shapes)).toMatchObject({ classNames });
  });
});
