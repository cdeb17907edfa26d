"""The rules that our BUILD files load, for every Bazel from 4.2 on.

Libraries are included by their full path from wherever this project is
embedded: "external_containerizer/transport/transport.h".
"""

load(
    "@external_containerizer_compat//:rules.bzl",
    _cc_binary = "cc_binary",
    _cc_library = "cc_library",
    _cc_proto_library = "cc_proto_library",
    _cc_test = "cc_test",
    _proto_library = "proto_library",
)

cc_binary = _cc_binary
cc_proto_library = _cc_proto_library
cc_test = _cc_test

def cc_library(name, **kwargs):
    """cc_library whose headers are "external_containerizer/<path>"."""
    _cc_library(
        name = name,
        include_prefix = "external_containerizer",
        strip_include_prefix = "/",
        **kwargs
    )

def proto_library(name, **kwargs):
    """proto_library that is imported as "external_containerizer/<path>"."""
    _proto_library(
        name = name,
        import_prefix = "external_containerizer",
        strip_import_prefix = "/",
        **kwargs
    )
