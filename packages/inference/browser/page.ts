import type { ImageInput } from '@lmd/inference';
import { loadModel } from '@lmd/inference';
import { chooseBackend } from '@lmd/inference/backend';

/** What the README shows for a page: `url` is that of a model, and `picture` a file that the user selects. */
export async function classifyPicture(url: string, picture: ImageInput) {
  const model = await loadModel(url, { backend: await chooseBackend() });
  const { className, probability } = await model.classify(picture);
  model.dispose();
  return { className, probability };
}
