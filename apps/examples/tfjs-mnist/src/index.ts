export { type Data, mnist } from './data.js';
export { type EngineName, engineNames, startEngine } from './engine.js';
export { main, type Streams } from './main.js';
export { convolutionalNetwork } from './model.js';
export { reportPage, resultsTable } from './report.js';
export { captionOf, type StudyOptions, study } from './study.js';
export { learningRates, type OptimizerName, type Result, type TrainOptions, trainOnce } from './train.js';
