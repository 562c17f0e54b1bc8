"""Lets timm be imported where torchvision is not installed, for what needs shapes only.

timm imports names of torchvision at load time (datasets, transforms, one BatchNorm class) that building a vision
transformer never uses. Each such name becomes an empty class here.
"""

import importlib.abc
import importlib.machinery
import importlib.util
import sys
import types


class _Anything(type):
    def __getattr__(cls, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return _empty_class(name)


def _empty_class(name):
    return _Anything(name, (), {})


class _EmptyModule(types.ModuleType):
    __path__ = []

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return _empty_class(name)


class _Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    def find_spec(self, name, path, target=None):
        if name.split(".")[0] == "torchvision":
            return importlib.machinery.ModuleSpec(name, self, is_package=True)
        return None

    def create_module(self, spec):
        return _EmptyModule(spec.name)

    def exec_module(self, module):
        pass


def import_timm():
    """timm, with torchvision's names empty if torchvision itself is absent; transformers must be imported before."""
    if importlib.util.find_spec("torchvision") is None:
        sys.meta_path.append(_Finder())
    import timm

    return timm
