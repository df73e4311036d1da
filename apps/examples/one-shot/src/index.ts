export { addNamedClass, type Classifier } from './add-named-class.js';
export { normalizedMean } from './experiment/normalized-mean.js';
export {
  type OneShotMeasurement,
  type OneShotOptions,
  type OneShotResult,
  oneShot,
  oneShotOptionTable,
} from './experiment/one-shot.js';
