/** The folder of onnxruntime-node, if one is named. */
export const onnxruntimeFolder = process.env.LMD_ONNXRUNTIME;
