// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// For objects on a loop that leave work behind which must not run once they are
// gone:
//
//   class Lamp {
//     void OffLater() {
//       loop_.Post(alive_.Guard([this] { on_ = false; }));
//     }
//     ...
//     const Alive alive_;  // The last member: the first to go.
//   };

#ifndef EXTERNAL_CONTAINERIZER_TRANSPORT_ALIVE_H_
#define EXTERNAL_CONTAINERIZER_TRANSPORT_ALIVE_H_

#include <memory>
#include <utility>

namespace external_containerizer {

// Guard() may be called on any thread. The calls of what it returns, and the
// destruction of the Alive, happen on one thread, the loop's.
class Alive {
 public:
  Alive() = default;
  Alive(const Alive&) = delete;
  Alive& operator=(const Alive&) = delete;

  // Returns a callable that calls `f`, and does nothing once this is destroyed.
  template <typename F>
  auto Guard(F f) const {
    return [f = std::move(f),
            watch = std::weak_ptr<const bool>(token_)](auto... values) mutable {
      if (!watch.expired()) std::move(f)(std::move(values)...);
    };
  }

  // Returns a pointer that expires with this: an object looks at it after a
  // call that may have destroyed the object.
  std::weak_ptr<const bool> Watch() const { return token_; }

 private:
  const std::shared_ptr<const bool> token_ = std::make_shared<bool>(true);
};

}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_TRANSPORT_ALIVE_H_
