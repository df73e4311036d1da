import { LmdError } from '../errors.js';
import type { EagerOperations } from '../operations.js';
import type { NamedTensors } from '../tensor.js';

/**
 * Throws if a gradient contains a NaN or an infinity, naming the weight. `update` reads nothing back, so call this
 * before it in your own training loop; `train` of `@lmd/training` makes the same check when it reads the loss. Reads
 * one number per tensor, all in one readback.
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
