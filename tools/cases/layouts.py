"""How publishers nest and name a state dict: functions from a plain one to what is saved, and back."""

import torch


def plain(state):
    return state


def nested(key, prefix, **beside):
    """{key: {prefix + name: tensor}}, and what else such a file holds."""

    def wrap(state):
        return {**beside, key: {prefix + name: tensor for name, tensor in state.items()}}

    def unwrap(saved):
        return {name.removeprefix(prefix): tensor for name, tensor in saved[key].items() if name.startswith(prefix)}

    return wrap, unwrap


def wrap_dino(state):
    """A training checkpoint: student and teacher, each with the projection head that is not read."""
    channels = state["cls_token"].shape[-1]
    head = {"module.head.mlp.0.weight": torch.ones(4, channels), "module.head.mlp.0.bias": torch.ones(4)}
    teacher = {f"module.backbone.{name}": tensor for name, tensor in state.items()}
    student = {name: tensor + 1 for name, tensor in teacher.items() if "norm" in name}
    return {"student": student, "teacher": teacher | head, "epoch": 100}


def unwrap_dino(saved):
    prefix = "module.backbone."
    return {name.removeprefix(prefix): tensor for name, tensor in saved["teacher"].items() if name.startswith(prefix)}


def wrap_dinov2(state, chunk=""):
    """Positions with the class token's in front, register_tokens, a mask token, w12 and w3, blocks in chunks."""
    saved = {}
    for name, tensor in state.items():
        name = name.replace("reg_token", "register_tokens").replace("blocks.", f"blocks.{chunk}")
        saved[name.replace("mlp.fc1", "mlp.w12").replace("mlp.fc2", "mlp.w3") if is_gated(state) else name] = tensor
    if "register_tokens" in saved:
        first = 0.5 * saved["cls_token"].flip(-1)
        saved["cls_token"] = saved["cls_token"] - first
        saved["pos_embed"] = torch.cat([first, saved["pos_embed"]], dim=1)
    saved["mask_token"] = torch.zeros(1, saved["cls_token"].shape[-1])
    return saved


def unwrap_dinov2(saved, chunk=""):
    state = {}
    for name, tensor in saved.items():
        name = name.replace("register_tokens", "reg_token").replace(f"blocks.{chunk}", "blocks.")
        state[name.replace("mlp.w12", "mlp.fc1").replace("mlp.w3", "mlp.fc2")] = tensor
    state.pop("mask_token")
    if "reg_token" in state:  # timm adds no position to the class token: it goes into the token itself
        state["cls_token"] = state["cls_token"].float() + state["pos_embed"][:, :1].float()
        state["pos_embed"] = state["pos_embed"][:, 1:]
    return state


def is_gated(state):
    return state["blocks.0.mlp.fc1.weight"].shape[0] != state["blocks.0.mlp.fc2.weight"].shape[1]


def chunked_dinov2():
    return lambda state: wrap_dinov2(state, "0."), lambda saved: unwrap_dinov2(saved, "0.")


LAYOUTS = {
    "plain": (plain, plain),
    "dino": (wrap_dino, unwrap_dino),
    "dinov2": (wrap_dinov2, unwrap_dinov2),
    "dinov2_chunks": chunked_dinov2(),
    "state_dict": nested("state_dict", "module.", best_prec1=91.7),
    "model": nested("model", "", epoch=3, scaler=None),
}
