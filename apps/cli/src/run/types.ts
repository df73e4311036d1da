/** What one rule achieved. The fields are those of `summary.json` and of the last line of `--json`. */
export interface TrialResult {
  readonly optimizer: string;
  readonly format: string;
  /** On validation data, after the last step. */
  readonly validationAccuracy: number;
  /** Mean cross-entropy in nats. */
  readonly validationLoss: number;
  /** Absent with `evaluation.test: false`. */
  readonly testAccuracy?: number;
  readonly testLoss?: number;
  /** By format of `evaluation.formats`: the same weights on the same data, the test set where it is evaluated. */
  readonly deployed?: { readonly [format: string]: { readonly accuracy: number; readonly loss: number } };
  /** Training and evaluation together, the parts of a resumed run added up. */
  readonly seconds: number;
  /** Training examples, whatever they are, a second of training steps. */
  readonly imagesPerSecond: number;
  /** The largest resident memory of the process that trained. */
  readonly peakMemoryBytes: number;
  /** Of a language model: exp(testLoss). */
  readonly testPerplexity?: number;
  /** Of a language model, in training steps. */
  readonly tokensPerSecond?: number;
}

/** Where and with what a run was made, for people to read. */
export interface Environment {
  readonly date: string;
  readonly machine: string;
  readonly node: string;
  readonly device: string;
  readonly model: string;
  readonly data: string;
  readonly versions: string;
}
