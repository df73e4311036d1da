import { existsSync } from 'node:fs';
import { extname } from 'node:path';
import { imageExtensions } from '@lmd/data/node';
import { loadConfiguration, parseConfiguration, withOverrides } from '../configuration/load.js';
import type { Configuration } from '../configuration/schema.js';
import { UsageError } from '../errors.js';
import { presets } from '../presets/index.js';
import { presetForData } from './preset-for-data.js';
import { nameOf, type Proposal, proposeConfiguration } from './propose.js';
import { isData, surveyData } from './survey.js';

/** A configuration, and how it came about if it was made for data. */
export interface GivenConfiguration {
  readonly configuration: Configuration;
  readonly proposal?: Proposal;
}

/**
 * The configuration of a command: that of a preset or a file, or one that is made for a folder or a file of data.
 *
 * @param assignments those of `--set`.
 */
export async function configurationFrom(
  source: string,
  assignments: readonly string[] = [],
): Promise<GivenConfiguration> {
  if (Object.hasOwn(presets, source) || !isData(source)) {
    refuseImage(source);
    return { configuration: loadConfiguration(source, assignments) };
  }
  const proposal = await proposeConfiguration(source, assignments);
  const raw = withOverrides(proposal.configuration, assignments, source);
  return { configuration: parseConfiguration(raw, source), proposal };
}

/**
 * A preset with data of one's own, for `lmd train <data> --preset <name>`.
 *
 * @throws UsageError if `source` is no data, or of a kind that the preset cannot train on.
 */
export function configurationOfPreset(
  source: string,
  preset: keyof typeof presets,
  assignments: readonly string[] = [],
): Configuration {
  if (!isData(source)) {
    throw new UsageError('INVALID_ARGUMENT', `--preset ${preset} and ${source} cannot be combined.`, {
      subject: '--preset',
      value: preset,
      remedy: existsSync(source)
        ? `Write "preset": "${preset}" in ${source}, and omit --preset.`
        : 'Use one of them, or a folder or file of data with --preset.',
    });
  }
  const raw = presetForData(preset, source, surveyData(source).kind, nameOf(source));
  return parseConfiguration(withOverrides(raw, assignments, source), source);
}

/** @throws UsageError for one image, from which nothing is learned. */
function refuseImage(source: string): void {
  if (!imageExtensions.includes(extname(source).toLowerCase()) || !existsSync(source)) return;
  throw new UsageError('INVALID_ARGUMENT', `${source} is a single image.`, {
    subject: 'configuration',
    value: source,
    remedy: 'Use a folder with one subfolder of images per class, or a CSV file of paths and classes.',
  });
}
