"""One repository that says where this Bazel keeps its C++ and proto rules.

load() cannot be conditional, and the rules have moved: Bazel 4 to 7 have them
built in, Bazel 8 lost cc_proto_library, Bazel 9 lost cc_library. So the file
that is loaded is generated, and BUILD files load it through rules.bzl.
"""

_NATIVE = """
cc_binary = native.cc_binary
cc_library = native.cc_library
cc_test = native.cc_test
cc_proto_library = native.cc_proto_library
proto_library = native.proto_library
"""

_MOVED = """
load(
    "@rules_cc//cc:defs.bzl",
    _cc_binary = "cc_binary",
    _cc_library = "cc_library",
    _cc_test = "cc_test",
)
load(
    "@com_google_protobuf//bazel:cc_proto_library.bzl",
    _cc_proto_library = "cc_proto_library",
)
load(
    "@com_google_protobuf//bazel:proto_library.bzl",
    _proto_library = "proto_library",
)

cc_binary = _cc_binary
cc_library = _cc_library
cc_test = _cc_test
cc_proto_library = _cc_proto_library
proto_library = _proto_library
"""

def _has_native_rules(version):
    """True for Bazel up to 7. A version that is no number is a distribution's."""
    major = version.split(".")[0]
    return not major.isdigit() or int(major) < 8

def _compat_repository_impl(repository_ctx):
    repository_ctx.file("BUILD.bazel", "")
    repository_ctx.file(
        "rules.bzl",
        _NATIVE if _has_native_rules(native.bazel_version) else _MOVED,
    )

compat_repository = repository_rule(
    implementation = _compat_repository_impl,
    doc = "Generates rules.bzl for the running Bazel.",
)
