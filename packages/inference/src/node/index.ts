export { readJson } from './json.js';
export { loadModel, loadOpenModel, type NodeImageInput } from './load-model.js';
export { modelFilePath, openModelFile, openTensorFile } from './model-files.js';
