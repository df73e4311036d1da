import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createCpuBackend } from '@lmd/backends/cpu';
import { createOperations } from '@lmd/core';
import { exportPretrained, vit, vitPreset } from '@lmd/models';
import { tensorFrom } from '@lmd/safetensors';
import { writeSafetensorsFile } from '@lmd/safetensors/node';

/**
 * Writes a ViT with random weights as timm has it, for pictures of its own size, which are not resized. Returns its
 * configuration.
 *
 * @param {string} folder
 * @param {string} preset
 * @param {{ depth: number | undefined }} size the number of layers, where it is not that of the preset
 */
export async function writeModel(folder, preset, { depth }) {
  const timm = {
    gelu: /** @type {const} */ ('none'),
    layerNormEpsilon: 1e-6,
    pooling: /** @type {const} */ ('classToken'),
  };
  const model = vit({ ...vitPreset(preset, depth === undefined ? {} : { depth }), ...timm });
  const { imageSize, channels, classes } = model.config;
  const backend = await createCpuBackend();
  try {
    const ops = createOperations(backend);
    const initial = model.initialize(ops, 1);
    // Larger than at the start of training, so that the probabilities differ. The layers before it are left as they
    // are: larger ones would amplify what rounding makes of the pictures.
    const weights = { ...initial, 'head.weight': ops.multiply(initial['head.weight'], 20) };
    const exported = exportPretrained(ops, model, weights, {
      layout: 'timm',
      classNames: Array.from({ length: classes }, (_, label) => `class ${label}`),
      preprocessing: {
        ...{ height: imageSize, width: imageSize, channels, fit: 'crop', cropFraction: 1, interpolation: 'bicubic' },
        ...{ mean: [0.5, 0.5, 0.5], standardDeviation: [0.5, 0.5, 0.5], orientation: 'stored' },
      },
    });
    /** @type {Record<string, import('@lmd/safetensors').SafetensorsTensor>} */
    const tensors = {};
    for (const [name, { shape, read }] of Object.entries(exported.tensors)) {
      tensors[name] = tensorFrom(await read(), shape);
    }
    await writeSafetensorsFile(join(folder, 'model.safetensors'), { tensors, metadata: { format: 'pt' } });
    writeFileSync(join(folder, 'config.json'), JSON.stringify(exported.config));
  } finally {
    backend.close();
  }
  return model.config;
}
