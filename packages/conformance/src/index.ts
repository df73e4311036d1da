export { type Bound, type BoundName, bounds } from './bounds.js';
export type { Expect, TestFramework } from './framework.js';
export type { ConformanceOptions } from './options.js';
export { testNames } from './plan.js';
export {
  type ConformanceReport,
  type ConformanceResult,
  type ConformanceRunOptions,
  runConformance,
} from './run-conformance.js';
export { backendConformance } from './suite.js';
