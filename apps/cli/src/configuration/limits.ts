/** Beyond these a number in a configuration is a slip; the library takes any. */
export const mostSteps = 1e9;
export const mostExamples = 1e6;
export const mostCheckpoints = 10_000;
/** That of the cpu backend. */
export const mostThreads = 64;

/** More workers than this is a slip. */
export const mostWorkers = 4096;
export const largestSize = 2 ** 20;
export const deepestModel = 1000;
export const largestSide = 2 ** 14;

/** Examples that are evaluated at once, where the largest tensor of the model fits. */
export const usualEvaluationBatch = 250;
