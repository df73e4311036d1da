import { basename, join, resolve } from 'node:path';
import { LmdError, type OptionsOf, type OptionTable, option, resolveOptions } from '@lmd/core';
import { classFolders, filesOf, looseFiles } from './class-folders.js';
import { decoderOf, type ImageFiles, imageFilesOptionTable, type LabelledFile, openImageFiles } from './image-files.js';

const owner = 'openImageFolder';

/** The options of `openImageFolder`, declared once. */
export const imageFolderOptionTable = {
  /** Folder with one subfolder per class, like ImageNet; images may be in nested subfolders. Required. */
  folder: option.text({
    required: true,
    describe: 'Folder with one subfolder per class, like ImageNet; images may be in nested subfolders.',
  }),
  /** Name of the data in checkpoints. Default: the name of the folder. */
  name: option.text({ describe: 'Name of the data in checkpoints. Default: the name of the folder.' }),
  /**
   * Names of the classes, in the order of their labels, if not all subfolders are classes. Default: all subfolders,
   * sorted by name. The names of folders without duplicates.
   */
  classNames: option.value<readonly string[]>({
    describe:
      'Names of the classes, in the order of their labels, if not all subfolders are classes. Default: all ' +
      'subfolders, sorted by name.',
    allowed: 'the names of folders without duplicates',
    check: areClassNames,
  }),
  ...imageFilesOptionTable,
} as const satisfies OptionTable;

export interface ImageFolderOptions extends OptionsOf<typeof imageFolderOptionTable> {}

export interface ImageFolder extends ImageFiles {
  /**
   * Files that are not used: those in the class folders without an image extension, and those beside the class folders.
   * Hidden files are not included.
   */
  readonly unused: readonly string[];
}

/**
 * Opens a folder of images by class. Images are decoded on demand, in background threads. Their order is by class and
 * path, the same on every machine. Links to folders are followed; hidden files and folders, such as
 * `.ipynb_checkpoints` and `__MACOSX`, are ignored.
 *
 * @throws LmdError `DATA_CORRUPT` if there are no classes, or a class has no images; `ENGINE_MISSING` if sharp is not
 * installed and no decoder is given; `FILE_SYSTEM`. From `image`: `DATA_CORRUPT` naming the file that cannot be
 * decoded.
 */
export async function openImageFolder(options: ImageFolderOptions): Promise<ImageFolder> {
  const checked = resolveOptions(owner, imageFolderOptionTable, options);
  const { folder } = checked;
  const decoder = await decoderOf(owner, checked);
  const extensions = new Set(decoder.extensions);
  const { classNames = classFolders(folder) } = checked;
  if (classNames.length === 0)
    throw empty(folder, 'has no subfolders', 'Put the images of each class into a subfolder.');
  const images: LabelledFile[] = [];
  const unused: string[] = looseFiles(folder);
  for (const [label, className] of classNames.entries()) {
    const found = await filesOf(join(folder, className), extensions, unused);
    if (found.length === 0) {
      throw empty(
        join(folder, className),
        `has no images (${[...extensions].join(', ')})`,
        'Remove the folder, or set classNames.',
      );
    }
    for (const { path, name, size } of found) images.push({ path, label, name: `${className}/${name}`, size });
  }
  const name = checked.name ?? basename(resolve(folder));
  const opened = await openImageFiles(owner, { name, files: images, classNames }, checked, decoder, () =>
    empty(folder, 'has no image that can be decoded', 'Check the files.'),
  );
  return { ...opened, unused };
}

/** A folder with two labels would put an image into two classes. */
function areClassNames(names: unknown): boolean {
  return (
    Array.isArray(names) &&
    names.length > 0 &&
    names.every((name) => typeof name === 'string' && name !== '' && !name.includes('\0')) &&
    new Set(names).size === names.length
  );
}

function empty(folder: string, problem: string, remedy: string): LmdError {
  return new LmdError('DATA_CORRUPT', `${folder} ${problem}.`, { subject: folder, value: 0, remedy });
}
