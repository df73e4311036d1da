export type { OpenPosterior, Posterior, PosteriorOf, StoredCheckpoint } from '../posterior-source.js';
export { posteriorSampling } from './posterior-sampling.js';
