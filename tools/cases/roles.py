"""What each layer is to the residual stream, by the end of its name.

patches: makes the stream from pixels. into_stream: its result is added to the stream. from_norm: reads what a norm
gave. sharp: the same with larger results. from_stream: reads the stream itself; from_normed_stream: where norms made
it. within_stream: from stream to stream. norm_of_stream: a norm whose result is the stream; stem: a convolution
within the stem, or its norm. layer_scale, logit_scale, unit, bias: single parameters.
"""

import re

TRANSFORMERS = {
    r"\d\.output\.dense|attention\.output\.dense": "into_stream",
    r"projection": "patches",
    r"o_proj|fc2|down_proj": "into_stream",
    r"q_proj|k_proj|v_proj|query|key|value|fc1|gate_proj|up_proj|dense": "from_norm",
    r"classifier|cls_classifier|distillation_classifier": "from_norm",
    r"lambda_?[12]": "layer_scale",
    r"embeddings\.norm|embeddings\.layernorm": "norm_of_stream",
    r"reduction|downsampling_layer\.1|pwconv2": "into_stream",
    r"patch_embeddings": "patches",
    r"dwconv": "within_stream",
    r"pwconv1|classifier\.\d|lm_head|decoder_embed|decoder_pred": "from_norm",
    r"layer_scale_parameter": "layer_scale",
    r"grn\.(weight|bias)": "bias",
    r"relative_position_bias_table": "unit",
    r"continuous_position_bias_mlp\.[02]|cpb_mlp\.[02]": "from_norm",
    r"logit_scale": "logit_scale",
}
TIMM = {
    r"patch_embed\.proj": "patches",
    r"norm_pre|patch_embed\.norm": "norm_of_stream",
    r"attn\.proj|attn_pool\.proj": "into_stream",
    r"qkv|fc1_g|fc1_x|attn_pool\.q|attn_pool\.kv|head|head_dist|head\.fc": "from_norm",
    r"attn_pool\.latent": "unit",
    r"q_bias|v_bias": "bias",
    r"stem\.0": "patches",
    r"stem\.[123]": "stem",
    r"conv_dw": "within_stream",
    r"stages\.\d\.downsample\.1": "into_stream",
    r"pre_logits\.fc": "from_norm",
    r"gamma(_[12])?": "layer_scale",
}
TORCHVISION = {
    r"conv_proj|features\.0\.0": "patches",
    r"features\.0\.[12]": "norm_of_stream",
    r"block\.0": "within_stream",
    r"block\.3": "from_norm",
    r"block\.5|features\.[246]\.1": "into_stream",
    r"self_attention\.out_proj|mlp\.3": "into_stream",
    r"self_attention\.in_proj_weight|mlp\.0|heads\.head|fc|linear": "from_norm",
    r"in_proj_bias": "bias",
    r"layer_scale": "layer_scale",
}
SWIN_V2 = {  # comes first: its norms stand behind attention and MLP, so these read the stream itself
    r"query|key|value|qkv|intermediate\.dense|fc1|mlp\.0": "from_normed_stream",
    r"output\.dense": "into_stream",
    r"reduction": "within_stream",
    r"(norm[12]|layernorm_before|layernorm_after|downsample\.norm|features\.[246]\.norm)": "norm_of_stream",
}
POST_NORM = {r"qkv|fc1": "from_normed_stream", r"norm[12]": "norm_of_stream"}  # comes first, too
RULES = (TRANSFORMERS, TIMM, TORCHVISION)


def role_of(name, first):
    """The role of a module or parameter by `first` or the rules above; None where none speaks of it."""
    for rules in (first, *RULES):
        for pattern, role in rules.items():
            if re.search(rf"(^|\.)({pattern})$", name):
                return role
    return None
