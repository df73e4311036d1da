import { randomUUID } from 'node:crypto';
import { LmdError, messageOf, type OptionsOf, type OptionTable, option } from '@lmd/core';
import type { Transport } from '@lmd/distributed';
import { natsTransport } from '@lmd/distributed/nats';
import { connect } from '@nats-io/transport-node';
import { type FederatedOptions, retainedRounds } from './federated.js';

export const meetingOptionTable = {
  nats: option.text({ describe: 'NATS server with JetStream, nats://host:port. Default: within this process.' }),
  run: option.text({ describe: 'Name of the run, the same for its processes and not used before on that server.' }),
} as const satisfies OptionTable;

/**
 * The transport over a NATS server, if one is given, and the name of the run.
 *
 * @throws LmdError `INVALID_ARGUMENT` for a part of a run without a server or a name; `TRANSPORT_FAILURE` if the server
 *   is not there.
 */
export async function openTransport({
  role,
  nats,
  run,
}: Pick<FederatedOptions, 'role'> & OptionsOf<typeof meetingOptionTable>): Promise<
  { readonly transport: Transport; readonly run: string } | undefined
> {
  if (role !== 'all' && (nats === undefined || run === undefined)) {
    const missing = nats === undefined ? 'nats' : 'run';
    throw new LmdError('INVALID_ARGUMENT', `federated-signs: role is ${role}, but ${missing} is not given.`, {
      subject: missing,
      value: undefined,
      remedy: 'Give --nats and --run, the same for all processes of the run.',
    });
  }
  if (nats === undefined) return undefined;
  const connection = await connect({ servers: nats }).catch((error) => {
    throw new LmdError('TRANSPORT_FAILURE', `federated-signs: nats is ${nats}, which fails: ${messageOf(error)}`, {
      subject: 'nats',
      value: nats,
      remedy: 'Start a server with JetStream, for example with npm run nats.',
    });
  });
  return {
    transport: await natsTransport({ connection, prefix: 'federated-signs', retainedRounds }),
    run: run ?? randomUUID(),
  };
}
