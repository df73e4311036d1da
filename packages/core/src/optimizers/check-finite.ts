import { LmdError } from '../errors.js';
import type { EagerOperations } from '../operations.js';
import type { NamedTensors } from '../tensor.js';

/**
 * Refuses gradients with a NaN or an infinity, by the name of their weight. An update enqueues and reads nothing back, so in a
 * loop of one's own this comes before it; `train` of `@lmd/training` makes the same check with its reading of the loss. Reads one
 * number a tensor, all at once.
 *
 * @throws LmdError `NON_FINITE` naming the first such weight.
 */
export async function checkFinite(ops: EagerOperations, gradients: NamedTensors): Promise<void> {
  const names = Object.keys(gradients);
  if (names.length === 0) return;
  const largest = ops.scope(() =>
    ops.concatenate(
      names.map((name) => ops.scope(() => ops.reshape(ops.max(ops.absolute(gradients[name]!)), [1]))),
      0,
    ),
  );
  try {
    const values = await ops.read(largest);
    for (const [index, name] of names.entries()) {
      if (Number.isFinite(values[index]!)) continue;
      throw new LmdError('NON_FINITE', `The gradient of "${name}" has the value ${values[index]}.`, {
        subject: name,
        value: values[index],
        remedy: 'Skip this update, and use a lower learning rate or clipByGlobalNorm.',
      });
    }
  } finally {
    ops.dispose(largest);
  }
}
