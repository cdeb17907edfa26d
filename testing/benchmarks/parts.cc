// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// The cost of the parts that every command passes: a frame of ttrpc, a record,
// a step of the state machine. It needs no process and no socket.
//
//   bazel run -c opt //testing/benchmarks:parts

#include <cstdint>
#include <string>
#include <utility>
#include <variant>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "benchmark/benchmark.h"
#include "external_containerizer/containerizer/lifecycle.h"
#include "external_containerizer/containerizer/options.h"
#include "external_containerizer/transport/record_io.h"
#include "external_containerizer/transport/transport.h"
#include "external_containerizer/transport/ttrpc/frame.h"

namespace external_containerizer {
namespace {

// A frame of so many bytes, found and encoded.
void BM_Frame(benchmark::State& state) {
  const size_t size = static_cast<size_t>(state.range(0));
  const auto header = ttrpc::EncodeHeader(
      {static_cast<uint32_t>(size), 1, ttrpc::FrameType::kRequest, 0});
  const std::string bytes =
      std::string(header.data(), header.size()) + std::string(size, 'x');
  ttrpc::FrameReader reader;
  ttrpc::Frame frame;
  for (auto _ : state) {
    absl::string_view input = bytes;
    if (reader.Next(input, frame) != ttrpc::FrameReader::State::kFrame) {
      state.SkipWithError("no frame");
      break;
    }
    benchmark::DoNotOptimize(ttrpc::EncodeHeader(frame.header));
  }
  state.SetBytesProcessed(static_cast<int64_t>(state.iterations()) *
                          static_cast<int64_t>(bytes.size()));
}
BENCHMARK(BM_Frame)->Arg(100)->Arg(1 << 20);

// A record of so many bytes that comes in one piece.
void BM_Record(benchmark::State& state) {
  const std::string bytes =
      EncodeRecord(std::string(static_cast<size_t>(state.range(0)), 'x'));
  for (auto _ : state) {
    RecordReader reader(size_t{4} << 20);
    if (reader.Feed(bytes) != RecordReader::State::kComplete) {
      state.SkipWithError("no record");
      break;
    }
    benchmark::DoNotOptimize(std::move(reader).Finish());
  }
  state.SetBytesProcessed(static_cast<int64_t>(state.iterations()) *
                          static_cast<int64_t>(bytes.size()));
}
BENCHMARK(BM_Record)->Arg(100)->Arg(1 << 20);

// Gives it an event, and returns the command that it then starts; 0 for none.
OpId Starts(Lifecycle& lifecycle, Event event) {
  for (const Action& action : lifecycle.Handle(std::move(event))) {
    if (const auto* start = std::get_if<StartCommand>(&action)) {
      return start->op;
    }
  }
  return 0;
}

CommandEnded Succeeded(OpId op) {
  CommandResult result;
  result.outcome = Outcome::kAnswered;
  return {op, std::move(result)};
}

// One `usage` among many containers that run: the call and its answer.
void BM_UsageInLifecycle(benchmark::State& state) {
  Lifecycle lifecycle{LifecycleOptions()};
  CallId call = 1;
  OpId op = Starts(lifecycle, RecoverCall{call++, {}});
  op = Starts(lifecycle, Succeeded(op));
  Starts(lifecycle, Succeeded(op));
  for (int64_t i = 0; i < state.range(0); ++i) {
    op = Starts(lifecycle,
                ContainerCall{call++, Command::kLaunch, absl::StrCat("c-", i)});
    Starts(lifecycle, Succeeded(op));
  }
  int64_t next = 0;
  for (auto _ : state) {
    op = Starts(lifecycle, ContainerCall{call++, Command::kUsage,
                                         absl::StrCat("c-", next)});
    if (op == 0) {
      state.SkipWithError("nothing was started");
      break;
    }
    Starts(lifecycle, Succeeded(op));
    next = (next + 1) % state.range(0);
  }
}
BENCHMARK(BM_UsageInLifecycle)->Arg(1)->Arg(10'000);

}  // namespace
}  // namespace external_containerizer
