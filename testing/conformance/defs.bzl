"""Tests an external containerizer program.

    load("@external_containerizer//testing/conformance:defs.bzl", "containerizer_program_test")

    containerizer_program_test(
        name = "my_program_conforms_test",
        program = ":my_program",
    )

The log says which check failed, why, and what to do. README.md has more.
"""

_HERE = "\1"

def _quoted(word):
    return "'" + word.replace("'", "'\\''") + "'"

def _containerizer_program_test_impl(ctx):
    flags = ["--style=" + ctx.attr.style]
    flags += ["--only=" + name for name in ctx.attr.only]
    flags += ["--inherit=" + name for name in ctx.attr.inherit]
    for name in ["usage", "update", "arguments"]:
        if not getattr(ctx.attr, name):
            flags.append("--no-" + name)
    if ctx.attr.strict:
        flags.append("--strict")

    # A test begins at the top of its runfiles; `bazel run` does so, too. A
    # program does not: it runs in the sandbox of the container.
    program = [ctx.executable.program.short_path]
    for word in ctx.attr.program_args:
        word = word.replace("$(rootpath ", _HERE + "$(rootpath ")
        program.append(ctx.expand_location(word, ctx.attr.data))
    script = ctx.actions.declare_file(ctx.label.name)
    ctx.actions.write(
        output = script,
        is_executable = True,
        content = "#!/bin/sh\nunset BUILD_WORKING_DIRECTORY\nexec {check} {flags} \"$@\" -- {program}\n".format(
            check = _quoted(ctx.executable._check.short_path),
            flags = " ".join([_quoted(flag) for flag in flags]),
            program = " ".join([_quoted(word) for word in program])
                .replace(_HERE, "'\"$PWD\"'/"),
        ),
    )
    runfiles = ctx.runfiles(files = [ctx.executable.program] + ctx.files.data)
    for target in [ctx.attr._check, ctx.attr.program] + ctx.attr.data:
        runfiles = runfiles.merge(target[DefaultInfo].default_runfiles)
    return [DefaultInfo(executable = script, runfiles = runfiles)]

containerizer_program_test = rule(
    implementation = _containerizer_program_test_impl,
    test = True,
    doc = "Passes if `program` does what docs/protocol.md asks of a program.",
    attrs = {
        "program": attr.label(
            doc = "The program, in any language.",
            executable = True,
            allow_files = True,
            cfg = "target",
            mandatory = True,
        ),
        "program_args": attr.string_list(
            doc = "Arguments of the program, before the command. " +
                  "$(rootpath LABEL) is the full path of something in `data`.",
        ),
        "data": attr.label_list(
            doc = "What the program needs when it runs.",
            allow_files = True,
        ),
        "style": attr.string(
            doc = "How it is called: one process per command, a helper that " +
                  "stays, or each of the two that it knows.",
            default = "auto",
            values = ["auto", "exec", "helper"],
        ),
        "only": attr.string_list(doc = "Names of checks; empty: all."),
        "usage": attr.bool(doc = "It has `usage`.", default = True),
        "update": attr.bool(doc = "It has `update`.", default = True),
        "arguments": attr.bool(
            doc = "It knows commands that are no shell's text.",
            default = True,
        ),
        "strict": attr.bool(doc = "What it should do, it must."),
        "inherit": attr.string_list(
            doc = "Names of variables that it inherits beside PATH and the " +
                  "like.",
        ),
        "_check": attr.label(
            default = Label("//testing/conformance:check"),
            executable = True,
            cfg = "target",
        ),
    },
)
