// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/containerizer/agent/run.h"

#include <poll.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <memory>
#include <optional>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "external_containerizer/containerizer/agent/display.h"
#include "external_containerizer/containerizer/agent/interrupts.h"
#include "external_containerizer/containerizer/agent/leftovers.h"
#include "external_containerizer/containerizer/agent/report.h"
#include "external_containerizer/containerizer/agent/resources.h"
#include "external_containerizer/containerizer/agent/run_directory.h"
#include "external_containerizer/containerizer/agent/sandbox_layout.h"
#include "external_containerizer/containerizer/containerizer.h"
#include "external_containerizer/containerizer/program/exit_code.h"
#include "external_containerizer/containerizer/wire/exit.h"
#include "external_containerizer/state/paths.h"
#include "external_containerizer/transport/event_loop.h"
#include "external_containerizer/transport/linux/clock.h"
#include "external_containerizer/transport/selected.h"

namespace external_containerizer {
namespace {

constexpr absl::Duration kUsageInterval = absl::Seconds(1);
constexpr absl::Duration kTick = absl::Milliseconds(500);
// When a command of the program takes longer, the user is told.
constexpr absl::Duration kSlow = absl::Seconds(5);
// timeout(1) signals its child and then its whole group: one request, not two.
constexpr absl::Duration kSameRequest = absl::Milliseconds(300);

enum class Phase {
  kRecovering,
  kLaunching,   // Launch() was called.
  kRunning,     // The launch succeeded.
  kEnded,       // It ended by itself; its usage is being asked for.
  kDestroying,  // Destroy() was called.
  kFinishing,   // The end is being shown.
};

absl::string_view PhaseText(Phase phase) {
  switch (phase) {
    case Phase::kRecovering:
      return "recovering";
    case Phase::kLaunching:
      return "launching";
    case Phase::kRunning:
      return "running";
    case Phase::kEnded:
      return "ended";
    case Phase::kDestroying:
    case Phase::kFinishing:
      break;
  }
  return "destroying";
}

// One run. Everything happens on one loop, on the main thread. Callbacks on
// other threads post to it.
class Run {
 public:
  Run(const RunOptions& options, Interrupts& interrupts, EventLoop& loop,
      RunDirectory& directory)
      : options_(options),
        interrupts_(interrupts),
        loop_(loop),
        directory_(directory) {}

  // Returns the exit status, when all is over.
  int Go();

  // Returns whether the program holds nothing, so that the directory can go.
  bool clean() const { return clean_; }

 private:
  absl::Status Prepare();
  void Launch();
  void OnLaunched(absl::Status status);
  void OnEnded(absl::StatusOr<wire::Termination> termination);
  void Destroy();
  void OnDestroyed(absl::StatusOr<wire::Termination> termination);
  void Finish();
  void ShowEnd();
  void StopIfDone();

  void AskUsage(bool last);
  void OnUsage(
      const absl::StatusOr<std::optional<wire::ResourceStatistics>>& statistics,
      bool last);
  void Tick();
  void ShowStatus();

  void OnEvent(const ContainerEvent& event);
  void ShowSlow();

  void OnSignal();
  void OnInterrupt(int number);
  void OnOutBroken(const absl::Status& broken);
  void DestroyEarly();
  void StopWaiting();
  void Fail(const absl::Status& status);

  // Returns a callback for another thread that calls `member` on the loop.
  template <typename T>
  auto OnLoop(void (Run::*member)(T)) {
    return [this, member](T value) {
      loop_.Post([this, member, value = std::move(value)]() mutable {
        (this->*member)(std::move(value));
      });
    };
  }

  // The time since it began to run, or before that since the agent began.
  absl::Duration Elapsed() const {
    return ended_at_.value_or(MonotonicNow()) - started_at_.value_or(begun_at_);
  }
  void NoteEnd() {
    if (!ended_at_.has_value()) ended_at_ = MonotonicNow();
  }

  const RunOptions& options_;
  Interrupts& interrupts_;
  EventLoop& loop_;
  RunDirectory& directory_;

