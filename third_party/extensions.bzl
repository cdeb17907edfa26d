"""The module extension for MODULE.bazel; Bazel 4 cannot load this file."""

load(":compat.bzl", "compat_repository")

def _compat_impl(_module_ctx):
    compat_repository(name = "external_containerizer_compat")

compat = module_extension(implementation = _compat_impl)
