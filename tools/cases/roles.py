"""What each layer is to the residual stream, by the end of its name.

patches: makes the stream from pixels. into_stream: its result is added to the stream. from_norm: reads what a norm gave.
from_stream: reads the stream itself. within_stream: from stream to stream. norm_of_stream: a norm whose result is the
stream. layer_scale, unit, bias: single parameters.
"""

import re

TRANSFORMERS = {
    r"projection": "patches",
    r"o_proj|fc2|down_proj": "into_stream",
    r"q_proj|k_proj|v_proj|fc1|gate_proj|up_proj|dense|classifier|cls_classifier|distillation_classifier": "from_norm",
    r"lambda1": "layer_scale",
}
TIMM = {
    r"patch_embed\.proj": "patches",
    r"norm_pre|patch_embed\.norm": "norm_of_stream",
    r"attn\.proj|attn_pool\.proj": "into_stream",
    r"qkv|fc1_g|fc1_x|attn_pool\.q|attn_pool\.kv|head|head_dist": "from_norm",
    r"attn_pool\.latent": "unit",
    r"gamma": "layer_scale",
}
TORCHVISION = {
    r"conv_proj": "patches",
    r"self_attention\.out_proj|encoder_layer_\d+\.mlp\.3": "into_stream",
    r"self_attention\.in_proj_weight|encoder_layer_\d+\.mlp\.0|heads\.head|fc": "from_norm",
    r"in_proj_bias": "bias",
    r"layer_scale": "layer_scale",
}
RULES = (TRANSFORMERS, TIMM, TORCHVISION)


def role_of(name, first):
    """The role of a module or parameter by `first` or the rules above; None where none speaks of it."""
    for rules in (dict(first), *RULES):
        for pattern, role in rules.items():
            if re.search(rf"(^|\.)({pattern})$", name):
                return role
    return None
