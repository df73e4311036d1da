export { type ExportOnnxOptions, exportOnnx } from './export-onnx.js';
export type { OnnxFile } from './serialize.js';
