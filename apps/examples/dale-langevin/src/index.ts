export { type Classifier, type Judgement, judge, trainClassifier } from './classifier.js';
export { main, type Streams } from './command.js';
export { energyTest } from './energy-test.js';
export { drawMixture, type Mixture, mixtureScore, threeModes } from './mixture.js';
export {
  addNoise,
  longProcess,
  type MultiplicativeScore,
  type Process,
  paperProcess,
  scoreMatchingLoss,
} from './process.js';
export {
  correlatedStart,
  independentStart,
  type SamplerOptions,
  samplePictures,
  samplerOptionTable,
} from './samplers.js';
export { type ScoreNetworkOptions, scoreLoss, scoreNetwork, scoreOf } from './score-network.js';
