import type { Answers, Message, Report, Request } from './training/messages.js';

type Distributed<T> = T extends unknown ? Omit<T, 'id'> : never;
type Asked = Distributed<Request>;

/** The worker that trains, as functions that return promises. */
export class Client {
  readonly #worker = new Worker(new URL('./worker.ts', import.meta.url), { type: 'module' });
  readonly #waiting = new Map<number, { resolve(value: never): void; reject(error: Error): void }>();
  #next = 1;

  /** @param failed called if the worker itself cannot run. */
  constructor(report: (report: Report) => void, failed: (message: string) => void) {
    this.#worker.onmessage = ({ data }: MessageEvent<Message>) => {
      if (data.type !== 'answer' && data.type !== 'error') {
        report(data);
        return;
      }
      const waiting = this.#waiting.get(data.id);
      this.#waiting.delete(data.id);
      if (data.type === 'answer') waiting?.resolve(data.value as never);
      else waiting?.reject(new Error(data.message));
    };
    this.#worker.onerror = (event) => failed(event.message || 'The browser could not start the worker that trains.');
  }

  ask<Type extends Asked['type']>(request: Extract<Asked, { type: Type }> | Asked): Promise<Answers[Type]> {
    const id = this.#next++;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#worker.postMessage({ ...request, id });
    });
  }
}
