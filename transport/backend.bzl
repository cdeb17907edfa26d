"""The build setting that chooses a transport, and its custom value."""

def _backend_flag_impl(ctx):
    value = ctx.build_setting_value
    if value not in ctx.attr.values:
        fail("--%s=%s: there is no such transport; the values are %s" %
             (ctx.label, value, ", ".join(ctx.attr.values)))
    return []

# A string flag of our own: bazel_skylib for these lines alone would be one
# more dependency for whoever embeds us.
backend_flag = rule(
    implementation = _backend_flag_impl,
    attrs = {"values": attr.string_list(mandatory = True)},
    build_setting = config.string(flag = True),
    doc = "A string on the command line, one of `values`.",
)

def _unset_custom_transport_impl(_ctx):
    fail("--//transport:backend=custom is set, but not which one it is. " +
         "Set --//transport:custom=//your:target too: a cc_library that " +
         "defines what transport/selected.h declares, and depends on " +
         "//transport:selected_interface for that header. (In a repository " +
         "that embeds this one: --@external_containerizer//transport:custom.)")

unset_custom_transport = rule(
    implementation = _unset_custom_transport_impl,
    doc = "Fails when it is analysed, with a sentence that says what to do.",
)
