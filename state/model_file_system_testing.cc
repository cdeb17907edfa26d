// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/state/model_file_system_testing.h"

#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"

namespace external_containerizer {
namespace state {

namespace fs = std::filesystem;

struct ModelFileSystem::Node {
  enum class Kind { kDirectory, kLink, kFile };

  Kind kind;
  std::string target;
  // A file's contents since its last sync. The first of them are on the disk.
  std::vector<std::string> versions = {""};
  // A directory's entries on the disk, and the changes since.
  Entries durable;
  std::vector<Change> pending;
  Entries now;

  // The number of different states that a crash may leave.
  size_t Alternatives() const {
    switch (kind) {
      case Kind::kDirectory:
        return size_t{1} << pending.size();
      case Kind::kFile:
        return Contents().size();
      case Kind::kLink:
        return 1;
    }
    return 1;
  }

  std::vector<std::string> Contents() const {
    constexpr size_t kSector = 512;
    std::vector<std::string> contents = {versions[0]};
    for (size_t i = 1; i < versions.size(); ++i) {
      const std::string& before = versions[i - 1];
      const std::string& after = versions[i];
      contents.push_back(after);
      if (after.size() <= before.size()) continue;
      const size_t added = after.size() - before.size();
      for (size_t n = 1; n < added; n += n < 5 || n + 2 > added ? 1 : 7) {
        contents.push_back(after.substr(0, before.size() + n));
      }
      contents.push_back(before + std::string(added, 0));
      for (size_t at = (before.size() / kSector + 1) * kSector;
           at < after.size(); at += kSector) {
        contents.push_back(after.substr(0, at) +
                           std::string(after.size() - at, 0));
      }
    }
    return contents;
  }
};

namespace {

Image One(const std::string& path, std::string what) {
  Image image;
  image[path] = std::move(what);
  return image;
}

std::pair<std::string, std::string> Split(const std::string& path) {
  const size_t slash = path.rfind('/');
  if (slash == path.npos) return {".", path};
  return {path.substr(0, slash), path.substr(slash + 1)};
}

}  // namespace

void Materialize(const Image& image, const std::string& directory) {
  std::set<std::string> directories = {"."};
  for (const auto& [path, what] : image) {
    if (directories.count(Split(path).first) == 0) continue;
    if (what[0] == 'd') directories.insert(path);
    const std::string full = absl::StrCat(directory, "/", path);
    if (what[0] == 'd') {
      fs::create_directory(full);
    } else if (what[0] == 'l') {
      fs::create_symlink(what.substr(1), full);
    } else if (what[0] == 'p') {
      mkfifo(full.c_str(), 0600);
    } else {
      std::ofstream(full, std::ios::binary) << what.substr(1);
    }
  }
}

ModelFileSystem::ModelFileSystem() : root_(std::make_shared<Node>()) {
  root_->kind = Node::Kind::kDirectory;
}

Image ModelFileSystem::Now() const {
  Image image;
  const std::function<void(const Node&, const std::string&)> visit =
      [&](const Node& node, const std::string& prefix) {
        for (const auto& [name, child] : node.now) {
          const std::string path = prefix + name;
          image[path] = child->kind == Node::Kind::kDirectory ? "d"
                        : child->kind == Node::Kind::kLink
                            ? "l" + child->target
                            : "f" + child->versions.back();
          visit(*child, path + "/");
        }
      };
  visit(*root_, "");
  return image;
}

std::set<Image> ModelFileSystem::AfterCrash() const {
  // A directory's state decides which entries exist below it, so the images of
  // a subtree are combined with the images of its siblings.
  const std::function<std::set<Image>(const Node&, const std::string&)> images =
      [&](const Node& node, const std::string& path) {
        std::set<Image> all;
        if (node.kind == Node::Kind::kLink) {
          all.insert(One(path, "l" + node.target));
        } else if (node.kind == Node::Kind::kFile) {
          for (const std::string& contents : node.Contents()) {
            all.insert(One(path, "f" + contents));
          }
        } else {
          for (size_t mask = 0; mask < node.Alternatives(); ++mask) {
            Entries entries = node.durable;
            for (size_t i = 0; i < node.pending.size(); ++i) {
              if ((mask >> i & 1) == 0) continue;
              for (const auto& [name, child] : node.pending[i]) {
                entries[name] = child;
              }
            }
            std::set<Image> product;
            product.insert(path.empty() ? Image() : One(path, "d"));
            for (const auto& [name, child] : entries) {
              if (child == nullptr) continue;
              const std::string below =
                  path.empty() ? name : absl::StrCat(path, "/", name);
              std::set<Image> next;
              for (const Image& right : images(*child, below)) {
                for (Image left : product) {
                  left.insert(right.begin(), right.end());
                  next.insert(std::move(left));
                }
              }
              product = std::move(next);
            }
            all.insert(product.begin(), product.end());
          }
        }
        return all;
      };
  return images(*root_, "");
}

void ModelFileSystem::Fail(size_t operation, absl::Status status) {
  fail_at_ = operation;
  failure_ = std::move(status);
}

void ModelFileSystem::OnChange(std::function<void()> on_change) {
  on_change_ = std::move(on_change);
}

absl::Status ModelFileSystem::Begin(bool is_directory_sync) {
  if (operations_++ != fail_at_) return absl::OkStatus();
  failed_at_directory_sync_ = is_directory_sync;
  return failure_;
}

void ModelFileSystem::Done() {
  if (on_change_) on_change_();
}

ModelFileSystem::NodePtr ModelFileSystem::Find(const std::string& path) const {
  NodePtr node = root_;
  for (const absl::string_view name : absl::StrSplit(path, '/')) {
    if (name == ".") continue;
    const auto found = node->now.find(std::string(name));
    if (found == node->now.end()) return nullptr;
    node = found->second;
  }
  return node;
}

void ModelFileSystem::Apply(const NodePtr& directory, Change change) {
  for (const auto& [name, node] : change) {
    if (node == nullptr) {
      directory->now.erase(name);
    } else {
      directory->now[name] = node;
    }
  }
  directory->pending.push_back(std::move(change));
  Done();
}

absl::Status ModelFileSystem::Make(const std::string& path, NodePtr node) {
  absl::Status status = Begin();
  if (!status.ok()) return status;
  const auto [parent, name] = Split(path);
  const NodePtr directory = Find(parent);
  if (directory == nullptr) return absl::NotFoundError(path);
  if (directory->now.count(name) > 0) return absl::AlreadyExistsError(path);
  Apply(directory, {{name, std::move(node)}});
  return absl::OkStatus();
}

absl::Status ModelFileSystem::MakeDirectory(const std::string& path) {
  auto node = std::make_shared<Node>();
  node->kind = Node::Kind::kDirectory;
  return Make(path, std::move(node));
}

absl::Status ModelFileSystem::MakeLink(const std::string& target,
                                       const std::string& path) {
  auto node = std::make_shared<Node>();
  node->kind = Node::Kind::kLink;
  node->target = target;
  return Make(path, std::move(node));
}

// Three operations: a crash may come after each.
absl::Status ModelFileSystem::MakeFile(const std::string& path,
                                       absl::string_view bytes, mode_t) {
  auto node = std::make_shared<Node>();
  node->kind = Node::Kind::kFile;
  absl::Status status = Make(path, node);
  if (status.ok() && !bytes.empty()) {
    status = Begin();
    if (!status.ok()) bytes = bytes.substr(0, bytes.size() / 2);
    node->versions.push_back(absl::StrCat(node->versions.back(), bytes));
    Done();
  }
  if (!status.ok()) return status;
  ++file_syncs_;
  status = Begin();
  if (!status.ok()) return status;
  node->versions = {node->versions.back()};
  Done();
  return absl::OkStatus();
}

absl::StatusOr<std::optional<std::string>> ModelFileSystem::ReadFile(
    const std::string& path, size_t) {
  absl::Status status = Begin();
  if (!status.ok()) return status;
  const NodePtr node = Find(path);
  if (node == nullptr) return std::nullopt;
  return node->versions.back();
}

absl::Status ModelFileSystem::Rename(const std::string& from,
                                     const std::string& to) {
  absl::Status status = Begin();
  if (!status.ok()) return status;
  const auto [old_parent, old_name] = Split(from);
  const auto [new_parent, new_name] = Split(to);
  const NodePtr node = Find(from);
  if (node == nullptr) return absl::NotFoundError(from);
  if (old_parent == new_parent) {
    Apply(Find(new_parent), {{old_name, nullptr}, {new_name, node}});
    return absl::OkStatus();
  }
  // Two directories change, and one of the changes may be lost.
  Apply(Find(new_parent), {{new_name, node}});
  Apply(Find(old_parent), {{old_name, nullptr}});
  return absl::OkStatus();
}

absl::Status ModelFileSystem::Remove(const std::string& path) {
  absl::Status status = Begin();
  if (!status.ok()) return status;
  if (Find(path) == nullptr) return absl::NotFoundError(path);
  const auto [parent, name] = Split(path);
  Apply(Find(parent), {{name, nullptr}});
  return absl::OkStatus();
}

absl::Status ModelFileSystem::RemoveTree(const std::string& path) {
  absl::Status status = Begin();
  if (!status.ok() || Find(path) == nullptr) return status;
  const auto [parent, name] = Split(path);
  Apply(Find(parent), {{name, nullptr}});
  return absl::OkStatus();
}

absl::Status ModelFileSystem::SyncDirectory(const std::string& path) {
  ++directory_syncs_;
  absl::Status status = Begin(true);
  if (!status.ok()) return status;
  const NodePtr node = Find(path);
  if (node == nullptr) return absl::NotFoundError(path);
  node->durable = node->now;
  node->pending.clear();
  Done();
  return absl::OkStatus();
}

}  // namespace state
}  // namespace external_containerizer
