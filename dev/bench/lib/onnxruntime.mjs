import { leaveOut } from './report.mjs';

/**
 * Options of a cpu backend with the products of onnxruntime-node, or of the package in the folder that LMD_ONNXRUNTIME
 * names.
 */
function optionsOf(rest) {
  const folder = process.env.LMD_ONNXRUNTIME;
  return { ...rest, products: 'onnxruntime', ...(folder === undefined ? {} : { onnxruntime: folder }) };
}

/** What rows are called whose products are onnxruntime's. */
export const byOnnxruntime = 'products by onnxruntime';

/** A cpu backend with its products, by `createCpuBackend`. Throws `ENGINE_MISSING` where it does not work. */
export const createWithOnnxruntime = (createCpuBackend, options = {}) => createCpuBackend(optionsOf(options));

/** The same where it works; undefined where it does not, and the rows are left out. */
export async function openWithOnnxruntime(createCpuBackend, options = {}) {
  try {
    return await createWithOnnxruntime(createCpuBackend, options);
  } catch (error) {
    if (error.code !== 'ENGINE_MISSING') throw error;
    leaveOut(`${byOnnxruntime}: ${error.message.split('. ')[0]}`);
    return undefined;
  }
}
