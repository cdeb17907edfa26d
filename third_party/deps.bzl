"""What a WORKSPACE that embeds this project calls, once.

    load("@external_containerizer//third_party:deps.bzl", "external_containerizer_dependencies")
    external_containerizer_dependencies()

Under bzlmod MODULE.bazel does the same by itself.
"""

load("//third_party:compat.bzl", "compat_repository")

def external_containerizer_dependencies():
    """Declares the one generated repository that our BUILD files need.

    Abseil, protobuf, RE2 and rules_cc are yours: they are looked up under the
    names that the ecosystem gives them (@com_google_absl,
    @com_google_protobuf, @com_googlesource_code_re2, @rules_cc). Our own tests
    need @com_google_googletest and @com_github_google_benchmark, too.
    """
    if not native.existing_rule("external_containerizer_compat"):
        compat_repository(name = "external_containerizer_compat")
