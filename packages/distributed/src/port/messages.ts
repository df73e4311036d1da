import { type ErrorCode, isLmdError, LmdError } from '@lmd/core';

// biome-ignore lint/suspicious/noExplicitAny: the ports of browsers and of Node have events of different types.
type MessageListener = (event: any) => void;

/** A MessagePort, of browsers or of Node. */
export interface Port {
  postMessage(message: unknown): void;
  addEventListener(type: 'message', listener: MessageListener): void;
  removeEventListener(type: 'message', listener: MessageListener): void;
  /** Of ports that deliver only once they are started. */
  start?(): void;
  close?(): void;
}

/** What the side with a port asks for. `object` is the number of an item or a membership. */
export type Request =
  | { readonly kind: 'call'; readonly id: number; readonly method: string; readonly values: readonly unknown[] }
  | { readonly kind: 'abort'; readonly id: number };

export type Answer =
  | { readonly kind: 'result'; readonly id: number; readonly value: unknown }
  | { readonly kind: 'error'; readonly id: number; readonly error: PlainError }
  | { readonly kind: 'message'; readonly listener: number; readonly payload: Uint8Array };

/** An error as a port carries it. */
interface PlainError {
  readonly code: string | undefined;
  readonly message: string;
  readonly subject: string | undefined;
  readonly value: unknown;
  readonly remedy: string | undefined;
}

export function plainError(error: unknown): PlainError {
  if (!isLmdError(error)) {
    const message = error instanceof Error ? error.message : String(error);
    return { code: undefined, message, subject: undefined, value: undefined, remedy: undefined };
  }
  const { code, subject, value, remedy } = error;
  const message = remedy === undefined ? error.message : error.message.slice(0, -remedy.length - 1);
  return { code, message, subject, value, remedy };
}

export function errorOf({ code, message, subject, value, remedy }: PlainError): Error {
  if (code === undefined) return new Error(message);
  return new LmdError(code as ErrorCode, message, {
    value,
    ...(subject === undefined ? {} : { subject }),
    ...(remedy === undefined ? {} : { remedy }),
  });
}
