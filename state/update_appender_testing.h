// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

// Appends to a task.updates, durably.

#ifndef EXTERNAL_CONTAINERIZER_STATE_UPDATE_APPENDER_TESTING_H_
#define EXTERNAL_CONTAINERIZER_STATE_UPDATE_APPENDER_TESTING_H_

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "external_containerizer/containerizer/wire/checkpoint.pb.h"
#include "external_containerizer/state/file_system.h"

namespace external_containerizer {
namespace state {

// What to cut off a file whose end cannot be read.
enum class Repair {
  kTorn,    // What a crash has left. Damage is DATA_LOSS: look at it first.
  kDamage,  // All that follows the last good record, as Mesos does.
};

// Thread-compatible. Each append is one fsync, and is on the disk, or not in
// the file, when it returns.
class UpdateAppender {
 public:
  // Makes the file if there is none; its directory must exist. Costs one fsync
  // of each. `files` must outlive it.
  static absl::StatusOr<UpdateAppender> Open(FileSystem& files,
                                             const std::string& path,
                                             Repair repair = Repair::kTorn);

  // How much Open() has cut off.
  uint64_t cut_off_bytes() const { return cut_off_bytes_; }

  // INVALID_ARGUMENT if the update lacks something, e.g. a uuid of 16 bytes;
  // RESOURCE_EXHAUSTED if the file or the disk is full.
  //
  // An append that fails is undone. If that fails as well, or if it was the
  // fsync, nobody knows what the disk has, and all further appends are
  // FAILED_PRECONDITION: open the file again.
  absl::Status AppendUpdate(const wire::StatusUpdate& update);
  absl::Status AppendAck(absl::string_view uuid);

 private:
  UpdateAppender(std::string path, std::unique_ptr<WritableFile> file)
      : path_(std::move(path)), file_(std::move(file)) {}

  absl::Status Append(const wire::StatusUpdateRecord& record);

  std::string path_;
  std::unique_ptr<WritableFile> file_;
  uint64_t size_ = 0;
  uint64_t cut_off_bytes_ = 0;
  bool broken_ = false;
};

}  // namespace state
}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_STATE_UPDATE_APPENDER_TESTING_H_
