export { type Bound, type BoundName, bounds } from './bounds.js';
export type { Measurement } from './context.js';
export type { Expect, TestFramework } from './framework.js';
export { binTitles, type ErrorHistogram, errorBins } from './histogram.js';
export {
  type ConformanceLevel,
  type ConformanceLevelName,
  conformanceLevelNames,
  conformanceLevels,
} from './levels.js';
export { optimizerConformance } from './optimizer-conformance.js';
export type { OptimizerConformanceOptions, OptimizerOptions } from './optimizers/options.js';
export type { ConformanceOptions } from './options.js';
export {
  type ConformanceReport,
  type ConformanceResult,
  type ConformanceRunOptions,
  runConformance,
} from './run-conformance.js';
export { backendConformance, type ConformanceTest, conformanceTests } from './suite.js';
export { quickTestNames, testNames } from './test-names.js';
