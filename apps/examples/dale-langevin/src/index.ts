export { type Classifier, type Judgement, judge, trainClassifier } from './experiment/classifier.js';
export { daleLangevin } from './experiment/command.js';
export { energyTest } from './experiment/energy-test.js';
export { drawMixture, type Mixture, mixtureScore, threeModes } from './experiment/mixture.js';
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
