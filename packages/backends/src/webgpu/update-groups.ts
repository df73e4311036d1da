import type { FloatTensor, RandomKey, Tensor } from '@lmd/core';
import { sizeOf } from '@lmd/core';
import { groupAlignment, groupSamples } from './grouped-kernels.js';
import type { Kernel, ParameterValues } from './kernel.js';
import type { Copy, Queue } from './queue.js';
import type { Storage } from './storage.js';
import type { DeviceBlock, TensorStore } from './tensor-store.js';
import { threads } from './wgsl.js';

/** A draw or an update of one tensor, by a kernel of `grouped-kernels.ts`. */
export interface GroupedTask {
  readonly kernel: Kernel;
  /** All parameters but those of the layout: tasks of equal ones go together. */
  readonly values: ParameterValues;
  readonly shape: readonly number[];
  readonly state: readonly Tensor[];
  readonly gradients: readonly Tensor[];
  readonly prior?: Tensor;
  /** Streams of the noise: the only part of a key in which the tasks of a group may differ. */
  readonly streams: readonly number[];
  /** How many tensors come out. */
  readonly outputs: number;
}

interface Item {
  readonly elements: number;
  /** Its first word in every vector. */
  readonly start: number;
  readonly state: readonly DeviceBlock[];
  readonly gradients: readonly DeviceBlock[];
  readonly prior: DeviceBlock | undefined;
  readonly streams: readonly number[];
  readonly outputs: readonly DeviceBlock[];
}

interface Group {
  readonly key: string;
  readonly kernel: Kernel;
  readonly values: ParameterValues;
  readonly items: Item[];
  words: number;
  pledged: number;
}

/** Words of one vector of a group, at most. */
const groupWords = 2 ** 20;
/** Tables and priors that are kept for the next equal group. */
const keptLimit = 64;

/**
 * Puts draws and updates of small tensors off, until one of their results is used or commands are handed over, and then
 * does all that differ in their tensors alone in one dispatch. Their results lie in one buffer, tensor after tensor,
 * and the next step finds them there; gradients, which lie apart, are copied together first.
 *
 * A single small tensor is processed the same way, so that its bits do not depend on the group.
 */
export class UpdateGroups {
  readonly #queue: Queue;
  readonly #store: TensorStore;
  readonly #largest: number;
  readonly #capacity: number;
  readonly #kept = new Map<string, Storage>();
  #open: Group | undefined;

  /** @param largest elements of the largest tensor that is small */
  constructor(queue: Queue, store: TensorStore, largest: number) {
    this.#queue = queue;
    this.#store = store;
    this.#largest = largest;
    this.#capacity = Math.min(groupWords, padded(queue.pageWords / groupSamples - groupAlignment + 1));
  }

