import { type EagerOperations, LmdError, type Tensor, type TensorLike } from '@lmd/core';
import { collectTensors } from './collect-tensors.js';
import { isTensor, type Node, type Rule, resolveRule } from './node.js';
import { createSavedTensors } from './saved-tensors.js';

/**
 * The record written by the recording operations and read by the backward pass: nodes in order of execution, and
 * ownership of tensors.
 */
export interface Recorder {
  readonly ops: EagerOperations;
  /** Nodes in the order of the forward pass, dead ones included. */
  readonly nodes: readonly Node[];
  isTracked(x: Tensor): boolean;
  watch(x: Tensor): void;
  /** Records a result without a gradient. Throws if the user has freed one of `inputs`. */
  untracked(inputs: readonly TensorLike[], output: Tensor): Tensor;
  /** Records a result, and its rule if any input is tracked. Returns `output`. */
  record(operation: string, inputs: readonly TensorLike[], output: Tensor, rule: Rule): Tensor;
  /** Throws for inputs that the user has freed, even if the tape still holds them. */
  checkAlive(inputs: readonly TensorLike[]): void;
  /** True for a tensor that the user has freed, whether or not the tape still holds it. */
  isFreed(x: Tensor): boolean;
  scope<T>(body: () => T): T;
  keep<T extends Tensor>(x: T): T;
  dispose(x: Tensor): void;
  /** Releases the saved tensors of a node, once. */
  releaseNode(node: Node): void;
  /** Frees all saved tensors and clears the record. */
  clear(): void;
}

export function createRecorder(ops: EagerOperations): Recorder {
  const saved = createSavedTensors(ops);
  /** Tensors that the user excluded from all scopes with `keep`. */
  const kept = new WeakSet<Tensor>();
  let nodes: Node[] = [];
  let producers = new Map<Tensor, Node>();
  let watched = new Set<Tensor>();
  /** For each open scope of the tape, the tensors it is to free at its end. */
  const frames: Tensor[][] = [];
  let recording = true;

  const isTracked = (x: Tensor): boolean => watched.has(x) || producers.has(x);

  const checkAlive = (inputs: readonly TensorLike[]): void => {
    for (const input of inputs) {
      if (typeof input === 'number' || !saved.owns(input)) continue;
      throw new LmdError('TENSOR_DISPOSED', `A tensor of shape [${input.shape}] was freed and is used again.`, {
        subject: 'input',
        value: input.shape,
        remedy: 'Return it from the scope that created it, or use keep() until dispose().',
      });
    }
  };

  const isFreed = (x: Tensor): boolean => saved.owns(x) || ops.isDisposed(x);

  const note = (inputs: readonly TensorLike[], output: Tensor): Tensor => {
    try {
      checkAlive(inputs);
    } catch (error) {
      ops.dispose(output);
      throw error;
    }
    frames.at(-1)?.push(output);
    return output;
  };

  const releaseNode = (node: Node): void => {
    if (node.released) return;
    node.released = true;
    for (const tensor of node.saved) saved.release(tensor);
  };

  /** Releases nodes whose outputs can no longer reach a loss, and nodes that only they use. */
  const buryDead = (start: Node): void => {
    const pending = [start];
    for (let node = pending.pop(); node !== undefined; node = pending.pop()) {
      if (node.reachable || node.consumers > 0 || node.released) continue;
      releaseNode(node);
      producers.delete(node.output);
      for (const input of node.inputs) {
        const producer = input === null ? undefined : producers.get(input);
        if (producer === undefined) continue;
        producer.consumers -= 1;
        pending.push(producer);
      }
    }
  };

  const letGo = (x: Tensor): void => {
    const producer = producers.get(x);
    if (producer === undefined) return;
    producer.reachable = false;
    buryDead(producer);
  };

  /** Removes all nodes after the first `length`. Their outputs are already freed. */
  const rollBack = (length: number): void => {
    for (const node of nodes.slice(length).reverse()) {
      node.reachable = false;
      node.consumers = 0;
      buryDead(node);
    }
    nodes.length = length;
  };

  return {
    ops,
    get nodes() {
      return nodes;
    },
    isTracked,
    watch: (x) => void watched.add(x),
    untracked: (inputs, output) => note(inputs, output),
    record(operation, inputs, output, rule) {
      const owned = 'gradients' in rule ? (rule.owns ?? []) : [];
      const freeOwned = (): void => {
        for (const tensor of owned) ops.dispose(tensor);
      };
      try {
        note(inputs, output);
      } catch (error) {
        freeOwned();
        throw error;
      }
      const sources = inputs.map((x, index) => {
        const differentiable = !Array.isArray(rule) || rule[index] != null;
        return differentiable && isTensor(x) && x.dtype === 'f32' && isTracked(x) ? x : null;
      });
      if (!recording || sources.every((source) => source === null)) {
        freeOwned();
        return output;
      }
      const resolved = resolveRule(
        rule,
        sources.map((source) => source !== null),
      );
      const node: Node = {
        operation,
        inputs: sources,
        output,
        ...resolved,
        consumers: 0,
        reachable: true,
        released: false,
      };
      for (const tensor of node.saved) saved.save(tensor);
      for (const tensor of owned) saved.takeOver(tensor);
      for (const source of sources) {
        const producer = source === null ? undefined : producers.get(source);
        if (producer !== undefined) producer.consumers += 1;
      }
      nodes.push(node);
      producers.set(output, node);
      return output;
    },
    checkAlive,
    isFreed,
    scope(body) {
      const frame: Tensor[] = [];
      const start = nodes.length;
      frames.push(frame);
      const survivors = new Set<Tensor>();
      const leaving: Tensor[] = [];
      let completed = false;
      try {
        const result = ops.scope(() => {
          const returned = body();
          collectTensors(returned, survivors);
          for (const tensor of frame) {
            if (survivors.has(tensor) || kept.has(tensor)) continue;
            leaving.push(tensor);
            if (saved.holds(tensor) && !isFreed(tensor)) saved.takeOver(tensor);
          }
          return returned;
        });
        completed = true;
        return result;
      } finally {
        frames.pop();
        if (completed) {
          for (const tensor of leaving) letGo(tensor);
          const enclosing = frames.at(-1);
          if (enclosing !== undefined) for (const tensor of frame) if (survivors.has(tensor)) enclosing.push(tensor);
        } else {
          rollBack(start);
        }
      }
    },
    keep(x) {
      checkAlive([x]);
      kept.add(x);
      return ops.keep(x);
    },
    dispose(x) {
      checkAlive([x]);
      if (saved.holds(x) && !ops.isDisposed(x)) saved.takeOver(x);
      else ops.dispose(x);
      letGo(x);
    },
    releaseNode,
    clear() {
      recording = false;
      for (const node of nodes) releaseNode(node);
      nodes = [];
      producers = new Map();
      watched = new Set();
    },
  };
}
