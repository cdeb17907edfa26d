// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/containerizer/posix/execute_task.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <string>

#include "gtest/gtest.h"

namespace external_containerizer {
namespace posix_internal {
namespace {

// Executes in a child. Returns its exit code, or 1000 + errno.
int Execute(const TaskSpec& spec) {
  int error[2];
  EXPECT_EQ(pipe2(error, O_CLOEXEC), 0);
  const pid_t child = fork();
  if (child == 0) {
    ExecuteTask(spec);
    const int why = errno;
    (void)!write(error[1], &why, sizeof(why));
    _exit(0);
  }
  close(error[1]);
  int why = 0;
  const bool failed = read(error[0], &why, sizeof(why)) == sizeof(why);
  close(error[0]);
  int status = 0;
  EXPECT_EQ(waitpid(child, &status, 0), child);
  return failed ? 1000 + why : WEXITSTATUS(status);
}

TEST(ExecuteTaskTest, EveryStringArrives) {
  TaskSpec spec;
  spec.set_executable("/bin/sh");
  for (const std::string& argument :
       {std::string("sh"), std::string("-c"),
        std::string("[ \"$1\" = 'a\nb \"c\"' ] && [ -z \"$2\" ] && "
                    "[ ${#3} = 100000 ] && [ \"$A\" = 1=2 ] && exit 9"),
        std::string("sh"), std::string("a\nb \"c\""), std::string(),
        std::string(100000, 'x')}) {
    spec.add_arguments(argument);
  }
  spec.add_environment("A=1=2");
  spec.add_environment("\xff=\xfe");
  TaskSpec arrived;
  ASSERT_TRUE(arrived.ParseFromString(spec.SerializeAsString()));
  EXPECT_EQ(Execute(arrived), 9);
}

TEST(ExecuteTaskTest, ANameIsLookedUpInTheTasksPath) {
  std::string directory = ::testing::TempDir() + "/path_XXXXXX";
  ASSERT_NE(mkdtemp(directory.data()), nullptr);
  const std::string file = directory + "/only-there";
  FILE* script = fopen(file.c_str(), "we");
  ASSERT_NE(script, nullptr);
  fputs("#!/bin/sh\nexit $1\n", script);
  fclose(script);

  TaskSpec spec;
  spec.set_executable("only-there");
  spec.add_arguments("only-there");
  spec.add_arguments("7");
  spec.add_environment("PATH=/nowhere:" + directory);
  EXPECT_EQ(Execute(spec), 1000 + EACCES);
  ASSERT_EQ(chmod(file.c_str(), 0700), 0);
  EXPECT_EQ(Execute(spec), 7);
  spec.set_environment(0, "PATH=/nowhere");
  EXPECT_EQ(Execute(spec), 1000 + ENOENT);
  spec.clear_environment();
  spec.set_executable("sh");
  spec.clear_arguments();
  for (const char* argument : {"sh", "-c", "exit 4"}) {
    spec.add_arguments(argument);
  }
  EXPECT_EQ(Execute(spec), 4) << "without PATH the usual one counts";
  spec.set_executable("");
  EXPECT_EQ(Execute(spec), 1000 + ENOENT);
}

}  // namespace
}  // namespace posix_internal
}  // namespace external_containerizer
