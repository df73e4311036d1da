import { precisionPreset } from '@lmd/models';
import { areaUnderRoc, evaluateUncertainty } from '@lmd/training';
import { networkOf, optimizerOf } from './methods.mjs';

const calibrationBins = 15;
const batchSize = 500;

/**
 * The scores of the mean predictions of 1, 2, 4, … draws: of the posterior, of dropout masks, or of the members of an
 * ensemble. With `other`, also how well their entropy tells the test data from other data.
 */
export async function scoresOf(ops, method, { states, searched }, { draws, weights }, dataset, options = {}) {
  const { fitTemperature = false, temperature, other } = options;
  const network = networkOf(method);
  const drops = weights === 'sample' && method.dropout !== undefined;
  const isEnsemble = states.length > 1;
  const optimizer = optimizerOf(method, searched, 1);
  const key = { seed: 0, step: 0, sample: 0 };
  const evaluated = (data, rest) =>
    evaluateUncertainty({
      ops,
      model: drops
        ? { ...network, forward: (o, w, x, context) => network.forward(o, w, x, { ...context, training: true }) }
        : network,
      weights: (sample) =>
        optimizer.weights(ops, states[isEnsemble ? sample % states.length : 0], isEnsemble ? 'mean' : weights, {
          ...{ ...key, sample },
        }),
      samples: draws,
      dataset: data,
      precision: precisionPreset('fp32'),
      ...{ batchSize, calibrationBins, key, ...rest },
    });
  const own = await evaluated(dataset, temperature === undefined ? { fitTemperature } : { temperature });
  const outlying = other === undefined ? undefined : await evaluated(other, { ignoreLabels: true });
  return {
    averages: own.averages.map(({ samples, accuracy, loss, brier, calibration }) => ({
      ...{ samples, accuracy, loss, brier, calibrationError: calibration.error },
    })),
    ...(own.fittedTemperature === undefined ? {} : { temperature: own.fittedTemperature }),
    ...(own.scaledLoss === undefined ? {} : { temperature, scaledLoss: own.scaledLoss }),
    ...(outlying === undefined ? {} : { auroc: areaUnderRoc(own.entropy, outlying.entropy) }),
  };
}
