"""Every dependency, from the packages of Debian 12; nothing is downloaded.

The repositories have the names and labels that upstream gives them, so BUILD
files do not know where a dependency comes from. Only the labels we use exist.
"""

# Abseil as Debian splits it: one pkg-config file "absl_<target>" per target.
_ABSL = {
    "algorithm": ["container"],
    "base": ["core_headers"],
    "cleanup": ["cleanup"],
    "container": ["btree", "flat_hash_map", "flat_hash_set", "inlined_vector", "node_hash_map"],
    "functional": ["any_invocable", "function_ref"],
    "hash": ["hash"],
    "memory": ["memory"],
    "numeric": ["bits"],
    "random": ["distributions", "random"],
    "status": ["status", "statusor"],
    "strings": ["cord", "str_format", "strings"],
    "synchronization": ["synchronization"],
    "time": ["time"],
    "types": ["optional", "span", "variant"],
    "utility": ["utility"],
}

# Where the pkg-config name is not the target's.
_PKG_CONFIG_NAMES = {
    "algorithm:container": "algorithm_container",
    "random:distributions": "random_distributions",
    "random:random": "random_random",
}

def _need(repository_ctx, path, package):
    if not repository_ctx.path(path).exists:
        fail("%s is missing: install Debian's package %s, or run ./bazelw, which installs all that is needed." % (path, package))

def _pkg_config(repository_ctx, module, package):
    """Link options for a module; its archives are linked statically."""
    _need(repository_ctx, "/usr/bin/pkg-config", "pkg-config")
    flags = []
    for what in [["--variable=libdir"], ["--libs"]]:
        result = repository_ctx.execute(["pkg-config"] + what + [module])
        if result.return_code != 0:
            fail("pkg-config does not know %s: install Debian's package %s, or run ./bazelw, which installs all that is needed." % (module, package))
        flags.append(result.stdout.strip())
    libdir, libs = flags
    options = []
    for flag in libs.split(" "):
        archive = "lib%s.a" % flag[2:]
        if flag.startswith("-l") and flag not in ["-lrt", "-latomic", "-lz", "-lm", "-lpthread"] and \
           repository_ctx.path(libdir + "/" + archive).exists:
            flag = "-l:" + archive
        if flag:
            options.append(flag)
    return options

def _library(name, linkopts, deps = []):
    return """
cc_library(
    name = "%s",
    linkopts = %r,
    visibility = ["//visibility:public"],
    deps = %r,
)
""" % (name, linkopts, deps)

def _absl_impl(repository_ctx):
    for directory, targets in _ABSL.items():
        build = ""
        for target in targets:
            module = "absl_" + _PKG_CONFIG_NAMES.get(directory + ":" + target, target)
            build += _library(target, _pkg_config(repository_ctx, module, "libabsl-dev"))
        repository_ctx.file("absl/%s/BUILD" % directory, build)

_absl = repository_rule(implementation = _absl_impl, local = True)

def _googletest_impl(repository_ctx):
    gtest = _pkg_config(repository_ctx, "gmock", "libgmock-dev")
    repository_ctx.file("BUILD", _library("gtest", gtest) +
                                 _library("gtest_main", ["-l:libgmock_main.a"], [":gtest"]))

_googletest = repository_rule(implementation = _googletest_impl, local = True)

def _re2_impl(repository_ctx):
    repository_ctx.file("BUILD", _library("re2", _pkg_config(repository_ctx, "re2", "libre2-dev")))

_re2 = repository_rule(implementation = _re2_impl, local = True)

def _benchmark_impl(repository_ctx):
    repository_ctx.file("BUILD", _library("benchmark", _pkg_config(repository_ctx, "benchmark", "libbenchmark-dev")) +
                                 _library("benchmark_main", ["-l:libbenchmark_main.a"], [":benchmark"]))

_benchmark = repository_rule(implementation = _benchmark_impl, local = True)

def _protobuf_impl(repository_ctx):
    _need(repository_ctx, "/usr/bin/protoc", "protobuf-compiler")
    repository_ctx.symlink("/usr/bin/protoc", "protoc_binary")
    repository_ctx.file("bazel/BUILD", "")
    for rule in ["cc_proto_library", "proto_library"]:
        repository_ctx.file("bazel/%s.bzl" % rule, "%s = native.%s\n" % (rule, rule))
    repository_ctx.file("BUILD", """
package(default_visibility = ["//visibility:public"])

alias(name = "protoc", actual = "protoc_binary")

# The toolchain wants a list of them; none of our files imports one.
proto_library(name = "well_known_protos")

proto_lang_toolchain(
    name = "cc_toolchain",
    blacklisted_protos = [":well_known_protos"],
    command_line = "--cpp_out=$(OUT)",
    runtime = ":protobuf",
)
""" + _library("protobuf", _pkg_config(repository_ctx, "protobuf", "libprotobuf-dev")))

_protobuf = repository_rule(implementation = _protobuf_impl, local = True)

# rules_cc: the rules of Bazel itself. @bazel_tools loads some that we do not.
_RULES_CC = [
    "cc_binary",
    "cc_import",
    "cc_library",
    "cc_proto_library",
    "cc_test",
    "cc_toolchain",
    "cc_toolchain_suite",
    "fdo_prefetch_hints",
    "fdo_profile",
    "objc_import",
    "objc_library",
]

def _rules_cc_impl(repository_ctx):
    repository_ctx.file("BUILD", "")
    repository_ctx.file("cc/BUILD", "")
    repository_ctx.file("cc/defs.bzl", "".join(["%s = native.%s\n" % (rule, rule) for rule in _RULES_CC]))
    for name in ["action_names", "cc_toolchain_config_lib"]:
        repository_ctx.file("cc/%s.bzl" % name, 'load("@bazel_tools//tools/%s.bzl", %s)\n%s' % {
            "action_names": ("build_defs/cc:action_names", '_names = "ACTION_NAMES"', "ACTION_NAMES = _names\n"),
            "cc_toolchain_config_lib": ("cpp:cc_toolchain_config_lib", '_feature = "feature"', "feature = _feature\n"),
        }[name])

_rules_cc = repository_rule(implementation = _rules_cc_impl, local = True)

def _empty_coverage_impl(repository_ctx):
    repository_ctx.file("BUILD", """
filegroup(name = "coverage_report_generator", visibility = ["//visibility:public"])
""")

# Every cc_test names it, coverage or not.
_empty_coverage = repository_rule(implementation = _empty_coverage_impl)

# buildifier: disable=unnamed-macro
def debian_repositories():
    """Declares every dependency, from the packages that ./bazelw installs."""
    _absl(name = "com_google_absl")
    _googletest(name = "com_google_googletest")
    _re2(name = "com_googlesource_code_re2")
    _benchmark(name = "com_github_google_benchmark")
    _protobuf(name = "com_google_protobuf")
    _rules_cc(name = "rules_cc")
    _empty_coverage(name = "remote_coverage_tools")
    for name, path in {
        "bazel_skylib": "/usr/share/bazel/tools/skylib",
        "platforms": "/usr/share/bazel/platforms",
        "rules_java": "/usr/share/bazel/rules/java",
    }.items():
        native.local_repository(name = name, path = path)
