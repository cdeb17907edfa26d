// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/containerizer/agent/serve/serve.h"

#include <errno.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "external_containerizer/containerizer/agent/display.h"
#include "external_containerizer/containerizer/agent/interrupts.h"
#include "external_containerizer/containerizer/agent/report.h"
#include "external_containerizer/containerizer/agent/serve/control.h"
#include "external_containerizer/containerizer/agent/serve/control_server.h"
#include "external_containerizer/containerizer/agent/serve/event_log.h"
#include "external_containerizer/containerizer/agent/serve/standing_agent.h"
#include "external_containerizer/containerizer/agent/serve/work_directory.h"
#include "external_containerizer/containerizer/agent/standard_output.h"
#include "external_containerizer/state/reader.h"
#include "external_containerizer/state/writer.h"
#include "external_containerizer/transport/event_loop.h"
#include "external_containerizer/transport/linux/descriptor_limit.h"
#include "external_containerizer/transport/selected.h"
#include "external_containerizer/transport/ttrpc/server.h"
#include "external_containerizer/transport/ttrpc/socket.h"

namespace external_containerizer {
namespace {

// How long an agent that is told to end waits for launches and destroys that
// are under way. The next agent deals with the rest.
constexpr absl::Duration kStopPatience = absl::Seconds(10);
// How long clients may take to read their last answers.
constexpr absl::Duration kFlushPatience = absl::Seconds(1);
// The pause between two checks that the socket is still there.
constexpr absl::Duration kSocketTick = absl::Seconds(1);
// Each client that waits has a connection.
constexpr size_t kMaxConnections = 4096;
constexpr size_t kMostProblemsShown = 20;

// Everything happens on one loop, on the main thread.
class Service {
 public:
  Service(const ServeOptions& options, Interrupts& interrupts, EventLoop& loop,
          Display& display)
      : options_(options),
        interrupts_(interrupts),
        loop_(loop),
        display_(display),
        events_(loop) {}

  absl::Status Start();

  // Returns the exit status, when all is over.
  int Run() {
    loop_.Run();
    return status_;
  }

 private:
  absl::StatusOr<state::AgentState> Read();
  StandingAgent::Options AgentOptions();
  absl::Status Serve();
  absl::Status Listen();
  void WatchSocket();
  void OnRecovered(const absl::StatusOr<RecoverySummary>& summary);
  void CleanUp();
  void OnSignal();
  void Stop();
  void OnEvent(const ContainerEvent& event, const ContainerId& id);
  void Line(const std::string& text) {
    display_.Line(absl::StrCat("agent: ", text));
  }