  /** Whether a tensor is small, and the keys of its draws are of one seed and few enough. */
  takes(shape: readonly number[], keys: readonly RandomKey[], samples: number): boolean {
    const elements = sizeOf(shape);
    if (elements === 0 || elements > this.#largest || padded(elements) > this.#capacity) return false;
    return samples <= groupSamples && keys.every(({ seed }) => seed === keys[0]!.seed);
  }

  add(task: GroupedTask): FloatTensor[] {
    const { kernel, values, shape, streams } = task;
    const { memory } = this.#queue;
    // Checks that can fail run here, not when the group runs.
    this.#queue.prepare(kernel);
    const pins: DeviceBlock[] = [];
    const pin = (x: Tensor) => {
      pins.push(this.#store.pin(x));
      return pins.at(-1)!;
    };
    try {
      const state = task.state.map(pin);
      const gradients = task.gradients.map(pin);
      const prior = task.prior === undefined ? undefined : pin(task.prior);
      const elements = sizeOf(shape);
      const words = padded(elements);
      const pledged = memory.pledge(4 * words * (state.length + gradients.length + task.outputs));
      const key = `${kernel.name} ${JSON.stringify(values)}`;
      if (this.#open !== undefined && (this.#open.key !== key || this.#open.words + words > this.#capacity)) this.run();
      this.#open ??= { key, kernel, values, items: [], words: 0, pledged: 0 };
      const group = this.#open;
      const made = Array.from({ length: task.outputs }, () => this.#store.promise(shape, 'f32', () => this.run()));
      const outputs = made.map(({ block }) => block);
      group.items.push({ elements, start: group.words, state, gradients, prior, streams, outputs });
      group.words += words;
      group.pledged += pledged;
      return made.map(({ tensor }) => tensor);
    } catch (error) {
      for (const block of pins) this.#store.unpin(block);
      throw error;
    }
  }

  /** Records what was put off. */
  run(): void {
    const group = this.#open;
    if (group === undefined) return;
    this.#open = undefined;
    this.#queue.memory.redeem(group.pledged);
    try {
      this.#dispatch(group);
    } catch (error) {
      this.#store.refuse(
        group.items.flatMap(({ outputs }) => outputs),
        error,
      );
      throw error;
    } finally {
      for (const { state, gradients, prior } of group.items) {
        for (const block of [...state, ...gradients, ...(prior === undefined ? [] : [prior])]) this.#store.unpin(block);
      }
    }
  }

  /** Frees what is kept for later groups. */
  forget(): void {
    for (const storage of this.#kept.values()) this.#queue.memory.release(storage);
    this.#kept.clear();
  }

  #dispatch({ kernel, values, items, words: total }: Group): void {
    const queue = this.#queue;
    const scratch: Storage[] = [];
    const gathered = (vectors: readonly (readonly DeviceBlock[])[]) => {
      scratch.push(this.#gather(items, vectors, total));
      return scratch.at(-1)!;
    };
    try {
      const inputs: { [name: string]: Storage } = { table: this.#table(items) };
      const vectors = vectorsOf(items, ({ state }) => state);
      const found = this.#together(items, vectors, total);
      const bases = found?.bases ?? vectors.map((_, v) => v * total);
      inputs.state = found?.storage ?? gathered(vectors);
      const gradients = vectorsOf(items, (item) => item.gradients);
      if (gradients.length > 0) inputs.gradients = gathered(gradients);
      if (items[0]!.prior !== undefined) inputs.prior = this.#priors(items);

      const out = queue.allocate(4 * total * items[0]!.outputs.length);
      const own = { ...values, count: total / 4, total, record_words: 2 + items[0]!.streams.length, bases };
      try {
        const operands = Object.keys(kernel.inputs).map((name) => inputs[name]!);
        queue.dispatch(kernel, operands, [out], own, Math.ceil(total / 4 / threads));
      } catch (error) {
        queue.memory.release(out);
        throw error;
      }
      const parts = items.flatMap(({ outputs, start }) =>
        outputs.map((block, v) => ({ block, at: 4 * (v * total + start) })),
      );
      this.#store.settle(out, parts);
    } finally {
      // Later commands may use it again: the queue runs in order.
      for (const storage of scratch) queue.memory.release(storage);
    }
  }

  /** Where the vectors begin, in words, if one buffer holds them as a group before this one has left them. */
  #together(items: readonly Item[], vectors: readonly (readonly DeviceBlock[])[], total: number) {
    const page = vectors[0]![0]!.storage!.pages[0]!;
    const bases: number[] = [];
    for (const vector of vectors) {
      const base = vector[0]!.storage!.offset / 4;
      for (const [i, block] of vector.entries()) {
        const { pages, offset } = block.storage!;
        if (block.joint === undefined || pages[0] !== page || offset / 4 !== base + items[i]!.start) return undefined;
      }
      bases.push(base);
    }
    return { storage: { pages: [page], bytes: 4 * total * vectors.length, offset: 0 } satisfies Storage, bases };
  }

  /** A copy of vectors, one after the other. */
  #gather(items: readonly Item[], vectors: readonly (readonly DeviceBlock[])[], total: number): Storage {
    const target = this.#queue.allocate(4 * total * vectors.length);
    const copies: Copy[] = vectors.flatMap((blocks, v) =>
      blocks.map(({ storage, bytes }, i) => ({
        source: storage!,
        target,
        at: 4 * (v * total + items[i]!.start),
        bytes,
      })),
    );
    this.#queue.copy(copies);
    return target;
  }

  /** The medians of the priors, one after the other. They are the same tensors in every step, and copied once. */
  #priors(items: readonly Item[]): Storage {
    const priors = items.map(({ prior }) => prior!);
    return this.#keep(`priors ${priors.map(({ id }) => id).join()}`, () => {
      const target = this.#queue.allocate(4 * priors.length);
      this.#queue.copy(priors.map(({ storage }, i) => ({ source: storage!, target, at: 4 * i, bytes: 4 })));
      return target;
    });
  }

  #table(items: readonly Item[]): Storage {
    const key = items.map(({ elements, streams }) => `${elements}:${streams.join(':')}`);
    return this.#keep(`table ${key.join()}`, () => this.#queue.upload(tableOf(items)));
  }

  #keep(key: string, make: () => Storage): Storage {
    const known = this.#kept.get(key);
    const storage = known ?? make();
    // The most recently used is last.
    if (known !== undefined) this.#kept.delete(key);
    this.#kept.set(key, storage);
    if (this.#kept.size > keptLimit) {
      const [oldest, unused] = this.#kept.entries().next().value!;
      this.#kept.delete(oldest);
      this.#queue.memory.release(unused);
    }
    return storage;
  }
}

function padded(elements: number): number {
  return Math.ceil(elements / groupAlignment) * groupAlignment;
}

/** Blocks by vector instead of by item. */
function vectorsOf(items: readonly Item[], of: (item: Item) => readonly DeviceBlock[]): DeviceBlock[][] {
  return of(items[0]!).map((_, v) => items.map((item) => of(item)[v]!));
}

/** What `place_of` in `grouped-kernels.ts` reads. */
function tableOf(items: readonly Item[]): Uint32Array {
  const owners = items.flatMap(({ elements }, i) => Array.from({ length: padded(elements) / groupAlignment }, () => i));
  const records = items.flatMap(({ start, elements, streams }) => [start, elements, ...streams]);
  return Uint32Array.from([...owners, ...records]);
}
