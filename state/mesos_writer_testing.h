// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

// Writes the files that only Mesos writes, as durably as Writer writes its own,
// so that tests have whole trees.
//
//   MesosWriter writer(work_dir, std::move(files));
//   writer.RecordTask(run, task);
//   writer.RecordUpdates(run, "task", {update}, {update.uuid()});

#ifndef EXTERNAL_CONTAINERIZER_STATE_MESOS_WRITER_TESTING_H_
#define EXTERNAL_CONTAINERIZER_STATE_MESOS_WRITER_TESTING_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "external_containerizer/containerizer/wire/checkpoint.pb.h"
#include "external_containerizer/containerizer/wire/mesos.pb.h"
#include "external_containerizer/state/paths.h"
#include "external_containerizer/state/writer.h"

namespace external_containerizer {
namespace state {

class MesosWriter : public Writer {
 public:
  using Writer::Writer;

  absl::Status RecordResources(const std::vector<wire::Resource>& resources);
  // From now on the tree has no agent.
  absl::Status ForgetAgent();

  // NOT_FOUND if the launch is not recorded.
  absl::Status RecordTask(const RunId& run, const wire::Task& task);
  absl::Status RecordLibprocessPid(const RunId& run, absl::string_view upid);
  absl::Status RecordHttp(const RunId& run);
  // The task must have been recorded. `acks` are uuids.
  absl::Status RecordUpdates(const RunId& run, const std::string& task,
                             const std::vector<wire::StatusUpdate>& updates,
                             const std::vector<std::string>& acks);
};

}  // namespace state
}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_STATE_MESOS_WRITER_TESTING_H_
