export {
  type CifarFolderOptions,
  cifarClassNames,
  readCifar10Folder,
  readCifar100Folder,
} from './cifar-files.js';
export { classFolders, type FolderImages, listImages, looseFiles } from './class-folders.js';
export { type Corpus, type CorpusOptions, corpusOptionTable, readCorpus, textExtensions } from './corpus.js';
export { hasMnistFiles, type MnistFolderOptions, readIdxFile, readMnistFolder } from './idx-files.js';
export { type DecodeImageOptions, decodeImage, type ImageDecoder, imageDecoder } from './image-decoder.js';
export type { ImageFiles } from './image-files.js';
export { type ImageFolder, type ImageFolderOptions, imageFolderOptionTable, openImageFolder } from './image-folder.js';
export { imageExtensions } from './image-format.js';
export { type ImageTableOptions, imageTableOptionTable, openImageTable, readImageTable } from './image-table.js';
export { mnistPackageFolder, mnistPackageVersion } from './mnist-package.js';
export { type OpenTokenFileOptions, openTokenFile, type TokenFile } from './open-token-file.js';
export { stateOfTheUnion } from './state-of-the-union.js';
export { readTextFiles, type TextFilesOptions } from './text-files.js';
export { parseTokenFileDescription, type TokenFileDescription } from './token-file-description.js';
export {
  type TokenFiles,
  type TokenFilesProgress,
  type WriteTokenFilesOptions,
  writeTokenFiles,
  writeTokenFilesOptionTable,
} from './token-files.js';
