import { existsSync, readFileSync } from 'node:fs';
import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { withFileErrors } from '@lmd/training/node';
import { UsageError } from '../errors.js';
import { writeNewFolder } from '../export/new-folder.js';
import type { ExportedFiles } from './cluster-job.js';
import { exportMark } from './readme-page.js';

/**
 * Writes the files of an export to a new folder, or with `force` over those of an earlier export. Other files of the
 * folder, such as a run, stay. After a failure before the first file has its name, nothing has changed.
 *
 * @param possible names of all files that an export may write; of these an earlier export may have left some.
 * @throws UsageError `RUN_EXISTS` if the folder exists without `force`, or is no export.
 */
export async function writeExport(
  folder: string,
  files: ExportedFiles,
  possible: readonly string[],
  force: boolean,
): Promise<void> {
  if (!existsSync(folder)) return writeNewFolder(folder, (temporary) => writeAll(temporary, files));
  requireExport(folder, force);
  await withFileErrors('write', folder, async () => {
    const temporary = await mkdtemp(join(folder, '.export-'));
    try {
      await writeAll(temporary, files);
      for (const name of possible) {
        const target = join(folder, name);
        if (files[name] === undefined) await rm(target, { force: true });
        else {
          await mkdir(dirname(target), { recursive: true });
          await rename(join(temporary, name), target);
        }
      }
    } finally {
      await rm(temporary, { recursive: true, force: true });
    }
  });
}

function requireExport(folder: string, force: boolean): void {
  const page = join(folder, 'README.md');
  const isExport = existsSync(page) && readFileSync(page, 'utf8').includes(exportMark);
  if (isExport && force) return;
  throw new UsageError(
    'RUN_EXISTS',
    isExport ? `--out ${folder} already exists.` : `--out ${folder} exists, and is no export of lmd cluster export.`,
    {
      subject: '--out',
      value: folder,
      remedy: isExport ? 'Use another folder, or overwrite its files with --force.' : 'Use the path of a new folder.',
    },
  );
}

async function writeAll(folder: string, files: ExportedFiles): Promise<void> {
  for (const [name, text] of Object.entries(files)) {
    const path = join(folder, name);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, text);
  }
}
