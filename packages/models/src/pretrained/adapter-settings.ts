import { type ForeignSetting, foreignSettings } from '@lmd/core';

const ignored = (names: string): { readonly [name: string]: ForeignSetting } =>
  Object.fromEntries(names.split(' ').map((name): [string, ForeignSetting] => [name, 'ignored']));

const off = [null, false, {}, []] as const;

/**
 * `LoraConfig` of PEFT 0.21. What is off is refused where it is on: either the adapter is no B·A on the weight as it is
 * stored (DoRA, aLoRA, QA-LoRA, KaSA, BD-LoRA, Monte-Carlo LoRA, Arrow), or its initialisation changed the weights that
 * it stands on (PiSSA, OLoRA, CorDA, LoftQ, LoRA-GA), which are not those of the base model, or the layers are others
 * (`layer_replication`).
 */
const settings: { readonly [name: string]: ForeignSetting } = {
  // Which modules have adapters, or are trained whole, the tensors say. `fan_in_fan_out` follows from the class of the
  // module.
  ...ignored('target_modules exclude_modules modules_to_save layers_to_transform layers_pattern fan_in_fan_out'),
  // Of training, of serving, and where it all comes from.
  ...ignored('task_type auto_mapping base_model_name_or_path revision inference_mode peft_version lora_dropout'),
  ...ignored('runtime_config megatron_core qalora_group_size eva_config velora_config'),
  peft_type: ['LORA'],
  r: 'used',
  lora_alpha: 'used',
  use_rslora: 'used',
  bias: ['none', null],
  lora_bias: off,
  // `eva` and `orthogonal` only choose A, or an A and B whose product is zero.
  init_lora_weights: [true, false, null, 'gaussian', 'eva', 'orthogonal'],
  use_dora: off,
  use_qalora: off,
  use_bdlora: off,
  rank_pattern: off,
  alpha_pattern: off,
  alora_invocation_tokens: off,
  trainable_token_indices: off,
  target_parameters: off,
  layer_replication: off,
  loftq_config: off,
  corda_config: off,
  lora_ga_config: off,
  kasa_config: off,
  monteclora_config: off,
  arrow_config: off,
  megatron_config: off,
  ensure_weight_tying: off,
};

/**
 * The rank and the factor on B·A that an `adapter_config.json` says. Throws `UNSUPPORTED` for another kind of adapter.
 */
export function adapterScale(config: unknown): { readonly rank: number; readonly scale: number } {
  const read = foreignSettings(config, {
    file: 'adapter_config.json',
    known: settings,
    remedy: 'Merge such adapters with PEFT (merge_and_unload), and import the whole model.',
  });
  // The first setting that PEFT writes: without it, it is no configuration of PEFT.
  if (!read.has('peft_type')) read.refuse('peft_type', 'It must be "LORA".');
  const rank = read.count('r', 8);
  const alpha = read.positive('lora_alpha', 8);
  return { rank, scale: alpha / (read.flag('use_rslora', false) ? Math.sqrt(rank) : rank) };
}