  NewSandbox sandbox_;
  LaunchRequest request_;
  std::string id_;
  // The display must be destroyed last: callbacks of the containerizer and of
  // the cleaner use it.
  std::unique_ptr<Display> display_;
  std::unique_ptr<LeftoverCleaner> cleaner_;
  std::unique_ptr<Containerizer> containerizer_;

  Phase phase_ = Phase::kRecovering;
  // All times are on the monotonic clock.
  const absl::Duration begun_at_ = MonotonicNow();
  std::optional<absl::Duration> started_at_;  // The launch succeeded.
  std::optional<absl::Duration> ended_at_;
  std::optional<absl::Duration> interrupted_at_;
  std::optional<wire::Termination> termination_;
  ResourceUse used_;
  std::optional<double> cpus_;
  absl::Duration measured_at_ = begun_at_;

  std::optional<Command> under_way_;  // Neither `wait` nor `usage`.
  EventLoop::TimerId slow_timer_ = 0;
  std::string first_error_;
  int launch_exit_ = 0;  // The exit code of the program's `launch`.

  bool destroyed_early_ = false;  // The container did not end by itself.
  bool clean_ = true;
  bool end_shown_ = false;
  bool cleaned_up_ = false;    // The cleaner is done.
  std::optional<int> status_;  // The exit status, once it is known.
};

int Run::Go() {
  Display::Options display;
  display.json = options_.json;
  display.live = options_.live;
  display.on_broken = [this](absl::Status broken) {
    loop_.Post([this, broken = std::move(broken)] { OnOutBroken(broken); });
  };
  absl::StatusOr<std::unique_ptr<Display>> made =
      Display::Create(std::move(display));
  if (!made.ok()) return external_containerizer::Fail(made.status());
  display_ = *std::move(made);
  const absl::Status prepared = Prepare();
  if (!prepared.ok()) {
    display_->Error(prepared);
    return kAgentFailed;
  }
  containerizer_->Recover({}, [this](absl::StatusOr<RecoverySummary> summary) {
    loop_.Post([this, status = summary.status()] {
      if (phase_ != Phase::kRecovering) return;
      if (status.ok()) {
        Launch();
      } else {
        Fail(status);
        Finish();
      }
    });
  });
  if (options_.live) loop_.RunAfter(kTick, [this] { Tick(); });
  loop_.Run();

  cleaner_.reset();
  display_.reset();
  return status_.value_or(kAgentFailed);
}

absl::Status Run::Prepare() {
  const state::RunId run = directory_.run();
  id_ = run.container;
  absl::Status done = directory_.WriteProgram(options_.program.command_line);
  if (!done.ok()) return done;
  absl::StatusOr<NewSandbox> sandbox =
      MakeSandbox(directory_.path(), directory_.fd(), run, options_.owner);
  if (!sandbox.ok()) return sandbox.status();
  sandbox_ = *std::move(sandbox);
  request_ = MakeLaunchRequest(run, sandbox_.sandbox, options_.command,
                               options_.resources);

  cleaner_ = std::make_unique<LeftoverCleaner>(
      options_.work_dir,
      [this](TransportOptions transport) {
        transport.inherit = TransportOptionsFor(options_.program, "").inherit;
        return SelectedTransport(std::move(transport));
      },
      [this](const std::string& notice) { display_->Notice(notice); },
      [this] {
        loop_.Post([this] {
          cleaned_up_ = true;
          StopIfDone();
        });
      });
  done =
      loop_.Watch(interrupts_.fd(), EPOLLIN, [this](uint32_t) { OnSignal(); });
  if (!done.ok()) return done;

  Options options =
      ContainerizerOptionsFor(options_.program, directory_.path());
  options.on_event = [this](const ContainerEvent& event) {
    if (options_.verbose || event.kind == ContainerEvent::Kind::kTrouble) {
      display_->Line(absl::StrCat("agent: ", EventText(event)));
    }
    display_->Record(EventJson(event));
    loop_.Post([this, event] { OnEvent(event); });
  };
  absl::StatusOr<std::unique_ptr<Containerizer>> containerizer =
      Containerizer::Create(std::move(options),
                            SelectedTransport(TransportOptionsFor(
                                options_.program, directory_.path())));
  if (!containerizer.ok()) return containerizer.status();
  containerizer_ = *std::move(containerizer);
  return absl::OkStatus();
}

void Run::OnEvent(const ContainerEvent& event) {
  // These may take as long as the container runs.
  if (event.command == Command::kWait || event.command == Command::kUsage) {
    return;
  }
  if (event.kind == ContainerEvent::Kind::kCommandStarted) {
    loop_.CancelTimer(slow_timer_);
    under_way_ = event.command;
    slow_timer_ = loop_.RunAfter(kSlow, [this] { ShowSlow(); });
  } else if (event.kind == ContainerEvent::Kind::kCommandEnded &&
             event.command == under_way_) {
    loop_.CancelTimer(slow_timer_);
    under_way_.reset();
    if (event.command == Command::kLaunch && event.wait_status.has_value() &&
        WIFEXITED(*event.wait_status)) {
      launch_exit_ = WEXITSTATUS(*event.wait_status);
    }
  }
}

void Run::ShowSlow() {
  display_->Notice(absl::StrCat("the program's ", CommandName(*under_way_),
                                " has not ended after ", DurationText(kSlow),
                                "; still waiting for it"));
  // The launch may say why on stderr.
  if (under_way_ == Command::kLaunch) {
    display_->Follow(sandbox_.directory.get());
  }
}

void Run::Launch() {
  phase_ = Phase::kLaunching;
  display_->Record(JsonObject()
                       .Text("type", "container")
                       .Text("container", id_)
                       .Text("sandbox", sandbox_.sandbox.FullPath())
                       .Text("program", options_.program.command_line));
  const std::string unknown = UnknownResourcesText(options_.resources);
  if (!unknown.empty()) display_->Notice(unknown);
  containerizer_->Launch(std::move(request_), OnLoop(&Run::OnLaunched));
}

void Run::OnLaunched(absl::Status status) {
  if (!status.ok()) {
    // Otherwise the destroy that is under way tells the end.
    if (phase_ == Phase::kLaunching) {
      // The program itself is there: it has answered `recover`.
      if (launch_exit_ == kCommandNotExecutable ||
          launch_exit_ == kCommandNotFound) {
        status_ = launch_exit_;
      }
      Fail(status);
      // The Containerizer destroys what the launch has left. This waits for it.
      Destroy();
    }
    return;
  }
  started_at_ = MonotonicNow();
  if (phase_ == Phase::kLaunching) phase_ = Phase::kRunning;
  ShowStatus();
  display_->Follow(sandbox_.directory.get());
  containerizer_->Wait(id_, OnLoop(&Run::OnEnded));
  if (options_.live || options_.json) {
    loop_.RunAfter(kUsageInterval, [this] { AskUsage(/*last=*/false); });
  }
}

void Run::OnEnded(absl::StatusOr<wire::Termination> termination) {
  if (!termination.ok()) {
    if (phase_ != Phase::kRunning) return;
    Fail(termination.status());
    Destroy();
    return;
  }
  NoteEnd();
  termination_ = *std::move(termination);
  if (phase_ != Phase::kRunning) return;
  phase_ = Phase::kEnded;
  AskUsage(/*last=*/true);
}

void Run::AskUsage(bool last) {
  // After the end only the last usage is of interest.
  if (!last && phase_ != Phase::kRunning) return;
  containerizer_->Usage(
      id_,
      [this, last](
          absl::StatusOr<std::optional<wire::ResourceStatistics>> statistics) {
        loop_.Post([this, last, statistics = std::move(statistics)] {
          OnUsage(statistics, last);
        });
      });
}

void Run::OnUsage(
    const absl::StatusOr<std::optional<wire::ResourceStatistics>>& statistics,
    bool last) {
  if (statistics.ok() && statistics->has_value()) {
    const ResourceUse now = ResourceUseOf(**statistics);
    const absl::Duration at = MonotonicNow();
    if (now.Cpu().has_value() && used_.Cpu().has_value() && at > measured_at_) {
      cpus_ = absl::FDivDuration(*now.Cpu() - *used_.Cpu(), at - measured_at_);
    }
    measured_at_ = at;
    display_->Record(
        JsonObject().Text("type", "usage").Append(ResourceUseJson(now)));
    if (now.user.has_value()) used_.user = now.user;
    if (now.system.has_value()) used_.system = now.system;
    if (now.throttled.has_value()) used_.throttled = now.throttled;
    if (now.cpus_limit.has_value()) used_.cpus_limit = now.cpus_limit;
    // An update may have removed the limit, but at the end the program may just
    // not know it any more.
    if (now.memory_limit_bytes.has_value() || !last) {
      used_.memory_limit_bytes = now.memory_limit_bytes;
    }
    // A container that has ended uses no memory, so the largest value is kept.
    if (now.memory_bytes.has_value()) {
      used_.memory_bytes =
          last ? std::max(used_.memory_bytes.value_or(0), *now.memory_bytes)
               : *now.memory_bytes;
    }
  }
  if (last) {
    if (phase_ == Phase::kEnded) Destroy();
    return;
  }
  ShowStatus();
  loop_.RunAfter(kUsageInterval, [this] { AskUsage(/*last=*/false); });
}

void Run::Tick() {
  ShowStatus();
  loop_.RunAfter(kTick, [this] { Tick(); });
}

void Run::ShowStatus() {
  // For a command that ends at once the line would only flicker.
  if (phase_ == Phase::kFinishing || MonotonicNow() - begun_at_ < kTick) return;
  display_->Status(std::string(PhaseText(phase_)), Elapsed(), used_, cpus_);
}

void Run::Destroy() {
  phase_ = Phase::kDestroying;
  ShowStatus();
  containerizer_->Destroy(id_, OnLoop(&Run::OnDestroyed));
}

void Run::OnDestroyed(absl::StatusOr<wire::Termination> termination) {
  if (termination.ok()) {
    NoteEnd();
    if (!termination_.has_value()) termination_ = *std::move(termination);
  } else if (!absl::IsNotFound(termination.status())) {
    clean_ = false;
    const absl::Status error = absl::Status(
        termination.status().code(),
        absl::StrCat(
            "the container could not be destroyed: ",
            termination.status().message(),
            "; the next `agent run` with the same --work_dir tries again"));
    if (first_error_.empty()) first_error_ = std::string(error.message());
    display_->Error(error);
  }
  Finish();
}

void Run::Finish() {
  if (std::exchange(phase_, Phase::kFinishing) == Phase::kFinishing) return;
  display_->ClearStatus();
  display_->Drain([this] { loop_.Post([this] { ShowEnd(); }); });
}

void Run::ShowEnd() {
  // Its last event must be shown before the end.
  containerizer_.reset();
  End end;
  if (termination_.has_value()) {
    end.exit = wire::ExitOf(*termination_);
    end.destroyed = destroyed_early_;
    end.why = WhyOf(*termination_);
    end.took = Elapsed();
    end.used = used_;
    end.cpus_asked_for = CpusAskedFor(options_.resources);
    end.memory_asked_for_bytes = MemoryAskedFor(options_.resources);
  }
  if (!status_.has_value()) status_ = ExitStatusOf(end.exit);
  end.status = *status_;
  end.error = first_error_;
  // A container that never ran has no end, and the reason was told before.
  if (started_at_.has_value() && termination_.has_value()) {
    display_->Line(absl::StrCat("agent: ", EndText(end)));
  } else if (destroyed_early_ && clean_) {
    display_->Line("agent: destroyed before its launch was over");
  }
  display_->Record(EndJson(end));
  display_->Then([this] {
    loop_.Post([this] {
      end_shown_ = true;
      StopIfDone();
    });
  });
}

void Run::StopIfDone() {
  if (end_shown_ && (cleaned_up_ || interrupted_at_.has_value())) loop_.Stop();
}

void Run::OnSignal() {
  for (int number = interrupts_.Next(); number != 0;
       number = interrupts_.Next()) {
    const absl::Duration now = MonotonicNow();
    if (!interrupted_at_.has_value()) {
      interrupted_at_ = now;
      OnInterrupt(number);
    } else if (number == SIGINT || now - *interrupted_at_ > kSameRequest) {
      StopWaiting();
    }
  }
}

void Run::OnInterrupt(int number) {
  const char* name = sigdescr_np(number);
  const std::string why = number == SIGINT ? "interrupted"
                          : number == SIGTERM
                              ? "told to end"
                              : absl::StrCat("told to end by signal ", number,
                                             name == nullptr ? "" : " (",
                                             name == nullptr ? "" : name,
                                             name == nullptr ? "" : ")");
  if (phase_ >= Phase::kDestroying) {
    display_->Notice(absl::StrCat(
        why, ": only cleaning up; interrupt again to stop waiting"));
    StopIfDone();
    return;
  }
  status_ = 128 + number;
  if (phase_ != Phase::kRecovering) {
    display_->Notice(absl::StrCat(
        why, ": destroying the container; interrupt again to stop waiting"));
  } else if (under_way_.has_value()) {
    display_->Notice(absl::StrCat(why, " while the program's ",
                                  CommandName(*under_way_), " ran"));
  } else {
    display_->Notice(why);
  }
  DestroyEarly();
}

void Run::OnOutBroken(const absl::Status& broken) {
  const bool closed = absl::IsUnavailable(broken);
  // A success that was not shown in full is none.
  if (status_.value_or(0) == 0) {
    status_ = closed ? 128 + SIGPIPE : kAgentFailed;
  }
  const bool over = phase_ >= Phase::kDestroying;
  display_->Notice(
      absl::StrCat("stdout cannot be written to: ", broken.message(),
                   over ? "" : "; destroying the container"));
  if (!over) DestroyEarly();
}

void Run::DestroyEarly() {
  if (phase_ == Phase::kRecovering) {
    Finish();
    return;
  }
  destroyed_early_ = true;
  // After the destroy the program may not know the usage any more.
  AskUsage(/*last=*/false);
  // A launch may have said on stderr why it takes so long.
  display_->Follow(sandbox_.directory.get());
  Destroy();
}

void Run::StopWaiting() {
  const std::string text = absl::StrCat(
      options_.live ? "\r\x1b[K" : "",
      "agent: not waiting any longer; what is left of the container ", id_,
      " has its files in ", directory_.path(),
      "; the next `agent run` with the same --work_dir removes them\n");
  // The display may be blocked by the reader of this stream.
  struct pollfd ready = {2, POLLOUT, 0};
  if (poll(&ready, 1, 0) == 1) {
    const ssize_t ignored = write(2, text.data(), text.size());
    static_cast<void>(ignored);
  }
  directory_.Abandon();
  _exit(status_.value_or(128 + SIGINT));
}

void Run::Fail(const absl::Status& status) {
  display_->ClearStatus();
  display_->Error(status);
  if (first_error_.empty()) first_error_ = std::string(status.message());
  if (!status_.has_value()) status_ = kAgentFailed;
}

}  // namespace

int RunContainer(const RunOptions& options) {
  absl::StatusOr<RunDirectory> directory =
      RunDirectory::Create(options.work_dir);
  if (!directory.ok()) return Fail(directory.status());
  const std::string path = directory->path();
  int status = kAgentFailed;
  bool clean = true;
  {
    absl::StatusOr<Interrupts> interrupts = Interrupts::Take();
    if (!interrupts.ok()) return Fail(interrupts.status());
    absl::StatusOr<std::unique_ptr<EventLoop>> loop = EventLoop::Create();
    if (!loop.ok()) return Fail(loop.status());
    Run run(options, *interrupts, **loop, *directory);
    status = run.Go();
    clean = run.clean();
  }
  // The signals have their default actions again: one ends the agent at once,
  // and the next run removes the directory.
  if (clean) {
    const absl::Status removed = (*std::move(directory)).Remove();
    if (!removed.ok()) {
      fprintf(stderr, "agent: cannot remove %s: %s\n", OneLine(path).c_str(),
              OneLine(removed.message()).c_str());
    }
  }
  return status;
}

}  // namespace external_containerizer
