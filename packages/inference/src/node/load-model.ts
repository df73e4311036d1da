import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { decodeImage } from '@lmd/data/node';
import { withFileErrors } from '@lmd/training/node';
import { drawInBrowser } from '../browser-images.js';
import type { DecodeImage, ImageInput } from '../image-input.js';
import { type ImageReading, type LoadedModel, type LoadModelOptions, loadFrom } from '../load-model.js';
import { type ModelFile, openModel } from '../model-file.js';
import { bytesOf, type ModelSource, modelFilesOf } from '../model-sources.js';
import { posteriorSampling } from '../posterior/posterior-sampling.js';
import { openModelFile } from './model-files.js';

/** What Node reads as a picture: the path of an image file as well. */
export type NodeImageInput = ImageInput | string;

const decode: DecodeImage = async (image, preprocessing) => {
  const bytes = bytesOf(image) ?? new Uint8Array(await (image as Blob).arrayBuffer());
  return decodeImage(bytes, { preprocessing });
};

const nodeImages: ImageReading = {
  decode,
  async decodeFile(path, preprocessing) {
    const bytes = await withFileErrors('read', path, () => readFile(path));
    return decodeImage(bytes, { path, preprocessing });
  },
  draw: drawInBrowser,
};

/**
 * `loadModel` of `@lmd/inference` for Node. A text is the path of a model file, of the index of a sharded model, or of
 * a folder: that of a run, or of a model of transformers or timm. A URL is a `URL` object (`file:` too) or a text that
 * begins with `http://` or `https://`. Pictures may be paths. They are decoded by sharp, as those that a model is
 * evaluated on.
 *
 * @throws LmdError naming the path, the file, or the setting, with what to do.
 */
export async function loadModel(source: ModelSource, options: LoadModelOptions): Promise<LoadedModel<NodeImageInput>> {
  const path = pathOf(source);
  const file = await (path === undefined ? openModel(await modelFilesOf(source)) : openModelFile(path));
  return loadOpenModel(file, options);
}

/** `loadModel` for an open file, which it closes. */
export function loadOpenModel(file: ModelFile, options: LoadModelOptions): Promise<LoadedModel<NodeImageInput>> {
  return loadFrom<NodeImageInput>(file, { posterior: posteriorSampling, ...options }, nodeImages);
}

function pathOf(source: ModelSource): string | undefined {
  if (source instanceof URL) return source.protocol === 'file:' ? fileURLToPath(source) : undefined;
  return typeof source === 'string' && !/^https?:\/\//.test(source) ? source : undefined;
}
