# Copyright 2026 The External Containerizer Authors.
# SPDX-License-Identifier: Apache-2.0
"""Holds the BUILD files and the includes of a source tree against the rules.

    build_files.py ROOT labels|rooms|support|dependencies|ledger

Prints what breaks the rule, a line each, and exits with 1 if anything does.
"""

import os
import re
import sys

# Which rooms a room may include headers of, beside its own and
# transport/linux. None: any. Test support and tests may use testing/, too.
ROOMS = {
    "containerizer": ["containerizer/wire", "transport"],
    "containerizer/agent": None,
    "containerizer/posix": [
        "containerizer/program",
        "containerizer/wire",
        "transport",
    ],
    "containerizer/program": [
        "containerizer/wire",
        "transport",
        "transport/fork_exec",
        "transport/ttrpc",
        "transport/unix_socket",
    ],
    "containerizer/wire": [],
    "state": ["containerizer", "containerizer/wire", "transport"],
    "testing": None,
    "transport": [],
    "transport/fork_exec": ["transport"],
    "transport/linux": [],
    "transport/mock": ["containerizer/wire", "transport"],
    "transport/ttrpc": ["transport"],
    "transport/unix_socket": ["transport", "transport/ttrpc"],
}

# Where one header of a room is meant, and not the rest.
ONLY = {
    ("state", "containerizer"): ["containerizer/container.h"],
    ("state", "transport"): ["transport/record_io.h"],
    ("transport/ttrpc", "transport"): [
        "transport/alive.h",
        "transport/event_loop.h",
    ],
}

# The targets of others, by the start of what is included.
EXTERNAL = [
    (r"absl/base/config\.h", "@com_google_absl//absl/base:config"),
    (r"absl/base/", "@com_google_absl//absl/base:core_headers"),
    (r"absl/container/btree_", "@com_google_absl//absl/container:btree"),
    (r"absl/container/(\w+)\.h", r"@com_google_absl//absl/container:\1"),
    (r"absl/functional/(\w+)\.h", r"@com_google_absl//absl/functional:\1"),
    (r"absl/status/statusor\.h", "@com_google_absl//absl/status:statusor"),
    (r"absl/strings/(cord|str_format)\.h", r"@com_google_absl//absl/strings:\1"),
    (r"absl/types/(\w+)\.h", r"@com_google_absl//absl/types:\1"),
    (r"absl/(\w+)/", r"@com_google_absl//absl/\1:\1"),
    (r"benchmark/", "@com_github_google_benchmark//:benchmark"),
    (r"g(test|mock)/", "@com_google_googletest//:gtest"),
    (r"google/protobuf/", "@com_google_protobuf//:protobuf"),
    (r"re2/", "@com_googlesource_code_re2//:re2"),
]

# They give a main(), or a transport, to whoever links them.
LINKED_ONLY = (
    "gtest_main",
    "benchmark_main",
    "//transport:selected",
    "//containerizer/posix:static_cxx",
)

INCLUDE = re.compile(r'^ *# *include *["<]([^">]+)[">]', re.M)
TEST_CASE = re.compile(r"^TEST(?:_F|_P)?\(\s*(\w+),\s*(\w+)\)", re.M)
OURS = "external_containerizer/"


class Rule:
    def __init__(self, kind, package, attributes, defaults):
        self.kind = kind
        self.package = package
        self.name = attributes["name"]
        self.label = "//%s:%s" % (package, self.name)
        self.attributes = attributes
        self.testonly = attributes.get(
            "testonly", defaults.get("default_testonly", kind == "cc_test")
        )

    def labels(self, attribute):
        values = self.attributes.get(attribute, [])
        return [absolute(self.package, value) for value in values]

    def files(self, *attributes):
        """Source files, as paths from the top."""
        labels = [l for a in attributes for l in self.labels(a)]
        return [label[2:].replace(":", "/").lstrip("/") for label in labels]


def absolute(package, label):
    """//package:name, also of a label in another repository."""
    if label.startswith(":"):
        return "//%s%s" % (package, label)
    if not label.startswith(("//", "@")):
        return "//%s:%s" % (package, label)
    if ":" not in label:
        label += ":" + label.rsplit("/", 1)[-1].lstrip("@")
    return label


