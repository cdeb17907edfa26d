// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// Shows a container's output while it runs, and what the agent says about it.
// It has a thread of its own, so a slow reader holds up nothing but the
// display.
//
//   Display::Options options;
//   options.json = true;
//   absl::StatusOr<std::unique_ptr<Display>> display =
//       Display::Create(std::move(options));
//   (*display)->Follow(sandbox_fd);
//   (*display)->Notice("the container has been running for an hour");
//   (*display)->Drain([&] { all_is_shown.Notify(); });

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

// Thread-safe. All methods return at once; what they ask for is done in order.
class Display {
 public:
  struct Options {
    int out = 1;
    int err = 2;
    // Writes one JSON object per line on `out` instead of text. The task's
    // output is among the objects.
    bool json = false;
    // `err` is a terminal that can show a status line.
    bool live = false;
    // Called at most once, on the display's thread, when `out` takes nothing
    // any more. UNAVAILABLE if its reader went away.
    absl::AnyInvocable<void(absl::Status)> on_broken;
  };

  // RESOURCE_EXHAUSTED if no thread or no descriptor is to be had.
  static absl::StatusOr<std::unique_ptr<Display>> Create(Options options);

  // Waits until all that was asked for before is shown.
  ~Display();

  // Shows the files `stdout` and `stderr` of a sandbox from now on. A second
  // call has no effect. The descriptor must stay open until this is destroyed.
  void Follow(int sandbox);

  // Calls `done`, on the display's thread, when the bytes that the two files
  // have at that moment are shown.
  void Drain(absl::AnyInvocable<void() &&> done);

  // Calls `done`, on the display's thread, when all that was asked for before
  // is shown.
  void Then(absl::AnyInvocable<void() &&> done);

  void Line(std::string text);     // On `err`; nothing if `json`.
  void Record(JsonObject object);  // On `out`; nothing unless `json`.

  // A line on `err`, or if `json` an object on `out`.
  void Notice(const std::string& text);
  // A line on `err`, and if `json` also an object on `out`.
  void Error(const absl::Status& status);

  void Status(std::string state, absl::Duration elapsed, ResourceUse used,
              std::optional<double> cpus);
  void ClearStatus();

 private:
  struct FollowedFile;

  Display(Options options, std::unique_ptr<EventLoop> loop);

  bool Show(FollowedFile& file);  // Returns whether the file had more.
  void ShowBytes(FollowedFile& file, std::string bytes);
  void Poll();
  void CheckOut();

  Options options_;
  std::unique_ptr<EventLoop> loop_;
  Console console_;  // On the display's thread, as is the rest.
  std::unique_ptr<FollowedFile> out_, err_;
  absl::Duration poll_delay_;
  Thread thread_;
};

}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_CONTAINERIZER_AGENT_DISPLAY_H_
