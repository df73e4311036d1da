/**
 * npm run bench -- prediction [--json] [--quick] [--pictures 1000] [--preset S/16] [--rounds 1]
 *
 * Classifies a folder of JPEGs with `lmd predict` on the cpu backend, decoding included, compared with the inference of
 * timm on the same files, weights and number of threads; then decodes the same files, and JPEGs of 500 × 375 pixels,
 * compared with Pillow; and photographs of 4000 × 3000 pixels, of which there are 40 at most, at a reduced size. Times
 * are from the first picture to the last: both programs have started and loaded the model. timm runs with and without
 * worker processes for decoding; the faster counts. The predictions must agree before times are compared. timm and
 * Pillow are those of python3 or the Python given by LMD_PYTHON (`dev/parity/requirements.txt`).
 * `--quick` classifies 8 small pictures with a small model, without comparisons; its times are not meaningful.
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { pythonHas } from '../lib/python.mjs';
import { print } from '../lib/report.mjs';
import { benchDecoding, benchReducedDecoding } from './decoding.mjs';
import { writeModel } from './model.mjs';
import { writePictures } from './pictures.mjs';
import { benchPrediction } from './predict.mjs';

const { values: given } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    quick: { type: 'boolean', default: false },
    pictures: { type: 'string' },
    preset: { type: 'string' },
    rounds: { type: 'string', default: '1' },
  },
});
const { quick } = given;
const count = Number(given.pictures ?? (quick ? 8 : 1000));
const preset = given.preset ?? (quick ? 'Ti/4' : 'S/16');
const rounds = Number(given.rounds);
// The command computes in as many threads as there are processors.
const threads = availableParallelism();

const folder = mkdtempSync(join(tmpdir(), 'lmd-prediction-'));
try {
  const inFolder = (name) => {
    mkdirSync(join(folder, name));
    return join(folder, name);
  };
  const [model, pictures] = [inFolder('model'), inFolder('pictures')];
  const { imageSize } = await writeModel(model, preset, { depth: quick ? 1 : undefined });
  await writePictures(pictures, { count, width: imageSize, height: imageSize });
  const hasPeer = !quick && pythonHas('timm', 'timm', 'torch', 'PIL');
  const options = { count, rounds, threads, hasPeer };
  benchPrediction({ ...options, model, pictures, name: `ViT-${preset}, ${count} JPEGs of ${imageSize} px` });
  await benchDecoding({ ...options, pictures, name: `${imageSize} × ${imageSize}` });
  if (!quick) {
    const photographs = inFolder('photographs');
    const some = Math.min(count, 300);
    await writePictures(photographs, { count: some, width: 500, height: 375 });
    await benchDecoding({ ...options, count: some, pictures: photographs, name: '500 × 375' });
    const [phone, large] = [inFolder('phone'), { count: Math.min(count, 40), width: 4000, height: 3000 }];
    await writePictures(phone, { ...large, different: 4 });
    await benchReducedDecoding({ ...options, ...large, pictures: phone, name: '4000 × 3000', side: 224 });
  }
  print(given.json);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
