export { addNamedClass, type Classifier } from './add-named-class.js';
export { normalizedMean } from './normalized-mean.js';
export {
  type OneShotMeasurement,
  type OneShotOptions,
  type OneShotResult,
  oneShot,
  oneShotOptionTable,
} from './one-shot.js';
