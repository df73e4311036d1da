import type { ForwardContext, NamedTensors } from '@lmd/core';

/** What every layer of a model shares in one forward pass. */
export interface LayerContext extends ForwardContext {
  readonly weights: NamedTensors;
}
