"""What a repository that embeds this one may depend on, and nothing else.

//testing:build_files_test holds this list against the visibility in the BUILD
files; this workspace analyses each label from outside.
"""

PUBLIC_LABELS = [
    "//:agent",
    "//:external_containerizer",
    "//containerizer/posix:posix",
    "//containerizer/program:exec_helper",
    "//containerizer/program:exit_code",
    "//containerizer/program:program",
    "//containerizer/wire:checkpoint_cc_proto",
    "//containerizer/wire:checkpoint_proto",
    "//containerizer/wire:containerizer_cc_proto",
    "//containerizer/wire:containerizer_proto",
    "//containerizer/wire:exit",
    "//containerizer/wire:mesos_cc_proto",
    "//containerizer/wire:mesos_proto",
    "//containerizer/wire:statistics_cc_proto",
    "//containerizer/wire:statistics_proto",
    "//containerizer:blocking",
    "//containerizer:container",
    "//containerizer:options",
    "//state:state",
    "//testing/conformance:check",
    "//transport/fork_exec:fork_exec",
    "//transport/mock:oracle",
    "//transport/mock:script",
    "//transport/ttrpc:ttrpc",
    "//transport/unix_socket:unix_socket",
    "//transport:event_loop",
    "//transport:record_io",
    "//transport:selected",
    "//transport:selected_interface",
    "//transport:transport",
]

# Settings, for the command line.
PUBLIC_FLAGS = [
    "//transport:backend",
    "//transport:custom",
]

# Labels that have moved.
DEPRECATED_LABELS = [
    "//containerizer/program/posix:posix",
]
