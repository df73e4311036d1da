import type { ForwardContext, NamedTensors } from '@lmd/core';

/** What every layer of a model shares in one forward pass. */
export interface LayerContext extends Pick<ForwardContext, 'precision' | 'key'> {
  readonly weights: NamedTensors;
}
