// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/transport/record_io.h"

#include <fcntl.h>
#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <string>
#include <thread>
#include <utility>

#include "absl/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace external_containerizer {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

using State = RecordReader::State;

constexpr size_t kMax = 4 << 20;

std::string Bytes(std::initializer_list<int> bytes) {
  return std::string(bytes.begin(), bytes.end());
}

// The message with which a reader judges a whole stream.
std::string Verdict(absl::string_view stream, size_t max = kMax) {
  RecordReader reader(max);
  reader.Feed(stream);
  auto result = std::move(reader).Finish();
  if (result.ok()) return "fine";
  EXPECT_EQ(result.status().code(), absl::StatusCode::kDataLoss);
  return std::string(result.status().message());
}

TEST(EncodeRecordTest, LengthComesFirstInLittleEndianOrder) {
  EXPECT_EQ(EncodeRecord("abc"), Bytes({3, 0, 0, 0, 'a', 'b', 'c'}));
  EXPECT_EQ(EncodeRecord(""), Bytes({0, 0, 0, 0}));
  EXPECT_EQ(EncodeRecord(std::string(0x010203, 'x')).substr(0, 4),
            Bytes({3, 2, 1, 0}));
}

TEST(WholeRecordTest, IsThePayloadIfAllOfItIsThere) {
  const std::string record = EncodeRecord("a payload");
  EXPECT_EQ(WholeRecord(record, kMax), "a payload");
  EXPECT_EQ(WholeRecord(record + "more", 9), "a payload");
  EXPECT_EQ(WholeRecord(EncodeRecord(""), 0), "");
  EXPECT_EQ(WholeRecord(record, 8), std::nullopt);
  for (size_t size = 0; size < record.size(); ++size) {
    EXPECT_EQ(WholeRecord(record.substr(0, size), kMax), std::nullopt) << size;
  }
  EXPECT_EQ(WholeRecord("\xff\xff\xff\xff....", 0xffffffff), std::nullopt);
}

TEST(RecordReaderTest, FindsTheRecordHoweverItIsCutUp) {
  const std::string record = EncodeRecord("a payload");
  for (size_t step = 1; step <= record.size(); ++step) {
    RecordReader reader(kMax);
    for (size_t at = 0; at < record.size(); at += step) {
      EXPECT_EQ(reader.state(), State::kNeedMore);
      reader.Feed(absl::string_view(record).substr(at, step));
    }
    EXPECT_EQ(reader.state(), State::kComplete) << step;
    EXPECT_EQ(reader.missing(), 0u);
    EXPECT_EQ(*std::move(reader).Finish(), "a payload") << step;
  }
}

TEST(RecordReaderTest, SaysHowManyBytesAreMissing) {
  RecordReader reader(kMax);
  EXPECT_EQ(reader.missing(), 4u);
  reader.Feed(Bytes({5}));
  EXPECT_EQ(reader.missing(), 3u);
  reader.Feed("");
  EXPECT_EQ(reader.missing(), 3u);
  reader.Feed(Bytes({0, 0, 0}));
  EXPECT_EQ(reader.missing(), 5u);
  reader.Feed("ab");
  EXPECT_EQ(reader.missing(), 3u);
}

TEST(RecordReaderTest, NothingIsNoRecordAndNoError) {
  auto result = RecordReader(kMax).Finish();
  ASSERT_TRUE(result.ok());
  EXPECT_EQ(*result, std::nullopt);
}

TEST(RecordReaderTest, RecordOfLengthZeroIsARecord) {
  RecordReader reader(0);
  EXPECT_EQ(reader.Feed(Bytes({0, 0, 0, 0})), State::kComplete);
  auto result = std::move(reader).Finish();
  ASSERT_TRUE(result.ok());
  EXPECT_EQ(*result, "");
}

TEST(RecordReaderTest, WhatFollowsTheRecordIsCountedAndDropped) {
  RecordReader reader(kMax);
  EXPECT_EQ(reader.Feed(EncodeRecord("abc") + "more"), State::kComplete);
  EXPECT_EQ(reader.Feed("and more"), State::kComplete);
  EXPECT_EQ(reader.trailing_bytes(), 12u);
  EXPECT_EQ(reader.total_bytes(), 19u);
  EXPECT_EQ(*std::move(reader).Finish(), "abc");
}

TEST(RecordReaderTest, LargestAllowedPayloadIsReadAndOneByteMoreIsNot) {
  const std::string payload(1000, 'x');
  RecordReader exact(1000);
  EXPECT_EQ(exact.Feed(EncodeRecord(payload)), State::kComplete);
  EXPECT_EQ(*std::move(exact).Finish(), payload);
  RecordReader small(999);
  EXPECT_EQ(small.Feed(EncodeRecord(payload).substr(0, 4)), State::kFailed);
  EXPECT_EQ(small.missing(), 0u);
  EXPECT_EQ(small.Feed(payload), State::kFailed);
  EXPECT_EQ(small.trailing_bytes(), 1000u);
}