def read_rules(root):
    rules = []
    for directory, below, files in os.walk(root):
        package = os.path.relpath(directory, root).replace("\\", "/")
        package = "" if package == "." else package
        below[:] = [
            name
            for name in below
            if not name.startswith((".", "bazel-"))
            and os.path.join(package, name) not in ("testing/e2e", "third_party")
        ]
        if "BUILD" in files:
            read_package(rules, package, os.path.join(directory, "BUILD"))
    return rules


def read_package(rules, package, path):
    defaults = {}

    class Functions(dict):
        def __missing__(self, kind):
            def declare(**attributes):
                rules.append(Rule(kind, package, attributes, defaults))

            return declare

    names = Functions(
        exports_files=lambda *_, **__: None,
        glob=lambda *_, **__: [],
        load=lambda *_: None,
        package=lambda **given: defaults.update(given),
        select=lambda _: [],
    )
    names["__builtins__"] = {"True": True, "False": False, "None": None}
    with open(path, encoding="utf-8") as build:
        exec(compile(build.read(), path, "exec"), names)


def sources(rule):
    return rule.files("srcs", "hdrs")


def includes(root, path):
    try:
        with open(os.path.join(root, path), encoding="utf-8") as source:
            return INCLUDE.findall(source.read())
    except OSError:
        return []  # generated


def external(header):
    for start, target in EXTERNAL:
        match = re.match(start, header)
        if match:
            return {match.expand(target)}
    return set()


def room_of(path):
    room = os.path.dirname(path)
    while room not in ROOMS:
        room = os.path.dirname(room)
        if not room:
            return None
    return room


def check_labels(root, rules):
    """Public labels are those that testing/e2e/workspace lists."""
    lists = {}
    path = os.path.join(root, "testing/e2e/workspace/public_labels.bzl")
    with open(path, encoding="utf-8") as public:
        exec(public.read(), lists)
    seen = {"PUBLIC_LABELS": [], "PUBLIC_FLAGS": [], "DEPRECATED_LABELS": []}
    for rule in rules:
        if "//visibility:public" not in rule.attributes.get("visibility", []):
            continue
        if "deprecation" in rule.attributes:
            seen["DEPRECATED_LABELS"].append(rule.label)
        elif rule.kind in ("backend_flag", "label_flag"):
            seen["PUBLIC_FLAGS"].append(rule.label)
        else:
            seen["PUBLIC_LABELS"].append(rule.label)
    for name, labels in seen.items():
        for label in sorted(set(labels) ^ set(lists[name])):
            yield "%s: is %s %s, and %s public" % (
                label,
                "in" if label in lists[name] else "not in",
                name,
                "is" if label in labels else "is not",
            )


def check_rooms(root, rules):
    """No arrow runs up, and what is internal stays in its room."""
    internals = {}
    texts = {}
    for rule in rules:
        for path in sources(rule):
            try:
                with open(os.path.join(root, path), encoding="utf-8") as source:
                    texts[path] = source.read()
            except OSError:
                continue
            for name in re.findall(r"^namespace (\w+_internal) \{", texts[path], re.M):
                internals.setdefault(name, set()).add(room_of(path))
    support = {path for rule in rules if rule.testonly for path in sources(rule)}
    for path, text in sorted(texts.items()):
        room = room_of(path)
        if room is None:
            yield "%s: lies in no room" % path
            continue
        for name in sorted(set(re.findall(r"\b(\w+_internal)::", text))):
            if room not in internals.get(name, {room}):
                yield "%s: uses %s, which is another room's" % (path, name)
        allowed = ROOMS[room]
        if allowed is None or path in support:
            continue
        for header in INCLUDE.findall(text):
            if not header.startswith(OURS):
                continue
            header = header[len(OURS) :]
            to = room_of(header)
            if to == room or to == "transport/linux":
                continue
            if to not in allowed or header not in ONLY.get((room, to), [header]):
                yield "%s: %s may not look at %s" % (path, room, header)


