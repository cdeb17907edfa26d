// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/containerizer/wire/validate.h"

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "absl/synchronization/mutex.h"
#include "external_containerizer/transport/linux/mutex_lock.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/message.h"
#include "google/protobuf/unknown_field_set.h"

namespace external_containerizer {
namespace wire {
namespace {

using ::google::protobuf::Descriptor;
using ::google::protobuf::FieldDescriptor;
using ::google::protobuf::Message;
using ::google::protobuf::Reflection;
using ::google::protobuf::UnknownFieldSet;

// Sorted.
constexpr absl::string_view kRequired[] = {
    "Attribute.name",
    "Attribute.type",
    "CommandInfo.ContainerInfo.image",
    "CommandInfo.URI.value",
    "ContainerID.value",
    "ContainerInfo.DockerInfo.PortMapping.container_port",
    "ContainerInfo.DockerInfo.PortMapping.host_port",
    "ContainerInfo.DockerInfo.image",
    "ContainerInfo.type",
    "Credential.principal",
    "Destroy.container_id",
    "DiscoveryInfo.visibility",
    "DurationInfo.nanoseconds",
    "Environment.Variable.name",
    "ExecutorID.value",
    "ExecutorInfo.executor_id",
    "FrameworkID.value",
    "FrameworkInfo.name",
    "FrameworkInfo.user",
    "HealthCheck.HTTPCheckInfo.port",
    "HealthCheck.TCPCheckInfo.port",
    "Image.Appc.name",
    "Image.Docker.name",
    "Image.type",
    "Label.key",
    "Launch.container_id",
    "Parameter.key",
    "Parameter.value",
    "PerfStatistics.duration",
    "PerfStatistics.timestamp",
    "Port.number",
    "Resource.DiskInfo.Persistence.id",
    "Resource.DiskInfo.Source.type",
    "Resource.name",
    "Resource.type",
    "ResourceStatistics.timestamp",
    "SlaveID.value",
    "SlaveInfo.hostname",
    "StatusUpdate.framework_id",
    "StatusUpdate.status",
    "StatusUpdate.timestamp",
    "StatusUpdateRecord.type",
    "Task.framework_id",
    "Task.name",
    "Task.slave_id",
    "Task.state",
    "Task.task_id",
    "TaskID.value",
    "TaskInfo.name",
    "TaskInfo.slave_id",
    "TaskInfo.task_id",
    "TaskStatus.state",
    "TaskStatus.task_id",
    "TrafficControlStatistics.id",
    "Update.container_id",
    "Usage.container_id",
    "Value.Range.begin",
    "Value.Range.end",
    "Value.Scalar.value",
    "Value.Text.value",
    "Volume.Source.DockerVolume.name",
    "Volume.container_path",
    "Volume.mode",
    "Wait.container_id",
};

// The depth to which protobuf reads, unless it is told otherwise.
constexpr int kMaxDepth = 100;

bool IsRequired(const FieldDescriptor& field) {
  absl::string_view name = field.full_name();
  return absl::ConsumePrefix(&name, "external_containerizer.wire.") &&
         std::binary_search(std::begin(kRequired), std::end(kRequired), name);
}

// Protobuf keeps a value that the enum does not list as an unknown field.
bool HasUnknownValue(const Message& message, const FieldDescriptor& field) {
  if (field.enum_type() == nullptr) return false;
  const UnknownFieldSet& unknown =
      message.GetReflection()->GetUnknownFields(message);
  for (int i = 0; i < unknown.field_count(); ++i) {
    if (unknown.field(i).number() == field.number()) return true;
  }
  return false;
}

// A field of a type that has to be checked. Most fields need no check.
struct Step {
  const FieldDescriptor* field;
  bool is_required;
};
using Plan = std::vector<Step>;

Plan PlanOf(const Descriptor& type) {
  Plan plan;
  for (int i = 0; i < type.field_count(); ++i) {
    const FieldDescriptor* field = type.field(i);
    const bool is_required = !field->is_repeated() && IsRequired(*field);
    if (is_required || field->message_type() != nullptr) {
      plan.push_back({field, is_required});
    }
  }
  return plan;
}

// A plan is made once for each type, since an agent may read a hundred thousand
// files.
const Plan& CachedPlanOf(const Descriptor& type) {
  static auto& mutex = *new absl::Mutex;
  static auto& plans = *new std::unordered_map<const Descriptor*, Plan>;
  {
    MutexLock lock(&mutex);
    const auto found = plans.find(&type);
    if (found != plans.end()) return found->second;
  }
  Plan plan = PlanOf(type);
  MutexLock lock(&mutex);
  return plans.emplace(&type, std::move(plan)).first->second;
}

std::optional<std::string> FindMissing(const Message& message, int depth) {
  if (depth > kMaxDepth) return "an end of its nesting";
  const Reflection& reflection = *message.GetReflection();
  for (const Step& step : CachedPlanOf(*message.GetDescriptor())) {
    const FieldDescriptor& field = *step.field;
    if (field.is_repeated()) {
      const int size = reflection.FieldSize(message, &field);
      for (int k = 0; k < size; ++k) {
        std::optional<std::string> missing = FindMissing(
            reflection.GetRepeatedMessage(message, &field, k), depth + 1);
        if (missing) return absl::StrCat(field.name(), "[", k, "].", *missing);
      }
    } else if (reflection.HasField(message, &field)) {
      if (field.message_type() == nullptr) continue;
      std::optional<std::string> missing =
          FindMissing(reflection.GetMessage(message, &field), depth + 1);
      if (missing) return absl::StrCat(field.name(), ".", *missing);
    } else if (step.is_required && !HasUnknownValue(message, field)) {
      return std::string(field.name());
    }
  }
  return std::nullopt;
}

// The beginning of an id, for messages.
std::string Quote(absl::string_view id) {
  constexpr size_t kShown = 40;
  return absl::StrCat("\"", absl::CHexEscape(id.substr(0, kShown)), "\"",
                      id.size() > kShown ? "..." : "");
}

bool IsForbidden(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte < 0x20 || byte == 0x7f || c == '/' || c == '\\' || c == '\'' ||
         c == '"' || c == '`';
}

}  // namespace

absl::Status ValidateId(absl::string_view kind, absl::string_view id) {
  if (id.empty())
    return absl::InvalidArgumentError(absl::StrCat(kind, " is empty"));
  const auto refuse = [&](absl::string_view why) {
    return absl::InvalidArgumentError(
        absl::StrCat(kind, " ", Quote(id), " ", why));
  };
  if (id.size() > kMaxIdBytes) {
    return refuse(absl::StrCat("has ", id.size(), " bytes, more than the ",
                               kMaxIdBytes, " that a file name can have"));
  }
  if (id == "." || id == "..") return refuse("is not the name of a file");
  if (id[0] == '-') return refuse("begins like an option of a command");
  const auto bad = std::find_if(id.begin(), id.end(), IsForbidden);
  if (bad != id.end()) {
    return refuse(absl::StrCat(
        "contains ", Quote(id.substr(static_cast<size_t>(bad - id.begin()), 1)),
        "; slashes, backslashes, quotes and control characters are not "
        "allowed"));
  }
  return absl::OkStatus();
}

absl::Status CheckComplete(const Message& message, absl::StatusCode code) {
  const std::optional<std::string> missing = FindMissing(message, 0);
  if (!missing) return absl::OkStatus();
  return absl::Status(
      code, absl::StrCat("the ", message.GetDescriptor()->name(), " lacks ",
                         *missing, ", which the protocol requires"));
}

}  // namespace wire
}  // namespace external_containerizer
