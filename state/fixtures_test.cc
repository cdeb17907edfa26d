// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

// Trees that Mesos's own code wrote, whole and damaged (testdata/cases.tar.gz),
// and that code's reading of each (expected.tar.gz).
//
// This reader reads more than Mesos does. The part that Mesos reads must be the
// same, except where the table below says otherwise, and why.

#include <algorithm>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "external_containerizer/state/reader.h"
#include "external_containerizer/state/tree_testing.h"
#include "external_containerizer/testing/status_matchers.h"
#include "gmock/gmock.h"
#include "google/protobuf/text_format.h"
#include "gtest/gtest.h"

namespace external_containerizer {
namespace state {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

// The result for a case in which Mesos does something else.
struct Better {
  absl::string_view as;  // What is read is what Mesos made of this case,
  bool strict_is_ok;
  size_t damages;  // and so many files are damaged (not strict).
};

const std::map<std::string, Better>& Betters() {
  static const auto& betters = *new std::map<std::string, Better>{
      // Mesos does not start with these, even if it is not strict.
      {"run-latest-dangling", {"run-latest-missing", true, 0}},
      {"forked-pid-overflow", {"forked-pid-missing", false, 1}},
      {"forked-pid-partial", {"forked-pid-missing", false, 1}},
      // Mesos takes -1 for a pid, aborts, or aborts later.
      {"forked-pid-negative", {"forked-pid-missing", false, 1}},
      {"updates-ack-nouuid", {"small-agent", false, 1}},
      {"updates-update-noupdate", {"small-agent", false, 1}},
      // This is the trace of a crash, like every other torn tail.
      {"updates-zeros-tail", {"small-agent", true, 0}},
      // No directory has that name, so no executor has it.
      {"framework-dir-strayfile", {"small-agent", true, 0}},
      {"executor-strayfile", {"small-agent", true, 0}},
      {"run-strayfile", {"small-agent", true, 0}},
      {"task-strayfile", {"small-agent", true, 0}},
  };
  return betters;
}

struct Expected {
  bool ok = false;
  std::string state;
  std::vector<std::string> truncations;
};

Expected ParseExpected(absl::string_view text) {
  Expected expected;
  std::string section;
  for (absl::string_view line : absl::StrSplit(text, '\n')) {
    if (absl::StartsWith(line, "-- ")) {
      section = std::string(line);
    } else if (section == "-- result") {
      if (absl::StartsWith(line, "result: ")) {
        expected.ok = absl::StartsWith(line, "result: SOME");
      } else {
        absl::StrAppend(&expected.state, line, "\n");
      }
    } else if (absl::StartsWith(section, "-- files") && !line.empty() &&
               line != "(none)") {
      expected.truncations.emplace_back(line);
    }
  }
  return expected;
}

std::string Text(const google::protobuf::Message& message) {
  google::protobuf::TextFormat::Printer printer;
  printer.SetSingleLineMode(true);
  std::string text;
  printer.PrintToString(message, &text);
  while (!text.empty() && text.back() == ' ') text.pop_back();
  return text;
}

template <typename Message>
std::string Info(const std::optional<Message>& info) {
  return info ? absl::StrCat("{", Text(*info), "}") : "none";
}

std::string Text(const std::vector<wire::Resource>& resources) {
  return absl::StrJoin(
      resources, "; ", [](std::string* out, const wire::Resource& resource) {
        absl::StrAppend(out, resource.name(), "(", resource.role(), ")");
        if (resource.has_disk()) {
          absl::StrAppend(out, "[", resource.disk().persistence().id(), ":",
                          resource.disk().volume().container_path(), "]");
        }
        absl::StrAppend(out, ":", resource.scalar().value());
      });
}

// Prints a state as the expected files do, and only what Mesos goes on to read.
class MesosView {
 public:
  explicit MesosView(const AgentState& state) : state_(state) {
    if (state.resources) {
      absl::StrAppend(
          &out_, "resources: errors=", Errors("meta/resources"), " committed={",
          Text(state.resources->committed), "} target=",
          state.resources->target
              ? absl::StrCat("{", Text(*state.resources->target), "}")
              : "none",
          "\n");
    }
    if (!state.slave || state.rebooted) {
      out_ += "slave: none\n";
      return;
    }
    Slave(*state.slave);
  }

  const std::string& text() const { return out_; }

 private:
  void Slave(const SlaveState& slave) {
    const std::string path = "meta/slaves/" + slave.id;
    absl::StrAppend(&out_, "slave: id=", slave.id, " errors=", Errors(path),
                    " info=", Info(slave.info), "\n");
    if (!slave.info) return;
    for (const FrameworkState& framework : slave.frameworks) {
      Framework(framework, absl::StrCat(path, "/frameworks/", framework.id));
    }
  }