def check_support(root, rules):
    """Test support is called so, and nothing else is."""
    shipped = {path for rule in rules if not rule.testonly for path in sources(rule)}
    for rule in rules:
        if not rule.kind.startswith("cc_") or rule.kind == "cc_proto_library":
            continue
        names_itself = rule.name.endswith("_testing")
        if rule.label.startswith("//testing"):
            if not rule.testonly:
                yield "%s: lies in testing/ and is not testonly" % rule.label
        elif rule.testonly and rule.kind != "cc_test" and not names_itself:
            yield "%s: is testonly and not named ..._testing" % rule.label
        elif names_itself and not rule.testonly:
            yield "%s: is not testonly" % rule.label
        for path in sources(rule):
            stem = os.path.splitext(os.path.basename(path))[0]
            named = stem.endswith("_testing") or path in shipped
            if names_itself and not named:
                yield "%s: %s is not named ..._testing" % (rule.label, path)


def check_dependencies(root, rules):
    """`deps` has the targets of all headers that are included.

    What is not for a test alone has no others; tests may share a list.
    """
    owners = {}
    by_label = {rule.label: rule for rule in rules}
    for rule in rules:
        if rule.kind == "cc_library":
            for path in rule.files("hdrs"):
                owners.setdefault(path, set()).add(rule.label)
        if rule.kind == "cc_proto_library":
            for proto in rule.labels("deps"):
                for path in by_label[proto].files("srcs"):
                    path = os.path.splitext(path)[0] + ".pb.h"
                    owners.setdefault(path, set()).add(rule.label)
    for rule in rules:
        if rule.kind not in ("cc_library", "cc_binary", "cc_test"):
            continue
        own = sources(rule)
        deps = set(rule.labels("deps"))
        # An umbrella exports headers of its dependencies.
        exported = [path for path in own if owners.get(path, set()) & deps]
        used = {label for path in exported for label in owners[path] & deps}
        for path in set(own) - set(exported):
            for header in includes(root, path):
                if header.startswith(OURS):
                    if header[len(OURS) :] in own:
                        continue
                    targets = owners.get(header[len(OURS) :], set())
                else:
                    targets = external(header)
                    if not targets:
                        continue  # the system's
                if not targets & deps:
                    yield "%s: includes %s, and lacks %s" % (
                        rule.label,
                        header,
                        " or ".join(sorted(targets)) or "a target that has it",
                    )
                used |= targets & deps
        for label in sorted(deps - used):
            if own and not rule.testonly and not label.endswith(LINKED_ONLY):
                yield "%s: includes nothing of %s" % (rule.label, label)


def check_ledger(root, rules):
    """Each defect of docs/protocol.md names a test, or why it needs none.

    What testing/README.md names is there as well.
    """
    tests = set()
    for rule in rules:
        for path in rule.files("srcs"):
            if path.endswith("_test.cc"):
                with open(os.path.join(root, path)) as file:
                    tests |= set(TEST_CASE.findall(file.read()))
    with open(os.path.join(root, "docs/protocol.md")) as file:
        defects, rest = file.read().split("## The ledger\n")
    ledger = rest.split("|---|---|\n")[1].split("\n\n")[0]
    shown = set()
    defect = ""
    for line in ledger.splitlines():
        row = re.fullmatch(r"\| (D\d+ )?\| (.+) \|", line)
        if not row:
            yield "this is no row of the ledger: " + line
            continue
        defect = (row.group(1) or defect).strip()
        shown.add(defect)
        name = re.fullmatch(r"`(\w+)\.(\w+)`", row.group(2))
        if not name:
            if not row.group(2).startswith("cannot exist: "):
                yield "%s: neither a test nor a reason: %s" % (defect, line)
        elif name.groups() not in tests:
            yield "%s: there is no test %s.%s" % (defect, *name.groups())
    for defect in re.findall(r"^\| (D\d+) \|", defects, re.M):
        if defect not in shown:
            yield "%s: is not in the ledger" % defect
    with open(os.path.join(root, "testing/README.md")) as file:
        for name in re.findall(r"`(\w+)\.(\w+)` \|", file.read()):
            if name not in tests:
                yield "testing/README.md: there is no test %s.%s" % name


CHECKS = {
    "labels": check_labels,
    "rooms": check_rooms,
    "support": check_support,
    "dependencies": check_dependencies,
    "ledger": check_ledger,
}


def main():
    root, check = sys.argv[1:]
    findings = list(CHECKS[check](root, read_rules(root)))
    for finding in findings:
        print(finding)
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