TEST(RecordReaderTest, TornLengthIsDataLoss) {
  EXPECT_EQ(Verdict(Bytes({5, 0})),
            "a torn record: it ends after 2 of the 4 bytes of its length: "
            "\"\\x05\\x00\"");
}

TEST(RecordReaderTest, TornPayloadIsDataLossThatCountsWhatCame) {
  EXPECT_EQ(Verdict(EncodeRecord("uvwxyz").substr(0, 7)),
            "a torn record: it ends after 3 of the 6 bytes that it announces: "
            "\"\\x06\\x00\\x00\\x00uvw\"");
  EXPECT_THAT(Verdict(EncodeRecord("abcdef").substr(0, 4)),
              HasSubstr("after 0 of the 6"));
}

TEST(RecordReaderTest, ALengthInBigEndianOrderIsCalledSo) {
  for (const size_t size : {5u, 300u}) {
    std::string record = EncodeRecord(std::string(size, 'x'));
    std::reverse(record.begin(), record.begin() + kRecordPrefixBytes);
    RecordReader reader(1 << 20);
    reader.Feed(record);
    const auto result = std::move(reader).Finish();
    EXPECT_EQ(result.status().code(), absl::StatusCode::kDataLoss);
    EXPECT_THAT(std::string(result.status().message()),
                HasSubstr("length, " + std::to_string(size) +
                          " bytes, is in big-endian order"));
  }
}

TEST(RecordReaderTest, TooLargeNamesBothSizes) {
  EXPECT_EQ(Verdict(Bytes({0xff, 0xff, 0xff, 0xff, 1})),
            "a record that announces 4294967295 bytes, when at most 4194304 "
            "are allowed, or no record at all: \"\\xff\\xff\\xff\\xff\\x01\"");
}

TEST(RecordReaderTest, TextIsCalledTextAndQuotedFromItsStart) {
  EXPECT_EQ(Verdict("Traceback (most"),
            "text where a record should be, 15 bytes: \"Traceback (most\"");
  EXPECT_EQ(Verdict("ok\n"),
            "text where a record should be, 3 bytes: \"ok\\n\"");
  // A huge limit would let it pass for a length.
  EXPECT_THAT(Verdict("Traceback", 0xffffffff), HasSubstr("text where"));
}

TEST(RecordReaderTest, QuoteIsEscapedAndBounded) {
  const std::string verdict =
      Verdict("\x1b[31m\"red\"\r\n" + std::string(1 << 20, 'x'));
  EXPECT_THAT(verdict, AllOf(HasSubstr("1048588 bytes"),
                             HasSubstr("\"\\x1b[31m\\\"red\\\"\\r\\nxxx"),
                             HasSubstr("xx\"..."), Not(HasSubstr("\x1b"))));
  EXPECT_LT(verdict.size(), 200u);
}

TEST(RecordReaderTest, MemoryFollowsWhatArrivedNotWhatIsAnnounced) {
  auto used = [] {
    const struct mallinfo2 info = mallinfo2();
    return info.uordblks + info.hblkhd;
  };
  RecordReader reader(0xffffffff);
  const size_t before = used();
  reader.Feed(Bytes({0xfe, 0xff, 0xff, 0xff}));
  const std::string chunk(4096, 'x');
  for (int i = 1; i <= 1024; ++i) {
    ASSERT_EQ(reader.Feed(chunk), State::kNeedMore);
    ASSERT_LE(used(),
              before + 2 * chunk.size() * static_cast<size_t>(i) + (64 << 10));
  }
}

class RecordPipeTest : public ::testing::Test {
 protected:
  void SetUp() override { ASSERT_EQ(pipe2(fds_, O_CLOEXEC), 0); }
  void TearDown() override {
    CloseReader();
    CloseWriter();
  }

  int reader() const { return fds_[0]; }
  int writer() const { return fds_[1]; }
  void CloseReader() { Close(fds_[0]); }
  void CloseWriter() { Close(fds_[1]); }
  void Write(const std::string& bytes) {
    ASSERT_EQ(write(writer(), bytes.data(), bytes.size()),
              static_cast<ssize_t>(bytes.size()));
  }

 private:
  static void Close(int& fd) {
    if (fd >= 0) close(fd);
    fd = -1;
  }

  int fds_[2] = {-1, -1};
};

