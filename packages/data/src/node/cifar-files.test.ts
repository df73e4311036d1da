import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { rejection, temporaryFolder } from '../../test/temporary-folder.js';
import { readCifar10Folder, readCifar100Folder } from './index.js';

const folder = await temporaryFolder();
/** As large as the real file, all black but for its first pixel. */
const file = (images: number, labels: readonly number[]) => {
  const record = labels.length + 3072;
  const bytes = new Uint8Array(images * record);
  for (let image = 0; image < images; image++) bytes.set([...labels, image & 255], image * record);
  return bytes;
};

it('reads the folder of CIFAR-10', async () => {
  for (let batch = 1; batch <= 5; batch++)
    await writeFile(join(folder, `data_batch_${batch}.bin`), file(10_000, [batch]));
  expect(await rejection(readCifar10Folder({ folder }))).toMatchObject({ code: 'FILE_SYSTEM', value: 'ENOENT' });
  await writeFile(join(folder, 'test_batch.bin'), file(10_000, [9]));
  const nameless = await readCifar10Folder({ folder });
  expect(nameless.train).toMatchObject({ name: 'cifar10/train', size: 50_000, classes: 10, channels: 3 });
  expect(nameless.train.classNames).toBeUndefined();
  await writeFile(
    join(folder, 'batches.meta.txt'),
    // As an editor may leave it, with a byte order mark.
    `\ufeff${Array.from({ length: 10 }, (_, c) => `class ${c}`).join('\n')}\n\n`,
  );
  const { train, test } = await readCifar10Folder({ folder });
  expect([train.classNames![0], train.classNames![9]]).toEqual(['class 0', 'class 9']);
  expect([train.label(0), train.label(20_000), train.label(49_999)]).toEqual([1, 3, 5]);
  expect(test).toMatchObject({ name: 'cifar10/test', size: 10_000 });
  const image = await train.image(30_007);
  expect(image).toMatchObject({ width: 32, height: 32, channels: 3 });
  expect([...image.data.slice(0, 3)]).toEqual([7, 0, 0]);
  await writeFile(join(folder, 'data_batch_3.bin'), file(9_999, [3]));
  expect(await rejection(readCifar10Folder({ folder }))).toMatchObject({
    code: 'DATA_CORRUPT',
    subject: join(folder, 'data_batch_3.bin'),
  });
});

it('reads the folder of CIFAR-100 by its fine classes', async () => {
  await writeFile(join(folder, 'train.bin'), file(50_000, [19, 77]));
  await writeFile(join(folder, 'test.bin'), file(10_000, [0, 99]));
  const { train, test } = await readCifar100Folder({ folder });
  expect(train).toMatchObject({ name: 'cifar100/train', size: 50_000, classes: 100 });
  expect([train.label(49_999), test.label(0)]).toEqual([77, 99]);
  expect(await rejection(readCifar100Folder({ folder, coarse: true } as never))).toMatchObject({
    code: 'UNKNOWN_OPTION',
  });
});
