import { loadConfiguration, parseConfiguration, withOverrides } from '../configuration/load.js';
import type { Configuration } from '../configuration/schema.js';
import { presets } from '../presets/index.js';
import { type Proposal, proposeConfiguration } from './propose.js';
import { isData } from './survey.js';

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
    return { configuration: loadConfiguration(source, assignments) };
  }
  const proposal = await proposeConfiguration(source, assignments);
  const raw = withOverrides(proposal.configuration, assignments, source);
  return { configuration: parseConfiguration(raw, source), proposal };
}
