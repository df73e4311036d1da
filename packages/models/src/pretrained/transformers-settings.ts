import type { ForeignSetting } from '@lmd/core';

type Known = { readonly [name: string]: ForeignSetting };

const ignored = (names: string): Known =>
  Object.fromEntries(names.split(' ').map((name): [string, ForeignSetting] => [name, 'ignored']));

/**
 * Settings that transformers writes for every architecture: where a model comes from, what it is called, how it is
 * trained and how text is sampled. None of them changes the logits that the tensors give.
 */
const general: Known = {
  ...ignored('_name_or_path _commit_hash _attn_implementation _attn_implementation_autoset _num_labels name_or_path'),
  ...ignored('architectures attn_implementation dtype torch_dtype transformers_version tokenizer_class prefix'),
  // Which files transformers.js loads.
  ...ignored('transformers.js_config'),
  ...ignored('finetuning_task task_specific_params problem_type label2id id2label num_labels gradient_checkpointing'),
  ...ignored('output_attentions output_hidden_states return_dict torchscript use_cache use_bfloat16 tf_legacy_loss'),
  ...ignored(
    'initializer_range chunk_size_feed_forward is_decoder is_composition is_composite model_parallel device_map',
  ),
  ...ignored('bos_token_id eos_token_id pad_token_id sep_token_id decoder_start_token_id begin_suppress_tokens'),
  ...ignored(
    'suppress_tokens forced_bos_token_id forced_eos_token_id bad_words_ids max_length min_length max_new_tokens',
  ),
  ...ignored('do_sample early_stopping num_beams num_beam_groups diversity_penalty temperature top_k top_p typical_p'),
  ...ignored(
    'repetition_penalty length_penalty no_repeat_ngram_size encoder_no_repeat_ngram_size num_return_sequences',
  ),
  ...ignored('output_scores return_dict_in_generate remove_invalid_values exponential_decay_length_penalty'),
  model_type: 'used',
  is_encoder_decoder: [false],
  tie_encoder_decoder: [false],
  add_cross_attention: [false],
  cross_attention_hidden_size: [null],
  pruned_heads: [{}, null],
  quantization_config: [null],
  auto_map: [null, {}],
};

/** `GPT2Config` of transformers 5.23, and what older versions wrote. */
export const gpt2Settings: Known = {
  ...general,
  ...ignored('resid_pdrop embd_pdrop attn_pdrop summary_type summary_use_proj summary_activation'),
  ...ignored('summary_proj_to_labels summary_first_dropout n_special predict_special_tokens'),
  // Only which precision attention has under mixed precision.
  ...ignored('reorder_and_upcast_attn'),
  vocab_size: 'used',
  n_positions: 'used',
  n_ctx: 'used',
  n_embd: 'used',
  n_layer: 'used',
  n_head: 'used',
  n_inner: 'used',
  activation_function: 'used',
  layer_norm_epsilon: 'used',
  scale_attn_weights: [true],
  scale_attn_by_inverse_layer_idx: [false],
  tie_word_embeddings: [true],
};

/** `ViTConfig` of transformers 5.23, and what older versions wrote. */
export const vitSettings: Known = {
  ...general,
  ...ignored('hidden_dropout_prob attention_probs_dropout_prob encoder_stride pooler_output_size pooler_act'),
  id2label: 'used',
  num_labels: 'used',
  hidden_size: 'used',
  num_hidden_layers: 'used',
  num_attention_heads: 'used',
  intermediate_size: 'used',
  hidden_act: 'used',
  layer_norm_eps: 'used',
  image_size: 'used',
  patch_size: 'used',
  num_channels: 'used',
  qkv_bias: [true],
};
