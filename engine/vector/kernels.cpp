#include "engine/vector/kernels.h"

namespace vz::vector {
namespace {

bool runs(KernelLevel level) {
#if defined(__x86_64__)
  switch (level) {
    case KernelLevel::kScalar:
      return true;
    case KernelLevel::kAvx2:
      return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
             __builtin_cpu_supports("bmi") && __builtin_cpu_supports("popcnt");
    case KernelLevel::kAvx512:
      return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
             __builtin_cpu_supports("avx512vnni") && __builtin_cpu_supports("bmi") &&
             __builtin_cpu_supports("popcnt");
  }
  return false;
#else
  return level == KernelLevel::kScalar;
#endif
}

const Kernels& best() {
  for (const auto level : {KernelLevel::kAvx512, KernelLevel::kAvx2}) {
    if (const Kernels* found = kernels_at(level)) return *found;
  }
  return kScalarKernels;
}

}  // namespace

const Kernels* kernels_at(KernelLevel level) {
  if (!runs(level)) return nullptr;
  switch (level) {
    case KernelLevel::kScalar:
      return &kScalarKernels;
    case KernelLevel::kAvx2:
      return &kAvx2Kernels;
    case KernelLevel::kAvx512:
      return &kAvx512Kernels;
  }
  return nullptr;
}

const Kernels& kernels() {
  static const Kernels& chosen = best();
  return chosen;
}

}  // namespace vz::vector
