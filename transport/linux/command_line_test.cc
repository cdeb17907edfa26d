// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/transport/linux/command_line.h"

#include <sys/stat.h>

#include <cerrno>
#include <cstdlib>
#include <fstream>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace external_containerizer {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class CommandLineTest : public ::testing::Test {
 protected:
  CommandLineTest() {
    std::string name = ::testing::TempDir() + "/command_line.XXXXXX";
    directory_ = mkdtemp(name.data());
  }

  std::string Make(const std::string& name, const std::string& text,
                   mode_t mode) {
    const std::string path = directory_ + "/" + name;
    std::ofstream(path) << text;
    EXPECT_EQ(chmod(path.c_str(), mode), 0);
    return path;
  }

  std::string directory_;
};

TEST_F(CommandLineTest, PlainWordsAreExecutedDirectly) {
  const std::string path = Make("prog", "#!/bin/sh\n", 0755);
  const auto line = ParseProgram(path + "  --root=/x\t-v", "", "/");
  ASSERT_TRUE(line.ok()) << line.status();
  EXPECT_EQ(line->file, path);
  EXPECT_THAT(line->arguments, ElementsAre(path, "--root=/x", "-v"));
  EXPECT_FALSE(line->through_shell);
}

TEST_F(CommandLineTest, ANameWithoutASlashIsFoundThroughPath) {
  Make("elsewhere", "", 0644);  // Found, but not executable: passed over.
  const std::string path = Make("prog", "#!/bin/sh\n", 0755);
  const auto line = ParseProgram("prog x", "/nowhere:" + directory_, "/");
  ASSERT_TRUE(line.ok()) << line.status();
  EXPECT_EQ(line->file, path);
  EXPECT_THAT(line->arguments, ElementsAre("prog", "x"));
  const auto missing = ParseProgram("elsewhere", directory_, "/");
  EXPECT_EQ(missing.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(missing.status().message()),
              HasSubstr("no such program in PATH"));
}

TEST_F(CommandLineTest, ARelativePathIsRelativeToTheGivenDirectory) {
  const std::string path = Make("prog", "#!/bin/sh\n", 0755);
  const auto line = ParseProgram("./prog", "", directory_);
  ASSERT_TRUE(line.ok()) << line.status();
  EXPECT_EQ(line->file, directory_ + "/./prog");
}

TEST_F(CommandLineTest, ShellSyntaxGoesToAShellWithTheCommandBesideIt) {
  for (const char* program :
       {"exec '/opt/my prog' -v", "/opt/$NAME", "a | b", "/opt/x; y",
        "DEBUG=1 /opt/prog", "~/prog", "/opt/`x`", "/opt/*"}) {
    const auto line = ParseProgram(program, "", "/");
    ASSERT_TRUE(line.ok()) << line.status();
    EXPECT_TRUE(line->through_shell) << program;
    EXPECT_EQ(line->file, "/bin/sh");
    EXPECT_THAT(
        line->arguments,
        ElementsAre("sh", "-c", std::string(program) + " \"$@\"", "sh"));
  }
}

TEST_F(CommandLineTest, WhatCannotBeExecutedIsRefusedWithTheReason) {
  const auto message = [](const std::string& program) {
    const auto line = ParseProgram(program, "", "/");
    EXPECT_EQ(line.status().code(), absl::StatusCode::kFailedPrecondition);
    return std::string(line.status().message());
  };
  EXPECT_THAT(message("/no/such/prog"), HasSubstr("No such file"));
  EXPECT_THAT(message(Make("plain", "", 0644)), HasSubstr("chmod +x"));
  EXPECT_THAT(message(directory_), HasSubstr("not a file"));
  EXPECT_THAT(message(" \t "), HasSubstr("no external containerizer program"));
  EXPECT_EQ(ParseProgram(absl::string_view("a\0b", 3), "", "/").status().code(),
            absl::StatusCode::kInvalidArgument);
}

TEST_F(CommandLineTest, ErrorsEscapeForeignText) {
  const auto line = ParseProgram("/no/\x1b]0;x\x07", "", "/");
  EXPECT_EQ(line.status().message().find('\x1b'), absl::string_view::npos);
}

TEST_F(CommandLineTest, ErrorsOfExecutionSayWhatIsMissing) {
  const std::string script = Make("script", "#!/no/such/python -u\n", 0755);
  EXPECT_THAT(std::string(ExecutionError(script, ENOENT).message()),
              HasSubstr("interpreter \"/no/such/python -u\" is not"));
  EXPECT_THAT(std::string(ExecutionError(script, ENOEXEC).message()),
              HasSubstr("wrong format or architecture"));
  const std::string binary = Make("binary",
                                  "\x7f"
                                  "ELF",
                                  0755);
  EXPECT_THAT(std::string(ExecutionError(binary, ENOENT).message()),
              HasSubstr("dynamic loader"));
  EXPECT_THAT(std::string(ExecutionError("/no/prog", ENOENT).message()),
              HasSubstr("No such file"));
  EXPECT_EQ(ExecutionError(script, EAGAIN).code(),
            absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(ExecutionError(script, ETXTBSY).code(),
            absl::StatusCode::kUnavailable);
  EXPECT_EQ(ExecutionError(script, E2BIG).code(),
            absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace external_containerizer