  void Framework(const FrameworkState& framework, const std::string& path) {
    const bool has_both = framework.info && framework.pid;
    absl::StrAppend(
        &out_, "  framework ", framework.id, " errors=", Errors(path),
        " pid=", has_both ? absl::StrCat("'", *framework.pid, "'") : "none",
        " info=", Info(framework.info), "\n");
    if (!has_both) return;
    for (const ExecutorState& executor : framework.executors) {
      Executor(executor, absl::StrCat(path, "/executors/", executor.id));
    }
  }

  void Executor(const ExecutorState& executor, const std::string& path) {
    absl::StrAppend(
        &out_, "    executor ", executor.id, " errors=", Errors(path),
        " latest=", executor.latest.value_or("none"),
        " info=", executor.latest ? Info(executor.info) : "none", "\n");
    for (const RunState& run : executor.runs) {
      Run(run, absl::StrCat(path, "/runs/", run.id));
    }
  }

  void Run(const RunState& run, const std::string& path) {
    absl::StrAppend(&out_, "      run ", run.id, " errors=", Errors(path),
                    " completed=", run.completed ? 1 : 0, " forkedPid=",
                    run.forked_pid ? absl::StrCat(*run.forked_pid) : "none");
    const bool by_driver = run.forked_pid && run.http && !*run.http;
    absl::StrAppend(
        &out_, " libprocessPid=",
        by_driver
            ? absl::StrCat("'", run.libprocess_pid.value_or("@0.0.0.0:0"), "'")
            : "none",
        " http=",
        !run.forked_pid || !run.http ? "unknown"
        : *run.http                  ? "true"
                                     : "false",
        "\n");
    for (const TaskState& task : run.tasks) {
      absl::StrAppend(&out_, "        task ", task.id, " errors=",
                      Errors(absl::StrCat(path, "/tasks/", task.id)),
                      " info=", Info(task.info), "\n");
      if (!task.info) continue;
      for (const wire::StatusUpdate& update : task.updates) {
        absl::StrAppend(&out_, "          update ",
                        wire::TaskState_Name(update.status().state()),
                        " uuid=", absl::BytesToHexString(update.uuid()), "\n");
      }
      for (const std::string& uuid : task.acks) {
        absl::StrAppend(&out_, "          ack ", absl::BytesToHexString(uuid),
                        "\n");
      }
    }
  }

  size_t Errors(const std::string& path) const {
    return static_cast<size_t>(std::count_if(
        state_.problems.begin(), state_.problems.end(), [&](const Problem& p) {
          return p.kind == Problem::Kind::kDamage &&
                 absl::StartsWith(p.path, path + "/");
        }));
  }

  const AgentState& state_;
  std::string out_;
};

std::string WithoutCounts(absl::string_view text) {
  std::vector<std::string> words = absl::StrSplit(text, ' ');
  for (std::string& word : words) {
    if (absl::StartsWith(word, "errors=")) word = "errors=?";
  }
  return absl::StrJoin(words, " ");
}

std::vector<std::string> Truncations(const AgentState& state) {
  std::vector<std::string> lines;
  for (const Truncation& truncation : state.truncations) {
    lines.push_back(absl::StrCat(truncation.path, " ", truncation.size, " -> ",
                                 truncation.good_bytes, " bytes"));
  }
  return lines;
}

std::vector<Problem> Damages(const AgentState& state) {
  std::vector<Problem> damages;
  for (const Problem& problem : state.problems) {
    if (problem.kind == Problem::Kind::kDamage) damages.push_back(problem);
  }
  return damages;
}

class FixturesTest : public ::testing::Test {
 protected:
  // Unpacked once: reading changes nothing, which is tested.
  static void SetUpTestSuite() {
    trees_ = new TemporaryDirectory;
    Unpack("state/testdata/cases.tar.gz", trees_->path());
    Unpack("state/testdata/expected.tar.gz", trees_->path());
  }
  static void TearDownTestSuite() { delete trees_; }

  static std::string Case(absl::string_view name) {
    return *trees_ / absl::StrCat("cases/", name);
  }

  static Expected MesosMade(absl::string_view name, bool strict) {
    return ParseExpected(
        ReadFile(*trees_ / absl::StrCat("expected/", name, ".",
                                        strict ? "strict" : "lax", ".txt")));
  }

  static absl::StatusOr<AgentState> Read(absl::string_view name, bool strict) {
    ReadOptions options;
    options.strict = strict;
    options.boot_id = ReadFile(Case("small-agent/meta/boot_id"));
    return ReadAgentState(Case(name), options);
  }

  static std::vector<std::string> Cases() {
    std::vector<std::string> names;
    for (const auto& entry :
         std::filesystem::directory_iterator(*trees_ / "cases")) {
      names.push_back(entry.path().filename().string());
    }
    std::sort(names.begin(), names.end());
    return names;
  }

