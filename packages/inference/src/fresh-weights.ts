/** Weights that are initialized from a seed instead of read from the file. */
export interface FreshWeights {
  readonly names: ReadonlySet<string>;
  readonly seed: number;
}