TEST_F(RecordPipeTest, ReadFromTellsNothingNowFromTheEnd) {
  ASSERT_EQ(fcntl(reader(), F_SETFL, O_NONBLOCK), 0);
  RecordReader record(kMax);
  EXPECT_TRUE(*record.ReadFrom(reader()));
  EXPECT_EQ(record.total_bytes(), 0u);
  Write(EncodeRecord("abc"));
  EXPECT_TRUE(*record.ReadFrom(reader()));
  EXPECT_EQ(record.state(), State::kComplete);
  CloseWriter();
  EXPECT_FALSE(*record.ReadFrom(reader()));
  EXPECT_EQ(*std::move(record).Finish(), "abc");
}

TEST_F(RecordPipeTest, ReadFromReportsADescriptorThatCannotBeRead) {
  RecordReader record(kMax);
  EXPECT_FALSE(record.ReadFrom(-1).ok());
  EXPECT_FALSE(record.ReadFrom(writer()).ok());
}

TEST_F(RecordPipeTest, RecordsFollowEachOtherAndThenNone) {
  Write(EncodeRecord("one") + EncodeRecord("") + EncodeRecord("three"));
  CloseWriter();
  EXPECT_EQ(**ReadRecord(reader(), kMax), "one");
  EXPECT_EQ(**ReadRecord(reader(), kMax), "");
  EXPECT_EQ(**ReadRecord(reader(), kMax), "three");
  EXPECT_EQ(*ReadRecord(reader(), kMax), std::nullopt);
}

TEST_F(RecordPipeTest, ReadRecordDoesNotWaitForTheEnd) {
  ASSERT_TRUE(WriteRecord(writer(), "abc").ok());
  EXPECT_EQ(**ReadRecord(reader(), kMax), "abc");  // The writer is open.
}

TEST_F(RecordPipeTest, ReadRecordRefusesWhatIsNone) {
  Write("Traceback");
  CloseWriter();
  EXPECT_EQ(ReadRecord(reader(), kMax).status().code(),
            absl::StatusCode::kDataLoss);
}

TEST_F(RecordPipeTest, ReadRecordReportsADescriptorThatCannotBeRead) {
  const absl::Status status = ReadRecord(-1, kMax).status();
  EXPECT_FALSE(status.ok());
  EXPECT_THAT(std::string(status.message()), HasSubstr("cannot read a record"));
}

TEST_F(RecordPipeTest, LargeRecordCrossesASmallPipeAlsoNonBlocking) {
  std::string payload(3 << 20, '\0');
  for (size_t i = 0; i < payload.size(); ++i) {
    payload[i] = static_cast<char>(i * 131 >> 3);
  }
  for (int flags : {0, O_NONBLOCK}) {
    ASSERT_EQ(fcntl(reader(), F_SETFL, flags), 0);
    ASSERT_EQ(fcntl(writer(), F_SETFL, flags), 0);
    absl::Status written;
    std::thread thread([&] { written = WriteRecord(writer(), payload); });
    auto read = ReadRecord(reader(), kMax);
    thread.join();
    EXPECT_TRUE(written.ok()) << written;
    ASSERT_TRUE(read.ok()) << read.status();
    EXPECT_TRUE(*read == payload);
  }
}

TEST_F(RecordPipeTest, SignalsDoNotTearARecord) {
  struct sigaction action {};
  struct sigaction old {};
  static std::atomic<int> caught{0};
  caught = 0;
  action.sa_handler = [](int) { ++caught; };  // No SA_RESTART: EINTR.
  ASSERT_EQ(sigaction(SIGUSR1, &action, &old), 0);
  const std::string payload(1 << 20, 'x');
  std::atomic<bool> started{false};
  std::thread thread([&] {
    started = true;
    EXPECT_TRUE(WriteRecord(writer(), payload).ok());
  });
  while (!started) std::this_thread::yield();
  // It blocks: the pipe holds 64 KiB.
  for (int i = 1; i <= 20; ++i) {
    ASSERT_EQ(pthread_kill(thread.native_handle(), SIGUSR1), 0);
    while (caught < i) std::this_thread::yield();
  }
  EXPECT_EQ(**ReadRecord(reader(), kMax), payload);
  thread.join();
  sigaction(SIGUSR1, &old, nullptr);
}

TEST_F(RecordPipeTest, WriteToAClosedPipeIsAnError) {
  CloseReader();
  struct sigaction ignore {};
  struct sigaction old {};
  ignore.sa_handler = SIG_IGN;
  ASSERT_EQ(sigaction(SIGPIPE, &ignore, &old), 0);
  const absl::Status status = WriteRecord(writer(), "abc");
  sigaction(SIGPIPE, &old, nullptr);
  EXPECT_FALSE(status.ok());
  EXPECT_THAT(std::string(status.message()),
              HasSubstr("cannot write a record"));
}

}  // namespace
}  // namespace external_containerizer
