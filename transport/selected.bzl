"""What stands where --//transport:custom should."""

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
