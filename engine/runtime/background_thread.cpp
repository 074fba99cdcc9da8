#include "engine/runtime/background_thread.h"

#include <linux/sched.h>
#include <linux/sched/types.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace vz::runtime {
namespace {

constexpr int kNice = 10;
constexpr unsigned kTurnNs = 100'000;  ///< the least that the kernel takes

}  // namespace

void work_in_background() {
  // Where a container's filter knows only this one.
  setpriority(PRIO_PROCESS, static_cast<id_t>(gettid()), kNice);
  sched_attr attributes{};  // glibc 2.36 has no wrapper.
  attributes.size = sizeof attributes;
  attributes.sched_policy = SCHED_NORMAL;
  attributes.sched_nice = kNice;
  attributes.sched_runtime = kTurnNs;
  (void)syscall(SYS_sched_setattr, 0, &attributes, 0u);
}

}  // namespace vz::runtime
