// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// A real agent with `posix` is killed again and again at random moments, while
// several clients launch, wait for and destroy containers. Its promises are
// checked against what the program and the tasks say:
//
//   a client that was told that a container runs can learn how it ended
//   a container that no client was told of exists completely or not at all
//   no container is launched twice
//   in the end nothing is left

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <fstream>
#include <optional>
#include <random>
#include <string>
#include <thread>  // NOLINT
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "external_containerizer/containerizer/agent/agent_testing.h"
#include "external_containerizer/containerizer/agent/client/control_client.h"
#include "external_containerizer/containerizer/agent/files.h"
#include "external_containerizer/containerizer/agent/serve/control.h"
#include "external_containerizer/containerizer/wire/exit.h"
#include "external_containerizer/testing/status_matchers.h"
#include "external_containerizer/transport/linux/random_name.h"
#include "external_containerizer/transport/selected.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace external_containerizer {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr int kKills = 200;  // In each case below.
constexpr int kClients = 3;

// One client, which runs one container after another and checks all answers.
class Client {
 public:
  Client(std::string work_dir, std::string notes, std::string name,
         unsigned seed, std::atomic<bool>& end)
      : work_dir_(std::move(work_dir)),
        notes_(std::move(notes)),
        name_(std::move(name)),
        random_(seed),
        end_(end) {}

  void Work() {
    for (int i = 0; !end_; ++i) Live(absl::StrCat(name_, "-", i));
  }

  int lives() const { return lives_; }
  int unacknowledged() const { return unacknowledged_; }

 private:
  // Repeats a call as often as the agent dies during it.
  template <typename Request, typename Reply>
  absl::StatusOr<Reply> Ask(const ttrpc::Method<Request, Reply>& method,
                            const Request& request) {
    return CallPatiently(work_dir_, method, request, kPatience,
                         [](const absl::Status&) {});
  }

  // Returns the container as List has it; NOT_FOUND if it is not held.
  absl::StatusOr<std::string> StateOf(const std::string& id) {
    control::v1::ListRequest request;
    request.add_ids(id);
    const auto reply = Ask(control::kList, request);
    if (!reply.ok()) return reply.status();
    return reply->containers(0).state();
  }

  absl::Status Launch(const std::string& id, const std::string& script) {
    const auto client = ConnectPatiently(work_dir_, kPatience);
    if (!client.ok()) return client.status();
    control::v1::LaunchRequest request;
    request.set_id(id);
    request.set_program("sh");
    for (const std::string& argument :
         std::vector<std::string>{"sh", "-c", script}) {
      request.add_arguments(argument);
    }
    return (*client)->Call(control::kLaunch, request).status();
  }

  void Live(const std::string& id) {
    SCOPED_TRACE(id);
    const int code = std::uniform_int_distribution<int>(1, 99)(random_);
    const bool lasts = std::bernoulli_distribution(0.3)(random_);
    const std::string note = absl::StrCat(notes_, "/", id);
    const absl::Status launched = Launch(
        id,
        absl::StrCat("echo $$ >> ", note, "; ",
                     lasts ? "exec sleep 1000" : absl::StrCat("exit ", code)));
    if (!launched.ok()) {
      EXPECT_THAT(launched, StatusIs(absl::StatusCode::kUnavailable));
      ++unacknowledged_;
      // The launch may or may not have happened. A container that is being
      // destroyed will soon count as not launched.
      absl::StatusOr<std::string> state = StateOf(id);
      while (state.ok() && (*state == "destroying" || *state == "launching")) {
        state = StateOf(id);
      }
      if (!state.ok()) {
        EXPECT_THAT(state, StatusIs(absl::StatusCode::kNotFound));
        return;
      }
    }
    ++lives_;
    if (lasts) {
      const absl::StatusOr<std::string> state = StateOf(id);
      EXPECT_THAT(state, IsOkAndHolds("running"));
    } else {
      control::v1::WaitRequest request;
      request.set_id(id);
      const auto reply = Ask(control::kWait, request);
      ASSERT_THAT(reply, IsOk());
      const wire::Exit exit = wire::ExitOf(reply->end());
      EXPECT_EQ(exit, (wire::Exit{wire::Exit::Kind::kExited, code}))
          << reply->end().ShortDebugString();
    }
    control::v1::DestroyRequest destroy;
    destroy.set_id(id);
    const auto destroyed = Ask(control::kDestroy, destroy);
    // The first of two such calls may have destroyed it.
    if (absl::IsNotFound(destroyed.status())) return;
    ASSERT_THAT(destroyed, IsOk());
    if (wire::ExitOf(destroyed->end()).kind == wire::Exit::Kind::kUnknown) {
      EXPECT_THAT(destroyed->end().message(),
                  HasSubstr("it was to be destroyed"));
    }
  }

  const std::string work_dir_;
  const std::string notes_;
  const std::string name_;
  std::mt19937 random_;
  std::atomic<bool>& end_;
  int lives_ = 0;
  int unacknowledged_ = 0;
};

