// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// Shows a container's output while it runs, and what the agent says of it, on
// a thread of its own: whoever reads may take its time, and the agent goes on.

#ifndef EXTERNAL_CONTAINERIZER_CONTAINERIZER_AGENT_DISPLAY_H_
#define EXTERNAL_CONTAINERIZER_CONTAINERIZER_AGENT_DISPLAY_H_

#include <memory>
#include <optional>
#include <string>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "external_containerizer/containerizer/agent/console.h"
#include "external_containerizer/containerizer/agent/json.h"
#include "external_containerizer/containerizer/agent/output_file.h"
#include "external_containerizer/containerizer/agent/report.h"
#include "external_containerizer/transport/event_loop.h"
#include "external_containerizer/transport/linux/thread.h"

namespace external_containerizer {

// All methods return at once, on any thread; what they ask for is done in
// order.
class Display {
 public:
  struct Options {
    int out = 1;
    int err = 2;
    // One JSON object per line on `out` instead of text; the task's output is
    // among them.
    bool json = false;
    // Whether `err` is a terminal that a status line can be shown on.
    bool live = false;
    // Called once, on the display's thread, when `out` takes nothing any more.
    // UNAVAILABLE: nobody reads it.
    absl::AnyInvocable<void(absl::Status)> on_broken;
  };

  // RESOURCE_EXHAUSTED if there is no thread or no descriptor for it.
  static absl::StatusOr<std::unique_ptr<Display>> Create(Options options);

  // Shows what it was given before, for as long as that takes.
  ~Display();

  // Shows `stdout` and `stderr` of a sandbox from now on; no effect if it does
  // that already. The descriptor must outlive this.
  void Follow(int sandbox);

  // Calls `done`, on the display's thread, once all that the two files hold at
  // that moment is shown.
  void Drain(absl::AnyInvocable<void() &&> done);

  // Calls `done`, on the display's thread, once all that it was given before
  // is shown.
  void Then(absl::AnyInvocable<void() &&> done);

  void Line(std::string text);     // On `err`; nothing if `json`.
  void Record(JsonObject object);  // On `out`; nothing unless `json`.

  // Text for people or an object for programs, whichever is asked for.
  void Notice(const std::string& text);
  // An error is told to people in any case.
  void Error(const absl::Status& status);

  void Status(std::string state, absl::Duration elapsed, Used used,
              std::optional<double> cpus);
  void ClearStatus();

 private:
  struct Followed;

  Display(Options options, std::unique_ptr<EventLoop> loop);

  bool Show(Followed& file);  // Whether there was something.
  void ShowBytes(Followed& file, std::string bytes);
  void Poll();
  void CheckOut();

  Options options_;
  std::unique_ptr<EventLoop> loop_;
  Console console_;  // On the display's thread, as is the rest.
  std::unique_ptr<Followed> out_, err_;
  absl::Duration poll_delay_;
  Thread thread_;
};

}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_CONTAINERIZER_AGENT_DISPLAY_H_