  static TemporaryDirectory* trees_;
};

TemporaryDirectory* FixturesTest::trees_ = nullptr;

TEST_F(FixturesTest, MesosSeesInOurReadingWhatItSawItself) {
  const std::vector<std::string> names = Cases();
  ASSERT_THAT(names, SizeIs(59));
  size_t compared = 0;
  for (const std::string& name : names) {
    SCOPED_TRACE(name);
    if (name == "slave-latest-dangling" || Betters().count(name) > 0) continue;
    ++compared;
    const Expected lax = MesosMade(name, false);
    const auto ours = Read(name, false);
    ASSERT_THAT(ours, IsOk());
    ASSERT_TRUE(lax.ok);
    EXPECT_EQ(MesosView(*ours).text(), lax.state);
    EXPECT_EQ(Truncations(*ours), lax.truncations);

    const Expected strict = MesosMade(name, true);
    const auto ours_strict = Read(name, true);
    if (strict.ok) {
      ASSERT_THAT(ours_strict, IsOk());
      EXPECT_EQ(MesosView(*ours_strict).text(), strict.state);
      EXPECT_THAT(Damages(*ours), IsEmpty());
    } else {
      ASSERT_THAT(Damages(*ours), SizeIs(1));
      EXPECT_THAT(ours_strict, StatusIs(absl::StatusCode::kDataLoss,
                                        HasSubstr(Damages(*ours)[0].path)));
    }
  }
  EXPECT_EQ(compared, 47u);
}

TEST_F(FixturesTest, WhereMesosWasFragileOnlyWhatIsDamagedIsLost) {
  for (const auto& [name, better] : Betters()) {
    SCOPED_TRACE(name);
    const auto lax = Read(name, false);
    ASSERT_THAT(lax, IsOk());
    EXPECT_EQ(WithoutCounts(MesosView(*lax).text()),
              WithoutCounts(MesosMade(better.as, false).state));
    EXPECT_THAT(Damages(*lax), SizeIs(better.damages));
    const bool is_listed = !lax->problems.empty() || !lax->truncations.empty();
    EXPECT_TRUE(is_listed);
    EXPECT_EQ(Read(name, true).ok(), better.strict_is_ok);
  }
}

TEST_F(FixturesTest, WithoutItsAgentATreeCanStillBeLookedAt) {
  EXPECT_THAT(
      Read("slave-latest-dangling", true),
      StatusIs(absl::StatusCode::kDataLoss, HasSubstr("meta/slaves/latest")));
  const auto lax = Read("slave-latest-dangling", false);
  ASSERT_THAT(lax, IsOk());
  EXPECT_FALSE(lax->slave.has_value());
  EXPECT_FALSE(lax->resources->committed.empty());
  ASSERT_THAT(lax->problems, SizeIs(1));
  EXPECT_EQ(lax->problems[0].path, "meta/slaves/latest");
}

TEST_F(FixturesTest, ReadingChangesNothing) {
  const auto before = Snapshot(*trees_ / "cases");
  for (const std::string& name : Cases()) {
    (void)Read(name, true);
    (void)Read(name, false);
  }
  EXPECT_TRUE(before == Snapshot(*trees_ / "cases"));
}

TEST_F(FixturesTest, ADamagedOrMissingFileTakesNothingElseWithIt) {
  const auto whole = Read("small-agent", true);
  ASSERT_THAT(whole, IsOk());
  const auto runs = [](const AgentState& state) {
    std::vector<std::string> ids;
    if (!state.slave) return ids;
    for (const auto& framework : state.slave->frameworks) {
      for (const auto& executor : framework.executors) {
        for (const auto& run : executor.runs) ids.push_back(run.id);
      }
    }
    return ids;
  };
  ASSERT_THAT(runs(*whole), SizeIs(5));
  for (const absl::string_view name :
       {"slave-info-missing", "slave-info-empty", "slave-info-truncated",
        "slave-info-sizehuge", "slave-info-isdir", "framework-info-missing",
        "framework-pid-missing", "framework-pid-empty", "executor-info-missing",
        "executor-info-truncated", "run-latest-missing", "pids-dir-missing",
        "boot-id-differs"}) {
    SCOPED_TRACE(name);
    const auto state = Read(name, false);
    ASSERT_THAT(state, IsOk());
    EXPECT_EQ(runs(*state), runs(*whole));
    EXPECT_EQ(state->rebooted, name == "boot-id-differs");
    const bool is_listed = !state->problems.empty() || state->rebooted ||
                           name == "pids-dir-missing";
    EXPECT_TRUE(is_listed);
  }
}

}  // namespace
}  // namespace state
}  // namespace external_containerizer
