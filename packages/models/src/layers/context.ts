import type { ForwardContext, NamedTensors } from '@lmd/core';

/** The context shared by all layers in one forward pass. */
export interface LayerContext extends ForwardContext {
  readonly weights: NamedTensors;
}
