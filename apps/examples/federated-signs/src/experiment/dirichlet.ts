import { fillRandomUniform, LmdError, streamOf } from '@lmd/core';
import { permutation } from '@lmd/training';
import { randomGamma } from 'd3-random';

/**
 * Divides examples among clients with uneven label shares: of each class, client k receives the share p_k of
 * p ~ Dirichlet(alpha) (Hsu, Qi & Brown, arXiv:1909.06335).
 *
 * @returns the indices of each client's examples.
 * @throws LmdError `INVALID_ARGUMENT` if a client would receive no example.
 */
export function dirichletClients(
  labels: Int32Array,
  { clients, alpha, seed }: { readonly clients: number; readonly alpha: number; readonly seed: number },
): readonly Int32Array[] {
  const parts: number[][] = Array.from({ length: clients }, () => []);
  const order = permutation(labels.length, seed, 'clients', 0);
  for (const label of [...new Set(labels)].sort((a, b) => a - b)) {
    const gamma = randomGamma.source(uniforms(seed, label))(alpha);
    const draws = parts.map(() => gamma());
    const total = draws.reduce((sum, draw) => sum + draw, 0);
    const own = order.filter((index) => labels[index] === label);
    let share = 0;
    let from = 0;
    for (const [client, part] of parts.entries()) {
      share += draws[client]! / total;
      const to = client === clients - 1 ? own.length : Math.round(share * own.length);
      part.push(...own.subarray(from, to));
      from = to;
    }
  }
  const without = parts.findIndex((part) => part.length === 0);
  if (without === -1) return parts.map((part) => Int32Array.from(part));
  throw new LmdError('INVALID_ARGUMENT', `clients is ${clients}: client ${without} of them has no data.`, {
    subject: 'clients',
    value: clients,
    remedy: 'Use fewer clients, a larger alpha or another seed.',
  });
}

/** Uniform numbers in (0, 1), a function of the seed and the class. */
function uniforms(seed: number, label: number): () => number {
  const stock = new Float64Array(256);
  let used = stock.length;
  let step = 0;
  return () => {
    if (used === stock.length) {
      fillRandomUniform(stock, { seed, stream: streamOf(`dirichlet/${label}`), step, sample: 0 });
      step += 1;
      used = 0;
    }
    used += 1;
    // Half a unit of the last place, since a logarithm is taken.
    return stock[used - 1]! + 2 ** -25;
  };
}
