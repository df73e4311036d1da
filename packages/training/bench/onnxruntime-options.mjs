/** Options of a cpu backend with the products of onnxruntime-node, or of the package in the folder that LMD_ONNXRUNTIME names. */
export function onnxruntimeOptions() {
  const folder = process.env.LMD_ONNXRUNTIME;
  return { products: 'onnxruntime', ...(folder === undefined ? {} : { onnxruntime: folder }) };
}
