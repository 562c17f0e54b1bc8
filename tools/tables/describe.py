"""Constructor arguments as JSON."""

import functools

from torch import nn

CONVENTIONS = (
    "args are the keyword arguments that the entry point passes to the class; what is missing keeps the default of the "
    "class. A string is passed as it is; a class or function is its name; functools.partial(X, k=v) is "
    "{\"class\": \"X\", \"k\": v}."
)


def describe(value):
    """`value` with classes and functions as their names, partials as objects, tuples as lists."""
    if isinstance(value, functools.partial):
        return {"class": value.func.__name__, **{key: describe(item) for key, item in value.keywords.items()}}
    if isinstance(value, dict):
        return {key: describe(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [describe(item) for item in value]
    if isinstance(value, nn.Module):
        return {"class": type(value).__name__}
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    return value.__name__
