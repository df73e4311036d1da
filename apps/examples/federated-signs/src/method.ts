import type { NamedTensors, Operations, Optimizer } from '@lmd/core';

/** A client's message, weighted by its number of pictures. */
export interface Message {
  readonly bytes: Uint8Array;
  readonly weight: number;
}

/** A way to train together. Messages are bytes. */
export interface Method {
  readonly name: 'signs' | 'FedAvg';
  /** Trains on a client, begun anew in every round. */
  readonly optimizer: Optimizer;
  /** The weights of the network from what the optimizer trains, with a gradient where `ops` records one. */
  readonly effective: (ops: Operations, trained: NamedTensors) => NamedTensors;
  /** The server's message of the first round. */
  readonly first: Uint8Array;
  /** What a client trains, from the server's message and what it kept of its last round; the caller frees it. */
  readonly receive: (message: Uint8Array, memory?: Float32Array) => NamedTensors;
  /** A client's message after training, and what it keeps for its next round, if anything. */
  readonly send: (trained: NamedTensors) => Promise<{ readonly bytes: Uint8Array; readonly memory?: Float32Array }>;
  /** The server's next message. */
  readonly combine: (messages: readonly Message[], before: Uint8Array) => Uint8Array;
}