class KillTest : public ::testing::TestWithParam<int> {
 protected:
  KillTest() {
    const std::string path = ::testing::TempDir() + "/" + RandomName();
    EXPECT_THAT(MakePath(path), IsOk());
    char real[PATH_MAX];
    EXPECT_NE(realpath(path.c_str(), real), nullptr);
    home_ = real;
    work_dir_ = home_ + "/w";
    notes_ = home_ + "/notes";
    EXPECT_THAT(MakePath(notes_), IsOk());
  }

  void SetUp() override {
    if (SelectedTransportName() == "mock") {
      GTEST_SKIP() << "runs real programs, and the mock has none";
    }
  }

  AgentProcess Agent(std::vector<std::string> flags = {}) {
    flags.insert(flags.begin(), {"serve", "--work_dir=" + work_dir_});
    return AgentProcess(flags, {{"HOME", home_}, {"PATH", "/usr/bin:/bin"}});
  }

  // Returns whether the agent ends by itself within that time.
  bool Ends(const AgentProcess& agent, absl::Duration time) {
    const UniqueFd fd(
        static_cast<int>(syscall(SYS_pidfd_open, agent.pid(), 0)));
    struct pollfd ended = {fd.get(), POLLIN, 0};
    return poll(&ended, 1, static_cast<int>(time / absl::Milliseconds(1))) == 1;
  }

  std::vector<std::string> Names(const std::string& path) {
    const UniqueFd directory(open(path.c_str(), O_DIRECTORY | O_CLOEXEC));
    if (!directory.valid()) return {};
    const auto names = NamesIn(directory.get(), 100'000);
    EXPECT_THAT(names, IsOk());
    return names.ok() ? *names : std::vector<std::string>();
  }

  // Each task writes its pid to a file, once.
  void CheckTasks() {
    for (const std::string& name : Names(notes_)) {
      std::ifstream note(absl::StrCat(notes_, "/", name));
      std::string pid, again, command;
      // The task was destroyed before it could write.
      if (!std::getline(note, pid)) continue;
      EXPECT_FALSE(std::getline(note, again))
          << name << " was launched more than once";
      std::getline(std::ifstream(absl::StrCat("/proc/", pid, "/cmdline")),
                   command, '\0');
      EXPECT_NE(command, "sleep") << name << " still runs, with pid " << pid;
    }
  }

  std::string home_;
  std::string work_dir_;
  std::string notes_;
};

TEST_P(KillTest, PromisesAreKeptHoweverOftenTheAgentIsKilled) {
  std::mt19937 random(static_cast<unsigned>(GetParam()));
  std::atomic<bool> end = false;
  std::vector<std::unique_ptr<Client>> clients;
  std::vector<std::thread> threads;
  for (int i = 0; i < kClients; ++i) {
    clients.push_back(std::make_unique<Client>(
        work_dir_, notes_, absl::StrCat("c", i), random(), end));
    threads.emplace_back([client = clients.back().get()] { client->Work(); });
  }
  for (int i = 0; i < kKills; ++i) {
    AgentProcess agent = Agent();
    // Half of the agents die while they start, half with all clients at work.
    const absl::Duration life = absl::Milliseconds(
        std::exponential_distribution<double>(1 / 80.0)(random));
    // Without this few agents on a busy machine would serve any client.
    if (i % 4 == 0) agent.Expect("err", "agent: serves");
    const bool ended = Ends(agent, life);
    EXPECT_FALSE(ended) << "an agent ended by itself";
    if (ended) {
      agent.Wait();
      ADD_FAILURE() << agent.err();
      break;
    }
    agent.Signal(SIGKILL);
    EXPECT_EQ(agent.Wait(), -SIGKILL);
  }
  {
    // Lets every client finish with its container.
    AgentProcess agent = Agent();
    end = true;
    for (std::thread& thread : threads) thread.join();
    agent.Expect("err", "agent: serves");
    agent.Signal(SIGTERM);
    EXPECT_EQ(agent.Wait(), 0) << agent.err();
  }
  int lives = 0, unacknowledged = 0;
  for (const auto& client : clients) {
    lives += client->lives();
    unacknowledged += client->unacknowledged();
  }
  EXPECT_GT(lives, 10);
  RecordProperty("lives", lives);
  RecordProperty("unacknowledged", unacknowledged);

  // Clients may have given up on containers.
  AgentProcess cleanup = Agent({"--recover=cleanup"});
  EXPECT_EQ(cleanup.Wait(), 0) << cleanup.err();
  CheckTasks();
  EXPECT_THAT(Names(work_dir_ + "/program/posix/containers"), IsEmpty())
      << "the program still has containers";
  const std::vector<std::string> agents = Names(work_dir_ + "/slaves");
  ASSERT_EQ(agents.size(), 1u) << "one agent had several names";
  for (const char* tree : {"/meta/slaves/", "/slaves/"}) {
    EXPECT_THAT(Names(absl::StrCat(work_dir_, tree, agents[0],
                                   "/frameworks/agent/executors")),
                IsEmpty())
        << tree;
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, KillTest, ::testing::Range(1, 17));

}  // namespace
}  // namespace external_containerizer
