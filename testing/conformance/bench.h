// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// Where one check is done: agents with directories of their own, tasks that can
// be watched and steered, and the verdict. Everything is bounded in time, and
// nothing that a program left behind outlives the bench.
//
//   void WaitEnds(Bench& bench) {
//     Task& task = bench.Launch("read line <go");
//     const auto wait = bench.Start("wait", task);
//     bench.Release(task);
//     bench.Expect(!bench.Finish(*wait).hung, "`wait` does not end");
//   }
//
// The first problem is the verdict: what comes after it does nothing, and
// returns defaults.

#ifndef EXTERNAL_CONTAINERIZER_TESTING_CONFORMANCE_BENCH_H_
#define EXTERNAL_CONTAINERIZER_TESTING_CONFORMANCE_BENCH_H_

#include <list>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "external_containerizer/containerizer/wire/containerizer.pb.h"
#include "external_containerizer/testing/conformance/helper_subject.h"
#include "external_containerizer/testing/conformance/subject.h"
#include "external_containerizer/transport/event_loop.h"
#include "external_containerizer/transport/linux/clock.h"
#include "external_containerizer/transport/linux/unique_fd.h"

namespace external_containerizer {
namespace conformance {

enum class Style {
  kExec,    // A process per command.
  kHelper,  // A process that stays, at a Unix socket.
};

// The settings of a whole run.
struct Settings {
  // The program, by an absolute path, and its fixed arguments.
  std::vector<std::string> program;
  // Names of variables that it inherits, beside those of an agent.
  std::vector<std::string> inherit;
  // For each command, but for a `wait` that has reason to wait.
  absl::Duration timeout = absl::Seconds(10);
  // Exists; the benches are below it.
  std::string directory;
  // From then on no command is run.
  Deadline limit = Deadline(absl::InfiniteDuration());
  // Whether the run is to stop early.
  bool (*stopped)() = [] { return false; };
};

struct Verdict {
  enum class Kind {
    kPassed,
    kFailed,
    kNotJudged,  // Something else did not work that the check needs.
    kSkipped,    // Not asked for.
  };
  Kind kind = Kind::kPassed;
  std::string why = {};
};

// How many commands hung in this run, by name. The third one is not run where
// it is only a means.
using Hangs = std::map<std::string, int>;

// A command that runs as a container.
struct Task {
  std::string id;
  std::string sandbox;
  wire::Launch launch;
  UniqueFd held;  // A pipe that all processes of the task hold.
  UniqueFd go;    // A pipe that the task may read from.
};

class Bench {
 public:
  // An error if the system has no descriptor or directory for it.
  static absl::StatusOr<std::unique_ptr<Bench>> Create(const Settings& settings,
                                                       Style style,
                                                       Hangs& hangs);
  // Destroys all tasks, kills what is left, and removes the files.
  ~Bench();

  // The program has a fault if it does not hold.
  template <typename... Parts>
  void Expect(bool holds, const Parts&... why) {
    if (!holds) Judge(Verdict::Kind::kFailed, absl::StrCat(why...));
  }
  // The program cannot be judged by this check if it does not hold.
  template <typename... Parts>
  void Require(bool holds, const Parts&... why) {
    if (!holds) Judge(Verdict::Kind::kNotJudged, absl::StrCat(why...));
  }
  bool ok() const { return verdict_.kind == Verdict::Kind::kPassed; }
  const Verdict& verdict() const { return verdict_; }

  // --- The subject of a check: raw results, and no verdict.

  // A task that was not launched: its id, a sandbox, and a message. `script`
  // is for sh, in the sandbox. There it can `read line <go` until Release().
  Task& Make(absl::string_view script);
  // A command that concerns a task, with its sandbox, or only an id.
  Ended Run(const std::string& command, const Task& task);
  Ended RunOn(const std::string& command, const std::string& id);
  // Without a container: containers, recover.
  Ended Run(const std::string& command);
  std::unique_ptr<Call> Start(const std::string& command, const Task& task);
  // Its end, for which it has the usual time.
  Ended Finish(Call& call, const std::string& command);

  // Whether the script has begun; waits the usual time for it.
  bool Runs(Task& task);
  // Waits until the script has written to a file in its sandbox.
  void AwaitFile(const Task& task, const std::string& name);
  // Whether no process of it is left, now; or so soon.
  bool Gone(Task& task);
  bool GoesWithin(Task& task, absl::Duration time);
  void Release(Task& task);
  // The contents of a file in its sandbox; empty if there is none.
  std::string FileOf(const Task& task, const std::string& name);

  // --- The means of a check: if they do not work, it is not judged.

  Task& Launch(absl::string_view script);
  // Makes it run.
  void Launch(Task& task);
  // The same, for a task that does not say that it runs.
  void LaunchUnseen(Task& task);
  wire::Termination Wait(const Task& task);
  // Waits; whether the answer tells this exit code, in whatever convention.
  bool EndsWith(const Task& task, int code);
  std::vector<std::string> List();
  void Destroy(const Task& task);

  // From now on another agent calls, with another work directory: 0 or 1.
  void UseAgent(size_t number);
  Style style() const { return style_; }
  // For checks of helpers alone.
  HelperSubject& helper();
  absl::Duration timeout() const { return settings_.timeout; }

  static std::string NewId();

 private:
  struct Agent {
    std::string work_directory;
    HelperSubject* helper = nullptr;  // The subject, if it is one.
    std::unique_ptr<Subject> subject;
    std::list<Task> tasks;
  };

  Bench(const Settings& settings, Style style, Hangs& hangs)
      : settings_(settings), style_(style), hangs_(hangs) {}

  void Judge(Verdict::Kind kind, const std::string& why);
  std::unique_ptr<Call> StartRequest(const std::string& command,
                                     std::string message, const Task* task);
  // As a means: default if it may not run.
  Ended Do(const std::string& command, const Task* task);
  Environment EnvironmentOf(const std::string& command, const Task* task);

  const Settings& settings_;
  const Style style_;
  Hangs& hangs_;
  Verdict verdict_;
  std::unique_ptr<EventLoop> loop_;
  std::string directory_;
  std::vector<Agent> agents_;
  Agent* agent_ = nullptr;
};

}  // namespace conformance
}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_TESTING_CONFORMANCE_BENCH_H_
