export type { OpenPosterior, Posterior, PosteriorOf, StoredCheckpoint } from '../posterior-source.js';
export { posteriorSampling, requirePosterior } from './posterior-sampling.js';