  const ServeOptions& options_;
  Interrupts& interrupts_;
  EventLoop& loop_;
  Display& display_;
  EventLog events_;
  std::unique_ptr<StandingAgent> agent_;
  std::unique_ptr<ttrpc::Server> server_;
  std::string socket_problem_;  // The last one that the user was told.
  size_t to_clean_up_ = 0;
  bool stopping_ = false;
  int status_ = 0;
};

absl::StatusOr<state::AgentState> Service::Read() {
  state::ReadOptions options;
  options.strict = !options_.lenient;
  absl::StatusOr<state::AgentState> state =
      state::ReadAgentState(options_.work_dir, options);
  if (!state.ok()) {
    if (options.strict && absl::IsDataLoss(state.status())) {
      return absl::Status(
          state.status().code(),
          absl::StrCat(state.status().message(), "; `agent inspect ",
                       options_.work_dir,
                       "` shows what is damaged, and with --lenient the agent "
                       "starts with what it can read"));
    }
    return state;
  }
  size_t shown = 0;
  for (const state::Problem& problem : state->problems) {
    if (problem.kind != state::Problem::Kind::kDamage) continue;
    if (++shown > kMostProblemsShown) {
      Line("there is more that is damaged; see `agent inspect`");
      break;
    }
    Line(absl::StrCat("damaged: ", OneLine(problem.path), ": ",
                      OneLine(problem.why)));
  }
  if (state->rebooted) {
    Line("the machine has been booted since; its containers are gone");
  }
  return state;
}

StandingAgent::Options Service::AgentOptions() {
  StandingAgent::Options agent;
  agent.work_dir = options_.work_dir;
  agent.containerizer =
      ContainerizerOptionsFor(options_.program, options_.work_dir);
  agent.containerizer.lifecycle.orphans = options_.orphans;
  agent.on_event = [this](const ContainerEvent& event, const ContainerId& id) {
    OnEvent(event, id);
  };
  agent.transport = [this](StandingAgentOptions::OnStarted on_started) {
    TransportOptions transport = TransportOptionsFor(
        options_.program,
        absl::StrCat(options_.work_dir, "/", kTransportDirectory));
    transport.on_started = std::move(on_started);
    return SelectedTransport(std::move(transport));
  };
  return agent;
}

absl::Status Service::Serve() {
  ttrpc::ServerOptions options;
  options.max_connections = kMaxConnections;
  server_ = std::make_unique<ttrpc::Server>(loop_, options);
  AddControlHandlers(*server_, loop_, *agent_, events_);
  absl::Status status = Listen();
  if (status.ok()) WatchSocket();
  return status;
}

absl::Status Service::Listen() {
  const absl::StatusOr<int> listener =
      ttrpc::ListenUnix(control::SocketPath(options_.work_dir));
  return listener.ok() ? server_->Listen(*listener) : listener.status();
}

void Service::WatchSocket() {
  loop_.RunAfter(kSocketTick, [this] {
    if (stopping_) return;
    WatchSocket();
    const std::string path = control::SocketPath(options_.work_dir);
    struct stat info;
    if (lstat(path.c_str(), &info) == 0 ||
        (errno != ENOENT && errno != ENOTDIR)) {
      return;
    }
    const absl::Status made = Listen();
    const std::string said =
        made.ok()
            ? "its socket was removed, and is made again"
            : absl::StrCat("its socket was removed: ", OneLine(made.message()));
    // A failure that repeats itself is told once.
    if (made.ok() || socket_problem_ != said) Line(said);
    socket_problem_ = made.ok() ? "" : said;
  });
}

absl::Status Service::Start() {
  absl::Status watched =
      loop_.Watch(interrupts_.fd(), EPOLLIN, [this](uint32_t) { OnSignal(); });
  if (!watched.ok()) return watched;
  const absl::StatusOr<state::AgentState> state = Read();
  if (!state.ok()) return state.status();
  auto writer = state::Writer::Open(options_.work_dir);
  if (!writer.ok()) return writer.status();
  auto agent =
      StandingAgent::Create(loop_, AgentOptions(), *state, *std::move(writer));
  if (!agent.ok()) return agent.status();
  agent_ = *std::move(agent);
  agent_->Recover([this](const absl::StatusOr<RecoverySummary>& summary) {
    OnRecovered(summary);
  });
  // An agent that only cleans up has no socket.
  return options_.cleanup ? absl::OkStatus() : Serve();
}

void Service::OnRecovered(const absl::StatusOr<RecoverySummary>& summary) {
  if (stopping_) return;
  if (!summary.ok()) {
    display_.Error(summary.status());
    status_ = kAgentFailed;
    Stop();
    return;
  }
  Line(absl::StrCat("recovered ", summary->recovered.size(), " containers, ",
                    summary->lost.size(), " lost, ", summary->destroyed.size(),
                    " orphans destroyed, ", summary->surviving.size(),
                    " left alone"));
  for (const ContainerId& id : summary->lost) {
    Line(absl::StrCat(OneLine(id), " is gone, and nobody knows how it ended"));
  }
  for (const ContainerId& id : summary->surviving) {
    Line(absl::StrCat(OneLine(id),
                      " is listed by the program and is not this agent's"));
  }
  if (options_.cleanup) {
    CleanUp();
  } else {
    Line(absl::StrCat("serves ", OneLine(options_.work_dir)));
  }
}

void Service::CleanUp() {
  to_clean_up_ = 1;
  const auto done = [this] {
    if (--to_clean_up_ == 0) Stop();
  };
  for (const StandingAgent::ContainerInfo& listed :
       agent_->List("", agent_->held())) {
    ++to_clean_up_;
    agent_->Destroy(listed.id, [this, done, name = listed.name](
                                   absl::StatusOr<wire::Termination> end) {
      if (!end.ok() && !absl::IsNotFound(end.status())) {
        status_ = kAgentFailed;
        display_.Error(end.status());
      } else {
        Line(absl::StrCat(OneLine(name), " is destroyed"));
      }
      done();
    });
  }
  done();
}

void Service::OnEvent(const ContainerEvent& event, const ContainerId& id) {
  events_.Add(event, id, absl::Now());
  const bool of_command = event.kind == ContainerEvent::Kind::kCommandStarted ||
                          event.kind == ContainerEvent::Kind::kCommandEnded;
  if (!of_command || options_.verbose) Line(EventText(event));
}

void Service::OnSignal() {
  for (int number = interrupts_.Next(); number != 0;
       number = interrupts_.Next()) {
    if (stopping_) {
      Line("told to end again: not waiting any longer");
      loop_.Stop();
      return;
    }
    Line(absl::StrCat("told to end by signal ", number,
                      "; containers go on, and the next agent finds them"));
    Stop();
  }
}

void Service::Stop() {
  if (std::exchange(stopping_, true)) return;
  if (agent_ == nullptr) return loop_.Stop();
  agent_->Stop(kStopPatience, [this] {
    events_.Close();
    if (server_ == nullptr) return loop_.Stop();
    loop_.RunAfter(kFlushPatience, [this] { loop_.Stop(); });
    server_->Shutdown([this] { loop_.Stop(); });
  });
}

}  // namespace

int Serve(const ServeOptions& options) {
  // Each client and each `wait` needs descriptors.
  RaiseDescriptorLimit();
  absl::StatusOr<Interrupts> interrupts = Interrupts::Take();
  if (!interrupts.ok()) return Fail(interrupts.status());
  const absl::StatusOr<UniqueFd> lock = TakeWorkDirectory(options.work_dir);
  if (!lock.ok()) return Fail(lock.status());
  absl::StatusOr<std::unique_ptr<EventLoop>> loop = EventLoop::Create();
  if (!loop.ok()) return Fail(loop.status());
  absl::StatusOr<std::unique_ptr<Display>> display =
      Display::Create(Display::Options());
  if (!display.ok()) return Fail(display.status());
  Service service(options, *interrupts, **loop, **display);
  const absl::Status started = service.Start();
  if (!started.ok()) {
    (*display)->Error(started);
    return kAgentFailed;
  }
  return service.Run();
}

}  // namespace external_containerizer
