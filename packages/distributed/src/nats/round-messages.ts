import { LmdError } from '@lmd/core';
import { JetStreamApiError, type JsMsg } from '@nats-io/jetstream';
import { headers } from '@nats-io/nats-core';
import type { Contribution, RoundPlace } from '../transport.js';
import { checksumOf } from './checksum.js';
import { call, type NatsContext } from './context.js';
import type { Reconnections } from './reconnections.js';
import type { RoundMessage } from './tally.js';

/** Room for subject and headers in a message. */
const overheadBytes = 4096;
/** Number of messages that are on their way to the server at once. */
const window = 8;
/** Time in milliseconds for the answer to a part, which on a busy machine waits for those before it. */
const partTimeoutMs = 30_000;
/** Bounds what a message that is not of a worker can make a reader allocate. */
const mostParts = 2 ** 16;
/** Largest `max_payload` that a server allows. */
const mostPartBytes = 2 ** 26;
/** Codes of JetStream: "wrong last sequence". */
const wrongSequenceCodes: ReadonlySet<number> = new Set([10_071, 10_164]);

export const maxPayload = ({ connection }: NatsContext): number => connection.info?.max_payload ?? 2 ** 20;

interface Publication {
  /** Without the rank, which is its last token. */
  readonly subject: string;
  readonly attempt: string;
  /** Whether nothing is sent if the worker has sent to this round before, in an earlier life. */
  readonly mustBeFirst: boolean;
}

/** Sends a contribution as a message for each part of it. Returns false if it must be the first and is not. */
export async function publishParts(
  context: NatsContext,
  reconnections: Reconnections,
  place: RoundPlace,
  { rank, payload }: Contribution,
  { subject, attempt, mustBeFirst }: Publication,
): Promise<boolean> {
  const size = maxPayload(context) - overheadBytes;
  const parts = Math.max(1, Math.ceil(payload.length / size));
  const hash = checksumOf(payload);
  let next = 0;
  let isFirst = true;

  async function publishPart(part: number): Promise<void> {
    const from = part * size;
    const head = headers();
    head.set('Lmd-Part', JSON.stringify({ attempt, part, parts, length: payload.length, from, hash }));
    const publishing = context.js.publish(`${subject}.${rank}`, payload.subarray(from, from + size), {
      headers: head,
      msgID: `${attempt} ${part}`,
      timeout: partTimeoutMs,
      ...(mustBeFirst && part === 0 ? { expect: { lastSubjectSequence: 0 } } : {}),
    });
    await reconnections.orLost(publishing).catch((error) => {
      if (!(error instanceof JetStreamApiError && wrongSequenceCodes.has(error.code))) throw error;
      isFirst = false;
    });
  }

  async function publishRest(): Promise<void> {
    while (isFirst && next < parts) {
      const part = next++;
      const what = `part ${part + 1} of ${parts} of round ${place.round} of "${place.channel}" by rank ${rank}`;
      // Each part is patient on its own: with its id it is stored once, however often it is sent.
      await call(context, what, () => publishPart(part));
    }
  }

  await Promise.all(Array.from({ length: Math.min(window, parts) }, publishRest));
  return isFirst;
}

/** @throws LmdError `TRANSPORT_FAILURE` for a message that no worker has sent */
export function messageOf({ subject, headers: head, data }: JsMsg): RoundMessage {
  const last = subject.split('.').at(-1)!;
  if (last === 'close') return { kind: 'close' };
  try {
    const { attempt, part, parts, length, from, hash } = JSON.parse(head!.get('Lmd-Part'));
    const rank = Number(last);
    const numbers = [rank, part, parts, length, from];
    const isValid = numbers.every((value) => Number.isSafeInteger(value) && value >= 0) && part < parts;
    if (!isValid || parts > mostParts || length > parts * mostPartBytes) {
      throw new RangeError('The rank, the number of the part or the length is out of range.');
    }
    return { kind: 'part', rank, attempt, part, parts, length, from, hash, bytes: data };
  } catch (cause) {
    throw new LmdError('TRANSPORT_FAILURE', `A message at ${subject} is not one of a round.`, {
      subject,
      remedy: 'Let only workers of the run publish there.',
      cause,
    });
  }
}
