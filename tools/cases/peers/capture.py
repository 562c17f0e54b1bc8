"""Keeps what enters or leaves chosen modules while a model runs."""

import contextlib


@contextlib.contextmanager
def captured(probes):
    """name -> tensor, filled while the context is open; `probes` is name -> (module, "input" or "output")."""
    seen = {}

    def keep(name, tensor):
        if name not in seen:  # the first call of a module counts
            seen[name] = tensor.detach().clone()

    def hook(name, module, side):
        if side == "input":
            return module.register_forward_pre_hook(lambda _, inputs: keep(name, inputs[0]))
        return module.register_forward_hook(lambda _, inputs, output: keep(name, output))

    hooks = [hook(name, *probe) for name, probe in probes.items()]
    try:
        yield seen
    finally:
        for handle in hooks:
            handle.remove()


def outputs_of(probes, seen):
    """What was seen, in the order of the probes."""
    return {name: seen[name] for name in probes if name in seen}


def numbered(modules):
    """Probes of what leaves `modules`, as hidden states 0, 1, ..."""
    return {f"hidden_state_{index}": (module, "output") for index, module in enumerate(modules)}
